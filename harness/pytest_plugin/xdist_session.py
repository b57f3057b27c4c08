"""What the harness uses of pytest-xdist beyond its hooks, in one place.

A board that is plugged in late needs a worker that nobody asked for on the command line, and what happens to
boards has to be heard between two events of workers, in the thread that schedules. xdist has no hook for
either. What its controller's session does when it replaces a crashed worker is what is done here;
``tests/pytest_plugin/test_xdist_session.py`` notices when xdist changes.
"""

from __future__ import annotations

import copy
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_EVENT = "harness_event"


class XdistSession:
    """The controller's session of xdist."""

    def __init__(self, config: pytest.Config) -> None:
        """Touch nothing yet.

        :param config: the controller's; xdist is configured after us.
        """
        self._config = config

    @cached_property
    def _session(self) -> Any:
        session = self._config.pluginmanager.get_plugin("dsession")
        # For an event NAME of its queue the session calls its method worker_NAME.
        setattr(session, f"worker_{_EVENT}", lambda action: action())
        return session

    def post(self, action: Callable[[], None]) -> None:
        """Have something done in the main thread, between two events; any thread may call.

        :param action: what to do.
        """
        self._session.queue.put((_EVENT, {"action": action}))

    @property
    def ends_early(self) -> bool:
        """Whether the session ends before all tests ran: by ``-x``, or since too many workers crashed."""
        session = self._session
        return bool(session.shouldstop) or session._summary_report is not None

    def start_worker(self) -> None:
        """Start one more worker, also when those that there are have been told to end.

        It is configured (``pytest_configure_node``) before this returns.
        """
        session = self._session
        session.shuttingdown = False
        spec = copy.copy(session.nodemanager.specs[0])
        session._clone_node(SimpleNamespace(gateway=SimpleNamespace(spec=spec)))

    def count(self, report: pytest.TestReport) -> None:
        """Let ``-x`` and ``--maxfail`` count a report that comes from no worker."""
        self._session._handlefailures(report)
