"""The past of a session: known before it, written while it runs, and never in its way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.config import Settings
from harness.errors import RigFault
from harness.history.files import default_file
from harness.history.store import History, SessionHistory
from harness.inventory.board import Board
from harness.pytest_plugin.past import PAST_KEY, Past, begin_past, expected_seconds
from harness.redaction import Redactor
from tests.history.attempts import attempt, record
from tests.pytest_plugin.phases import TEST, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TESTS = ["test_a.py::test_it", "test_a.py::test_new"]


class Terminal:
    """What pytest's reporter was told to write."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, line: str, **_markup: bool) -> None:
        """Write a line."""
        self.lines.append(line)


class Stage:
    """A controller's config and session, as far as its past has to do with them.

    :ivar terminal: what was written.
    """

    def __init__(self, root: Path, project: str = "") -> None:
        self.terminal = Terminal()
        self.cleanups: list[Callable[[], None]] = []
        self.redactor = Redactor()
        self._stash = pytest.Stash()
        plugins = SimpleNamespace(
            get_plugin={"terminalreporter": self.terminal}.get, register=lambda _plugin, _name: None
        )
        self.config = cast(
            "pytest.Config",
            SimpleNamespace(
                stash=self._stash,
                rootpath=root,
                pluginmanager=plugins,
                getini={"harness_project": project}.get,
                add_cleanup=self.cleanups.append,
            ),
        )

    def begin(self, **settings: Any) -> Past:
        """Begin a session, which ends with the test."""
        session = SimpleNamespace(
            settings=Settings(**settings),
            run_id="run",
            redactor=self.redactor,
            boards=(Board(id="kit-0", kind="kit", driver="d"),),
            board_of_worker={"gw0": "kit-0", "gw1": None},
            hardware="hardware",
        )
        begin_past(self.config, cast("Any", session))
        return self._stash.get(PAST_KEY, cast("Past", None))

    def expected(self) -> Callable[[str], Any]:
        """Ask for durations as the scheduler does."""
        return expected_seconds(self.config, cast("Any", None))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage with a state directory of its own, in a root directory named ``suite``."""
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    stage = Stage(tmp_path / "suite")
    yield stage
    for cleanup in stage.cleanups:
        cleanup()


def run_a_test(past: Past, test: str = TEST) -> None:
    """Report a test that passed."""
    past.pytest_runtest_logstart(test)
    for when in ("setup", "call", "teardown"):
        past.pytest_runtest_logreport(report(when, test=test))


def test_durations_of_earlier_sessions(stage: Stage) -> None:
    """The scheduler gets them by kind of board, and the user is told of how many tests there are some."""
    with History() as history:
        record(history, [attempt(seconds=3.0), attempt("test_other", project="another")])
    past = stage.begin()
    past.pytest_xdist_node_collection_finished(TESTS)
    past.pytest_xdist_node_collection_finished(TESTS)

    seconds = stage.expected()

    assert [seconds(test) for test in (*TESTS, "test_other")] == [{"kit": 3.0}, {}, {}]
    assert stage.terminal.lines == ["harness: durations known of 1 of 2 tests"]


def test_attempts_are_recorded_as_they_end(stage: Stage) -> None:
    """Each is on the disk before the next test begins, under the name of the root directory."""
    past = stage.begin()

    assert not list(read(default_file()))
    run_a_test(past)

    ((project, test, session, board),) = read(default_file())
    assert (project, test, session, board) == ("suite", TEST, "run", "kit-0")


def read(file: Path) -> Iterator[tuple[str, str, str, str]]:
    """Read what somebody else recorded so far."""
    with History(file, read_only=True) as history:
        for one in history.attempts():
            yield one.project, one.test, one.session, one.board


def test_project_of_the_ini_file(tmp_path: Path, stage: Stage) -> None:
    """It tells suites apart whose directories have one name."""
    other = Stage(tmp_path / "suite", project="named")
    run_a_test(other.begin(history=tmp_path / "h"))
    stage.cleanups += other.cleanups

    assert [project for project, *_ in read(tmp_path / "h")] == ["named"]


def test_secrets_do_not_get_into_it(stage: Stage) -> None:
    """A test whose id holds a secret is known by what is left of it, then and later."""
    stage.redactor.add("teddy-bears-name", "toy secret")
    test = "test_a.py::test_it[teddy-bears-name]"
    past = stage.begin()
    run_a_test(past, test)

    written = b"".join(file.read_bytes() for file in default_file().parent.glob("history*"))
    assert b"toy secret" in written
    assert b"teddy" not in written
    assert [name for _, name, *_ in read(default_file())] == ["test_a.py::test_it[[redacted: toy secret]]"]
    assert stage.expected()(test) == {"kit": 3.0}


def test_crash_before_the_test_said_where_it_ran(stage: Stage) -> None:
    """Its board is that of its worker."""
    past = stage.begin()
    for worker in ("gw0", "gw1", "gw7"):
        crash = report("???", "failed", boards=[], test=f"test_{worker}")
        crash.node = SimpleNamespace(gateway=SimpleNamespace(id=worker))  # type: ignore[attr-defined]  # as xdist does
        past.pytest_runtest_logreport(crash)

    assert [board for *_, board in read(default_file())] == ["kit-0", "", ""]


def test_off(stage: Stage) -> None:
    """``--history off`` makes no file, and nothing is known."""
    past = stage.begin(history="off")

    assert cast("Any", past) is None
    assert stage.expected()("anything") == {}
    assert not default_file().exists()


def test_named_file_that_is_none(stage: Stage, tmp_path: Path) -> None:
    """Who names a file that is no history has mistaken himself: nothing is begun."""
    file = tmp_path / "text"
    file.write_text("no history")

    with pytest.raises(pytest.UsageError, match="text: the history is damaged"):
        stage.begin(history=file)

    assert file.read_text() == "no history"


def test_damaged_default_is_in_nobodys_way(stage: Stage) -> None:
    """The session runs without, says so twice, and leaves the file as it is."""
    default_file().write_text("no history")

    past = stage.begin()
    run_a_test(past)
    past.pytest_sessionfinish()
    past.pytest_terminal_summary(cast("Any", stage.terminal))

    header = past.pytest_report_header()
    assert ["WARNING: no history: " in line for line in header] == [True]
    assert "the history is damaged (file is not a database); nothing was changed in it" in header[0]
    assert stage.terminal.lines == header
    assert default_file().read_text() == "no history"
    assert stage.expected()(TEST) == {}


def failing(*_arguments: object) -> None:
    """Fail as a full disk would."""
    raise RigFault("the history h cannot be used: disk is full")


def run_and_finish(past: Past) -> None:
    """Report a test that passed, and end the session."""
    run_a_test(past)
    past.pytest_sessionfinish()


@pytest.mark.parametrize(
    ("owner", "method", "steps"),
    [
        (History, "begin", run_a_test),
        (SessionHistory, "record", run_a_test),
        (History, "expected_seconds", lambda past: past.expected_seconds()),
        (History, "forget", run_and_finish),
    ],
)
def test_history_that_fails_on_the_way(
    owner: type,
    method: str,
    steps: Callable[[Past], object],
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No test fails for it; it is said once, and not tried again."""
    past = stage.begin()
    monkeypatch.setattr(owner, method, failing)

    steps(past)
    run_a_test(past)
    past.pytest_sessionfinish()

    past.pytest_terminal_summary(cast("Any", stage.terminal))
    warning = "harness: WARNING: no history: the history h cannot be used: disk is full"
    assert stage.terminal.lines == [warning]


def test_nothing_is_said_when_all_is_well(stage: Stage) -> None:
    """Neither in the header nor in the summary."""
    past = stage.begin()
    run_a_test(past)
    past.pytest_sessionfinish()
    past.pytest_terminal_summary(cast("Any", stage.terminal))

    assert past.pytest_report_header() == stage.terminal.lines == []
