"""What the harness uses of pytest-xdist beyond its hooks, in one place.

In the controller: a board that is plugged in late needs a worker that nobody asked for on the command line,
and what happens to boards has to be heard between two events of workers, in the thread that schedules. xdist
has no hook for either. What its session does when it replaces a crashed worker is what is done here.

In a worker: xdist's loop begins a test only when it knows the one after it, or that there is none (testbed
fact sheet, section 3). So the loop is ours (:mod:`harness.pytest_plugin.worker_loop`), and what it hears from
the controller, and tells it, passes here.

``tests/pytest_plugin/test_xdist_session.py`` notices when xdist changes.
"""

from __future__ import annotations

import copy
from collections import deque
from contextlib import contextmanager
from functools import cached_property
from queue import SimpleQueue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from xdist.remote import worker_title  # type: ignore[import-untyped]  # xdist ships no types
from xdist.workermanage import parse_tx_spec_config  # type: ignore[import-untyped]  # nor here

from harness.pytest_plugin.internal_errors import OUTPUT_KEY, gist_of, internal_error_of, note_internal_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

_EVENT = "harness_event"
_WORKER = "WorkerInteractor"


def worker_specs(config: pytest.Config) -> list[str]:
    """Return what xdist is going to start its workers by, one for each: ``2*popen`` is two."""
    specs: list[str] = parse_tx_spec_config(config)
    return specs


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

    @property
    def why_it_ends(self) -> str:
        """What ends the session before all tests ran; nothing when nothing does."""
        session = self._session
        return str(getattr(session, "shouldstop", "") or session._summary_report or "")

    def stop(self, reason: str) -> None:
        """End the session after the tests that run, as ``-x`` does.

        :param reason: why, for the user.
        """
        if not self._session.shouldstop:
            self._session.shouldstop = reason

    def start_worker(self) -> None:
        """Start one more worker, also when those that there are have been told to end.

        It is configured (``pytest_configure_node``) before this returns.
        """
        session = self._session
        session.shuttingdown = False
        spec = copy.copy(session.nodemanager.specs[0])
        session._clone_node(SimpleNamespace(gateway=SimpleNamespace(spec=spec)))

    def hear_out(self) -> None:
        """End the workers, and hear the reports that they had sent before nobody listened any more."""
        session = self._session
        if session.nodemanager is None:
            return
        session.nodemanager.teardown_nodes()  # xdist does so in a moment, and then hears nothing
        while not session.queue.empty():
            name, facts = session.queue.get()
            if name == "testreport":
                session.worker_testreport(**facts)

    def outlive_internal_errors(self, has_begun: Callable[[], bool]) -> None:
        """Take the internal error of a worker for the death of that worker alone.

        xdist's session breaks with it: it takes the worker out when it hears of the error, and once more when
        the worker has ended.

        :param has_begun: tells whether tests were handed out. Before that the session ends: what breaks while
            a worker collects breaks in the next one, too.
        """
        session = self._session
        tell, finish = session.worker_internal_error, session.worker_workerfinished

        def hear(node: Any, formatted_error: str) -> None:
            if has_begun():
                note_internal_error(node, formatted_error)
            else:
                tell(node, formatted_error)

        def end(node: Any) -> None:
            said = node.workeroutput.get(OUTPUT_KEY)
            if said is not None:
                note_internal_error(node, said)
            error = internal_error_of(node)
            if error and session.sched.has_pending:
                session.worker_errordown(node, gist_of(error))
            else:  # nobody is needed in its place
                finish(node)

        session.worker_internal_error, session.worker_workerfinished = hear, end

    def count(self, report: pytest.TestReport) -> None:
        """Let ``-x`` and ``--maxfail`` count a report that comes from no worker."""
        self._session._handlefailures(report)


class XdistWorker:
    """A worker's end of its connection with the controller."""

    def __init__(self, config: pytest.Config) -> None:
        """Hear nothing yet.

        :param config: the worker's.
        """
        # It is run from its source, not imported: its class has no identity to ask for.
        self._worker: Any = next(
            plugin for plugin in config.pluginmanager.get_plugins() if type(plugin).__name__ == _WORKER
        )
        self._heard: SimpleQueue[int | None] = SimpleQueue()
        self._known: deque[int | None] = deque()

    def listen(self) -> None:
        """Hear from now on which tests to run; what was said before is heard, too."""
        self._worker.channel.setcallback(self._hear, endmarker=None)

    def _hear(self, command: tuple[str, dict[str, Any]] | None) -> None:
        """Take what the controller says, on the thread that receives; ``None`` when it is gone."""
        name, facts = command or ("shutdown", {})
        if name == "runtests":
            for index in facts["indices"]:
                self._heard.put(index)
        elif name == "shutdown":
            self._heard.put(None)

    def next(self) -> int | None:
        """Return the next test, when there is one; ``None`` when none follows any more."""
        return self._known.popleft() if self._known else self._heard.get()

    def known(self) -> tuple[int | None, ...]:
        """Return the tests after this one that are known by now; at their end ``None`` if none follows."""
        while not self._heard.empty():
            self._known.append(self._heard.get())
        return tuple(self._known)

    @contextmanager
    def reporting_on(self, index: int) -> Iterator[None]:
        """Let what is reported meanwhile be about a test.

        :param index: its number.
        """
        before = getattr(self._worker, "item_index", None)
        self._worker.item_index = index
        try:
            yield
        finally:
            self._worker.item_index = before

    def complete(self, index: int, seconds: float) -> None:
        """Tell the controller that we are done with a test.

        :param index: its number.
        :param seconds: how long it took.
        """
        self._worker.sendevent("runtest_protocol_complete", item_index=index, duration=seconds)


@contextmanager
def shown_as_running(test: str) -> Iterator[None]:
    """Let the list of processes show which test a worker runs, where setproctitle is installed.

    :param test: its id.
    """
    worker_title(f"[pytest-xdist running] {test}")
    try:
        yield
    finally:
        worker_title("[pytest-xdist idle]")
