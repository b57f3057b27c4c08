"""What the workers of a session have collected: it has to be the same, since they are told numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.report import report_collection_diff  # type: ignore[import-untyped]  # xdist ships no types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pytest_plugin.sendings import WorkerController


class Collected:
    """The ids of the tests that each worker has collected."""

    def __init__(self, config: pytest.Config) -> None:
        """Nobody has collected yet.

        :param config: the controller's.
        """
        self._config = config
        self._ids: dict[WorkerController, list[str]] = {}

    def __len__(self) -> int:
        """Return how many workers have collected."""
        return len(self._ids)

    def __contains__(self, node: WorkerController) -> bool:
        """Tell whether a worker has collected."""
        return node in self._ids

    def add(self, node: WorkerController, ids: Sequence[str]) -> None:
        """A worker has collected."""
        self._ids[node] = list(ids)

    def drop(self, node: WorkerController) -> None:
        """A worker has ended before anything was scheduled."""
        self._ids.pop(node, None)

    @property
    def first(self) -> list[str]:
        """What the first of them collected; nothing when nobody has."""
        return next(iter(self._ids.values()), [])

    @property
    def first_worker(self) -> str:
        """Id of the first of them."""
        name: str = next(iter(self._ids)).gateway.id
        return name

    def agrees(self, node: WorkerController) -> bool:
        """Tell whether a worker collected what the first one did; report the difference if it did not."""
        first, other = self.first, self._ids[node]
        if other == first:
            return True
        message = report_collection_diff(first, other, self.first_worker, node.gateway.id)
        report = pytest.CollectReport(
            nodeid=node.gateway.id, outcome="failed", longrepr=message or "other tests collected", result=[]
        )
        self._config.hook.pytest_collectreport(report=report)
        return False

    def all_agree(self) -> bool:
        """Tell whether all collected the same; report each difference."""
        agreeing = [self.agrees(node) for node in self._ids]
        return all(agreeing)
