"""Each test that came to no outcome says why."""

from __future__ import annotations

from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.pytest_plugin.report_records import SessionRecords
from harness.pytest_plugin.state import NOT_RUN_REASON_KEY
from harness.pytest_plugin.why_not_run import WhyNotRun, note_reasons
from tests.pytest_plugin.test_report_records import a_run


class Ending:
    """A session that ends, with xdist's or without."""

    def __init__(self, **xdist: Any) -> None:
        """Configure it.

        :param xdist: attributes of xdist's session; none for a session without.
        """
        self.heard: list[object] = []
        self.queue: SimpleQueue[tuple[str, dict[str, Any]]] = SimpleQueue()
        facts: dict[str, Any] = {"queue": self.queue, "worker_testreport": self.hear, "_summary_report": None}
        self.xdist = SimpleNamespace(**(facts | xdist)) if xdist else None
        manager = SimpleNamespace(
            hasplugin=lambda _name: self.xdist is not None, get_plugin=lambda _name: self.xdist
        )
        self.config = SimpleNamespace(stash={}, pluginmanager=manager)
        self.why = WhyNotRun(cast("Any", self.config))

    def hear(self, **facts: object) -> None:
        """Be xdist's method that takes a report."""
        self.heard.append(facts["rep"])

    def interrupt(self, error: BaseException) -> None:
        """Have pytest tell of an interruption."""
        self.why.pytest_keyboard_interrupt(pytest.ExceptionInfo.from_exception(error))

    def reason(self, **session: object) -> str:
        """Return why tests did not run."""
        facts: dict[str, object] = {"shouldfail": False, "shouldstop": False}
        return self.why.reason(cast("Any", SimpleNamespace(**(facts | session))))


def raised(error: BaseException) -> BaseException:
    """Return an exception with its traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_who_interrupts() -> None:
    """A person, pytest after failures, a test by ``pytest.exit``, or nobody on purpose."""
    for error, reason in (
        (KeyboardInterrupt(), "interrupted"),
        (pytest.Session.Interrupted("1 error during collection"), "1 error during collection"),
        (pytest.Session.Interrupted(), "Interrupted"),
    ):
        ending = Ending()
        ending.interrupt(raised(error))
        assert ending.reason() == reason

    ending = Ending()
    ending.why.pytest_internalerror()
    assert ending.reason() == "an internal error ended the session"


def test_what_the_session_says() -> None:
    """Its own reasons, those of xdist's session, and at last none; what we ended ourselves goes first."""
    assert Ending().reason(shouldfail="stopping after 1 failures") == "stopping after 1 failures"
    assert Ending().reason(shouldstop="stepwise") == "stepwise"
    assert Ending(_summary_report="too many crashes").reason() == "too many crashes"
    assert Ending(shouldstop="stopping after 2 failures").reason() == "stopping after 2 failures"
    assert Ending(shouldstop=False).reason() == "the session ended before it"
    assert Ending().reason() == "the session ended before it"
    ending = Ending(_summary_report="too many crashes")
    ending.config.stash[NOT_RUN_REASON_KEY] = "--max-runtime 5 s is over"
    assert ending.reason() == "--max-runtime 5 s is over"


def test_what_workers_had_said_before_an_interruption_is_heard() -> None:
    """Their reports are not lost with the interruption of the controller; nothing else is done any more."""
    told: list[str] = []
    manager = SimpleNamespace(teardown_nodes=lambda: told.append("ended"))
    ending = Ending(nodemanager=manager)
    ending.queue.put(("testreport", {"rep": "passed"}))
    ending.queue.put(("errordown", {"node": "gw0"}))

    ending.why.hear_out()
    assert ending.heard == [], "nobody interrupted: xdist hears by itself"

    ending.interrupt(raised(KeyboardInterrupt()))
    ending.why.hear_out()

    assert told == ["ended"]
    assert ending.heard == ["passed"]
    Ending().why.hear_out()
    unready = Ending(nodemanager=None)
    unready.interrupt(raised(KeyboardInterrupt()))
    unready.why.hear_out()
    assert unready.heard == []


def test_a_test_that_had_begun() -> None:
    """Its reason says so."""
    records = SessionRecords()
    records.collect(["ended", "begun", "waiting"])
    for report in [*a_run("passed", "passed", "passed", nodeid="ended"), *a_run("passed", nodeid="begun")]:
        records.add(report)

    note_reasons(records, "interrupted")

    assert records.why_not_run == {"begun": "interrupted, while it ran", "waiting": "interrupted"}
