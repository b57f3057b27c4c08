"""What a session knows of its tests when it ends: gathered from reports in the controller, data only.

A report crosses the process border as plain data, so what a worker adds to it is a dictionary of plain
values under :data:`FACTS_ATTRIBUTE`; :class:`TestFacts` is its typed form on either side.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pytest

    from harness.inventory.board import Board

FACTS_ATTRIBUTE: Final = "harness_facts"
#: On a report: no process has written Allure's result of what it tells.
UNWRITTEN_ATTRIBUTE: Final = "harness_unwritten"
#: What plugins that run failed tests again, ours among them, put in the place of a report's outcome.
RERUN: Final[str] = "rerun"
#: On a report that was told as one to be followed by another try: none followed, so it counts after all.
FINAL_ATTRIBUTE: Final = "harness_final"

Outcome = Literal["passed", "failed", "skipped", "unfinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardUsed:
    """A board that a test used.

    :ivar bench: ``virtual``, ``virtual USB lab`` or ``hardware``.
    :ivar remarks: what else is to be known of it.
    """

    id: str
    kind: str
    bench: str
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, board: Board, hardware: str, remarks: Iterable[str] = ()) -> BoardUsed:
        """Describe a board.

        :param hardware: what reports call the bench of attached boards.
        """
        bench = "virtual" if board.virtual else hardware
        return cls(id=board.id, kind=board.kind, bench=bench, remarks=list(remarks))


@dataclass(slots=True, kw_only=True)
class TestFacts:
    """What a worker says of one phase of a test.

    :ivar suite: name of its suite: the directory that holds the test's file.
    :ivar boards: boards that the test used.
    :ivar backends: services that it could talk to, as ``name=mode``.
    :ivar proves: what it proves when it passes: pairs of operation and outcome.
    :ivar verdict: who is to blame, when the phase failed.
    :ivar faulty: id of the board that failed, when it was the rig's fault and one can be told.
    :ivar console_tail: last lines of the consoles, redacted, when the phase failed.
    :ivar repeat: the command line that repeats the test.
    """

    __test__ = False

    suite: str = ""
    boards: list[BoardUsed] = field(default_factory=list)
    backends: list[str] = field(default_factory=list)
    proves: list[tuple[str, str]] = field(default_factory=list)
    verdict: str | None = None
    faulty: str = ""
    console_tail: str = ""
    repeat: str = ""

    def properties(self) -> list[tuple[str, str]]:
        """Return what a test case's properties say of it in JUnit's document."""
        return [
            *(("board", board.id) for board in self.boards),
            *(("kind", board.kind) for board in self.boards),
            *(("bench", board.bench) for board in self.boards),
            *(("remark", remark) for board in self.boards for remark in board.remarks),
            *(("backend", backend) for backend in self.backends),
            *(("proves", f"{operation}: {outcome}") for operation, outcome in self.proves),
        ]

    def put_on(self, report: pytest.TestReport) -> None:
        """Write the facts on a report, as plain data that xdist can carry."""
        setattr(report, FACTS_ATTRIBUTE, asdict(self) | {"proves": [list(pair) for pair in self.proves]})

    @classmethod
    def of(cls, report: pytest.TestReport) -> TestFacts:
        """Read the facts of a report; a report without any has empty ones."""
        data: dict[str, Any] = dict(getattr(report, FACTS_ATTRIBUTE, {}))
        data["boards"] = [BoardUsed(**board) for board in data.get("boards", ())]
        data["proves"] = [(operation, outcome) for operation, outcome in data.get("proves", ())]
        return cls(**data)


def add_section(report: pytest.TestReport, title: str, text: str) -> None:
    """Add a section to the text of a failure, so that terminal, JUnit and Allure all have it."""
    add: Callable[[str, str, str], None] | None = getattr(report.longrepr, "addsection", None)
    if add is not None:
        add(title, text, "-")
    else:
        report.longrepr = f"{report.longrepr}\n---- {title} ----\n{text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a test that failed and was followed by another one.

    :ivar reason: the first line of its failure.
    """

    boards: list[BoardUsed]
    verdict: str | None
    reason: str
    seconds: float
    worker: str

    def __str__(self) -> str:
        """Return on what it failed, and why."""
        if not self.boards:
            return self.reason
        boards = ", ".join(board.id for board in self.boards)
        return f"board{'s' * (len(self.boards) > 1)} {boards}: {self.reason}"


