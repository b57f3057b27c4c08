"""``--shard K/N``: a runner's part of the tests, chosen where they are collected, told by the controller.

Which part a test is in follows from its id, or from its group when it is kept together. A test that runs on
each board or kind of the bench is about this bench: every runner runs its own ones.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.markers import EachBoard
from harness.pytest_plugin.placement import BOARD_FIXTURE, PLACEMENT_KEY
from harness.sharding import Share, digest_of, part_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness.pytest_plugin.state import ActiveSession


SHARE_KEY: pytest.StashKey[str] = pytest.StashKey()
"""On ``config`` of the process that the user started: this runner's share, in words, once it is known."""


def share_file(directory: Path) -> Path:
    """Return the file in which those who collect say what this runner's share is."""
    return directory / "share"


class Sharding:
    """Leaves the tests of other runners out, in each process that collects; after all are placed."""

    def __init__(self, session: ActiveSession, part: int, parts: int) -> None:
        """Take one part.

        :param session: the session as this process sees it.
        :param part: which part, from 1.
        :param parts: of how many.
        """
        self._session = session
        self._part = part
        self._parts = parts

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is in other parts, and say what is in this one."""
        own = [item for item in items if _is_of_this_bench(item)]
        shared = [item for item in items if not _is_of_this_bench(item)]
        taken = [item for item in shared if part_of(_key(item), self._parts) == self._part]
        share = Share(
            part=self._part,
            parts=self._parts,
            taken=len(taken),
            tests=len(shared),
            digest=digest_of(item.nodeid for item in shared),
            own=len(own),
        )
        self._write(share)
        kept = {*taken, *own}
        left_out = [item for item in items if item not in kept]
        if left_out:
            items[:] = [item for item in items if item in kept]
            config.hook.pytest_deselected(items=left_out)

    def _write(self, share: Share) -> None:
        """Write it whole: every worker does, and all say the same."""
        file = share_file(self._session.directory)
        partial = file.with_name(f"{file.name}.{self._session.worker_id}.{os.getpid()}")
        partial.write_text(str(share), encoding="utf-8")
        partial.replace(file)


def _is_of_this_bench(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and isinstance(callspec.params.get(BOARD_FIXTURE), EachBoard)


def _key(item: pytest.Item) -> str:
    placement = item.stash.get(PLACEMENT_KEY, None)
    return item.nodeid if placement is None or placement.group is None else placement.group


class ShardReport:
    """Says in the controller which part of the tests this is."""

    def __init__(self, config: pytest.Config, session: ActiveSession, part: int, parts: int) -> None:
        """Report a part.

        :param part: which part, from 1.
        :param parts: of how many.
        """
        self._config = config
        self._session = session
        self._name = f"{part}/{parts}"

    def pytest_report_header(self) -> str:
        """Say what this is a part of."""
        return f"harness: shard {self._name}: the other tests are for other runners"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell reports what the share was; a part in which no test is has not failed."""
        share = self._read()
        if share is None:
            return
        self._config.stash[SHARE_KEY] = str(share)
        nothing_left = share.tests > 0 and not share.taken and not share.own
        if nothing_left and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the share was."""
        share = self._config.stash.get(SHARE_KEY, None)
        if share is not None:
            terminalreporter.write_line(f"harness: shard {share}")

    def _read(self) -> Share | None:
        try:
            text = share_file(self._session.directory).read_text(encoding="utf-8")
        except FileNotFoundError:  # nothing was collected
            return None
        return Share.parse(text)