@dataclass(slots=True, kw_only=True)
class TestRecord:
    """One test of the session, as the summary shows it: its last try.

    :ivar reason: why it was skipped, or the first line of its failure.
    :ivar details: the whole failure text.
    :ivar retried: the tries before the last one.
    :ivar again: whether this try failed and is to be followed by another one.
    """

    __test__ = False

    nodeid: str
    outcome: Outcome = "unfinished"
    seconds: float = 0.0
    worker: str = ""
    reason: str = ""
    details: str = ""
    facts: TestFacts = field(default_factory=TestFacts)
    retried: list[Attempt] = field(default_factory=list)
    again: bool = False
    _over: bool = field(default=False, init=False)
    _part_failed: bool = field(default=False, init=False)

    @property
    def suite(self) -> str:
        """Name of the suite: the directory that holds the test's file."""
        return self.facts.suite or PurePosixPath(self.nodeid.partition("::")[0]).parent.name

    def add(self, report: pytest.TestReport) -> None:
        """Take one phase's report into account; the first failure is the one that counts."""
        if self.again and (self._over or report.when == "setup") and not hasattr(report, FINAL_ATTRIBUTE):
            self._begin_anew()
        self._over = report.when not in {"setup", "call"}  # a crash has no phase
        self.seconds += report.duration
        self.worker = getattr(report, "worker_id", self.worker)
        self._add_facts(report)
        if report.outcome == RERUN and self._part_failed:
            self.outcome, self.again = "unfinished", True  # what its parts came to was told before
        if self.outcome == "failed":
            return
        if report.failed:
            self._part_failed = hasattr(report, "context")
            self._fail(report)
        elif report.outcome == RERUN:
            if not self.again:
                self.reason, self.details = _first_line_of_failure(report), str(report.longrepr)
            self.again = True
        elif self.again:
            return  # the end of a try that does not count
        elif report.skipped:
            self.outcome = "skipped"
            self.reason = reason_of_skip(report)
        elif report.when == "call" and self.outcome == "unfinished":
            self.outcome = "passed"

    def _fail(self, report: pytest.TestReport) -> None:
        """Let a failure count, and with it what was to be tried again."""
        text = str(report.longrepr)
        self.details = text if self.details in text else f"{self.details}\n{text}"
        self.reason = _first_line_of_failure(report)
        self.outcome, self.again = "failed", False

    def _begin_anew(self) -> None:
        self.retried.append(
            Attempt(
                boards=self.facts.boards,
                verdict=self.facts.verdict,
                reason=self.reason,
                seconds=self.seconds,
                worker=self.worker,
            )
        )
        self.outcome, self.seconds, self.again, self._part_failed = "unfinished", 0.0, False, False
        self.reason = self.details = ""
        self.facts = TestFacts(suite=self.facts.suite, proves=self.facts.proves)

    def _add_facts(self, report: pytest.TestReport) -> None:
        if not hasattr(report, FACTS_ATTRIBUTE):
            return
        before, self.facts = self.facts, TestFacts.of(report)
        if self.outcome == "failed" or (self.again and not report.failed):
            self.facts.verdict, self.facts.console_tail = before.verdict, before.console_tail


def _first_line_of_failure(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longrepr
    lines = str(text).strip().splitlines()
    return lines[0] if lines else ""


def reason_of_skip(report: pytest.TestReport) -> str:
    """Return why a test was skipped, without pytest's decorations."""
    if hasattr(report, "wasxfail"):
        return f"expected failure: {report.wasxfail}".removesuffix(": ")
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return report.longreprtext


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Where every collected test ended up: the four parts always add up to ``collected``.

    :ivar retried: how many tries failed and were followed by another one; they are none of the parts.
    """

    collected: int
    passed: int
    failed: int
    skipped: int
    not_run: int
    retried: int = 0

    def __str__(self) -> str:
        """Return the sum, for the terminal."""
        text = (
            f"{self.collected} collected = {self.passed} passed + {self.failed} failed"
            f" + {self.skipped} skipped + {self.not_run} not run"
        )
        return f"{text}, {self.retried} retried" if self.retried else text


class SessionRecords:
    """Every test that was collected or reported, in the order in which they were first heard of.

    :ivar why_not_run: at the end, why a test came to no outcome, by its id.
    """

    def __init__(self) -> None:
        """Know no test yet."""
        self.why_not_run: dict[str, str] = {}
        self._collected: dict[str, None] = {}
        self._records: dict[str, TestRecord] = {}

    def collect(self, nodeids: Iterable[str]) -> None:
        """Take notice of collected tests; workers collect the same ones, each counts once."""
        self._collected.update(dict.fromkeys(nodeids))

    def add(self, report: pytest.TestReport) -> None:
        """Take one phase's report into account."""
        self._collected.setdefault(report.nodeid)
        record = self._records.setdefault(report.nodeid, TestRecord(nodeid=report.nodeid))
        record.add(report)

    def begun(self, nodeid: str) -> TestRecord | None:
        """Return the record of a test of which anything was heard."""
        return self._records.get(nodeid)

    @property
    def tests(self) -> Sequence[TestRecord]:
        """The tests that ran to an outcome, in the order of their first report."""
        return tuple(record for record in self._records.values() if record.outcome != "unfinished")

    @property
    def not_run(self) -> Sequence[str]:
        """The tests that were collected and came to no outcome."""
        finished = {record.nodeid for record in self.tests}
        return tuple(nodeid for nodeid in self._collected if nodeid not in finished)

    @property
    def retried(self) -> Sequence[tuple[TestRecord, Attempt]]:
        """Each try that was followed by another one, with what became of its test."""
        return tuple((record, attempt) for record in self._records.values() for attempt in record.retried)

    @property
    def unsettled(self) -> Sequence[TestRecord]:
        """The tests that failed, were to be tried again, and came to no other outcome."""
        records = self._records.values()
        return tuple(
            record
            for record in records
            if record.outcome == "unfinished" and (record.again or record.retried)
        )

    @property
    def accounts(self) -> Accounts:
        """Where every test ended up."""
        outcomes = Counter(record.outcome for record in self.tests)
        return Accounts(
            collected=len(self._collected),
            passed=outcomes["passed"],
            failed=outcomes["failed"],
            skipped=outcomes["skipped"],
            not_run=len(self.not_run),
            retried=len(self.retried),
        )
