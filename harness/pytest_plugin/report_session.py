"""What the process that the user started makes of all reports: accounts, pairs, summary, environment."""

from __future__ import annotations

import copy
import platform
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness.errors import UsageError
from harness.plugins import ENTRY_POINT_GROUP
from harness.pytest_plugin.internal_errors import internal_error_of
from harness.pytest_plugin.pace import pace_of
from harness.pytest_plugin.report_console import last_lines_of_capture, name_of_console, one_text
from harness.pytest_plugin.report_junit import JunitBook
from harness.pytest_plugin.report_pairs import (
    of_suites,
    proven_pairs,
    read_expected,
    shortcomings,
    table_of_pairs,
)
from harness.pytest_plugin.report_records import (
    FINAL_ATTRIBUTE,
    RERUN,
    UNWRITTEN_ATTRIBUTE,
    BoardUsed,
    SessionRecords,
    TestFacts,
    add_section,
)
from harness.pytest_plugin.report_redaction import clean_junit, clean_report
from harness.pytest_plugin.report_summary import BenchFacts, write_summary
from harness.pytest_plugin.sharding import SHARE_KEY
from harness.pytest_plugin.state import NOT_RUN_KEY, USB_LAB, in_usb_lab
from harness.pytest_plugin.why_not_run import WhyNotRun, note_reasons
from harness.sharding import SHARD_PROPERTY
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from harness.backends.contract import Backend
    from harness.pytest_plugin.distribution import Distribution
    from harness.pytest_plugin.report_allure import AllureReport
    from harness.pytest_plugin.report_records import TestRecord
    from harness.pytest_plugin.state import ActiveSession

DISTRIBUTION = "provisioning-harness"
_OTHERS = ("pytest", "pytest-xdist", "allure-pytest")


class SessionReports:
    """Keeps the accounts of a session and writes what is made of them.

    :ivar records: every test of the session.
    """

    def __init__(self, config: pytest.Config, session: ActiveSession, allure: AllureReport | None) -> None:
        """Read what is expected.

        :raises UsageError: the file of expectations does not fit.
        """
        self.records = SessionRecords()
        self._config = config
        self._session = session
        self._allure = allure
        self._clean = session.redactor.redact
        expected, summary = config.getoption("expected", None), config.getoption("summary", None)
        here = config.invocation_params.dir
        self._expected = of_suites(read_expected(here / expected), config.args) if expected else {}
        self._summary = here / summary if summary else None
        self._shortcomings: list[str] = []
        self._problem = ""
        self._junit = JunitBook(config)
        self._why = WhyNotRun(config)
        self._tried_again: dict[str, pytest.TestReport] = {}
        config.pluginmanager.register(self._junit, "harness-report-junit")
        config.pluginmanager.register(self._why, "harness-why-not-run")

    @property
    def _share(self) -> str:
        """Which part of the tests this is; empty for all."""
        return self._config.stash.get(SHARE_KEY, "")

    @property
    def _runs_nothing(self) -> bool:
        return bool(self._config.option.collectonly or self._config.getoption("plan", default=False))

    # -- gathering ----------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take notice of the tests that were collected in this process."""
        self.records.collect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Take notice of the tests that a worker collected."""
        self.records.collect(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Complete the report of a test whose worker died: where it ran, what the board said last."""
        began = self.records.begun(crashitem)
        facts = TestFacts() if began is None else began.facts
        facts.boards = facts.boards or self._boards_of_lost(crashitem)
        worker = report.node.gateway.id  # set by xdist on reports of a crash
        captures = self._session.directory / "captures" / worker
        tails: dict[str, str] = {}
        for board in facts.boards:
            said = last_lines_of_capture(captures, board.id, self._clean)
            of = len(facts.boards)
            tails |= {name_of_console(board.id, role, of=of): tail for role, tail in said.items()}
        facts.verdict = str(Verdict.SUITE)
        facts.console_tail = one_text(tails)
        error = internal_error_of(report.node)
        if error:
            add_section(report, "internal error", error)
        repeat = f"\nto repeat it: {facts.repeat}" if facts.repeat else ""
        what = "an internal error ended its process" if error else "its process died"
        add_section(report, "verdict", f"{Verdict.SUITE}: {what}{repeat}")
        if facts.console_tail:
            add_section(report, "console tail", facts.console_tail)
        facts.put_on(report)
        report.user_properties += [*facts.properties(), ("verdict", str(Verdict.SUITE))]
        setattr(report, UNWRITTEN_ATTRIBUTE, True)

    def _boards_of_lost(self, test: str) -> list[BoardUsed]:
        """Return the boards of a test whose worker died before it said on which it runs."""
        distribution: Distribution | None = self._config.pluginmanager.get_plugin("harness-distribution")
        ids = () if distribution is None else distribution.scheduler.boards_of_lost(test)
        known = {board.id: board for board in self._session.boards}
        return [BoardUsed.of(known[board_id], self._session.hardware) for board_id in ids]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Redact a report once more, before anybody writes it, and keep the accounts."""
        clean_report(report, self._clean)
        self.records.add(report)
        record = self.records.begun(report.nodeid)
        assert record is not None  # noqa: S101 - it was added above; tells mypy so
        if report.outcome == RERUN and (report.when != "teardown" or report.nodeid not in self._tried_again):
            self._tried_again[report.nodeid] = report
        if report.when not in {"setup", "call"}:  # with it JUnit's test case is complete
            report.user_properties += [("retried", str(attempt)) for attempt in record.retried]
        if hasattr(report, UNWRITTEN_ATTRIBUTE) and self._allure is not None:
            self._allure.add_lost_test(record)

    # Outermost: nobody reports a test after us.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Let failures count after all, before pytest looks how many there are.

        After an interruption that is done at the end: workers may have said more by then.
        """
        result = yield
        self._settle()
        return result

    def _settle(self) -> None:
        """Let failures count that were to be followed by another try, when none came to an end."""
        for record in self.records.unsettled:
            self._let_count(self._tried_again.pop(record.nodeid))

    def _let_count(self, report: pytest.TestReport) -> None:
        end = copy.copy(report)
        report.outcome = "failed"
        end.outcome, end.when, end.longrepr, end.sections, end.duration = "passed", "teardown", None, [], 0.0
        add_section(report, "tried again", "to no outcome: the session ended before")
        vars(report).pop(UNWRITTEN_ATTRIBUTE, None)  # Allure has this try
        vars(end).pop(UNWRITTEN_ATTRIBUTE, None)
        setattr(report, FINAL_ATTRIBUTE, True)
        hook = self._config.hook
        hook.pytest_runtest_logreport(report=report)
        if report.when in {"setup", "call"}:
            hook.pytest_runtest_logreport(report=end)

    # -- the end ------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write everything, and fail the session when it falls short of what was expected."""
        if not self._runs_nothing:
            self._why.hear_out()
            self._settle()
            self._account_for_tests_not_run(session)
        self._tell_junit()
        clean_junit(self._config, self._clean)
        if self._runs_nothing:
            return
        facts = replace(bench_facts(self._session, shard=self._share), pace=pace_of(self._config))
        if self._allure is not None:
            self._allure.write_environment(environment(facts))
        if self._summary is not None:
            try:
                write_summary(self._summary, facts, self.records, self._clean)
            except UsageError as error:
                self._problem = str(error)
        self._shortcomings = shortcomings(self._expected, self.records.tests)
        passed = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
        if passed and (self._shortcomings or self._problem):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _account_for_tests_not_run(self, session: pytest.Session) -> None:
        note_reasons(self.records, self._clean(self._why.reason(session)))
        self._config.stash[NOT_RUN_KEY] = self.records.why_not_run
        for nodeid, reason in self.records.why_not_run.items():
            self._junit.add_test_not_run(nodeid, reason)
            if self._allure is not None:
                self._allure.add_test_not_run(nodeid, reason, self.records.begun(nodeid))

    def _tell_junit(self) -> None:
        """Say what the session was allowed to do with hardware, and what became of its tests."""
        rules = self._session.settings.house_rules
        lab = [("bench", USB_LAB)] if rules and in_usb_lab() else []
        accounts = [] if self._runs_nothing else [("accounts", str(self.records.accounts))]
        story = [("boards", line) for line in self._session.story]
        shard = [(SHARD_PROPERTY, self._share)] if self._share else []
        for name, value in (("run_id", self._session.run_id), *accounts, *shard, *lab, *rules, *story):
            self._junit.add_property(name, value)
        self._junit.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what was proven, the accounts, where everything is, and what falls short."""
        if self._runs_nothing:
            return
        write = terminalreporter.write_line
        pairs = proven_pairs(self.records.tests)
        if pairs:
            terminalreporter.section("what was proven", sep="=")
            for line in table_of_pairs(pairs):
                write(line)
        terminalreporter.section("accounts", sep="=")
        write(str(self.records.accounts))
        pace = pace_of(self._config)
        if pace is not None:
            write(str(pace))
        for record, attempt in self.records.retried:
            write(f"retried: {record.nodeid}: {attempt}; {in_the_end(record)}", yellow=True)
        for name, place in self._places():
            write(f"{name}: {place}")
        if self._shortcomings or self._problem:
            terminalreporter.section(
                "less than expected" if self._shortcomings else "reports", sep="=", red=True
            )
        for line in (*self._shortcomings, *filter(None, [self._problem])):
            write(line, red=True)

    def _places(self) -> Iterator[tuple[str, Path]]:
        if self._allure is not None:
            yield "Allure results", self._allure.directory
        if self._summary is not None and not self._problem:
            yield "Summary", self._summary
        junit = self._config.getoption("xmlpath", None)
        if junit:
            yield "JUnit", Path(junit).absolute()


def bench_facts(session: ActiveSession, *, shard: str = "") -> BenchFacts:
    """Return on what a session ran.

    :param shard: which part of the tests it had; empty for all.
    """
    bench = session.settings.bench
    return BenchFacts(
        bench=bench.kind if bench is not None else "no",
        boards=tuple((board.id, board.kind) for board in session.boards),
        backends=tuple(
            (name, _with_remarks(backend), _without_user(backend.url))
            for name, backend in session.backends.items()
        ),
        versions=tuple(versions()),
        rules=session.settings.house_rules,
        usb_lab=in_usb_lab(),
        story=tuple(session.story),
        shard=shard,
    )


def in_the_end(record: TestRecord) -> str:
    """Say what became of a test that was tried several times."""
    boards = ", ".join(board.id for board in record.facts.boards)
    outcome = "not run again to its end" if record.outcome == "unfinished" else f"then {record.outcome}"
    return f"{outcome} on {boards}" if boards else outcome


def _with_remarks(backend: Backend) -> str:
    return backend.mode + "".join(f" ({remark})" for remark in backend.remarks)


def versions() -> Iterator[tuple[str, str]]:
    """Give the versions of Python, of the harness, of its plugins and of what reports depend on."""
    yield "python", platform.python_version()
    plugins = {point.dist.name for point in entry_points(group=ENTRY_POINT_GROUP) if point.dist is not None}
    for name in dict.fromkeys((DISTRIBUTION, *sorted(plugins), *_OTHERS)):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def environment(facts: BenchFacts) -> Iterator[tuple[str, str]]:
    """Give what the whole run has in common, for Allure's environment."""
    number = f"{len(facts.boards)} board{'' if len(facts.boards) == 1 else 's'}"
    yield "bench", f"{facts.title} ({number}{'' if facts.on_hardware else ', all simulated, no hardware'})"
    yield "boards", ", ".join(f"{name} ({kind})" for name, kind in facts.boards)
    if facts.shard:
        yield SHARD_PROPERTY, facts.shard
    for name, value in facts.rules:
        yield name.replace(" ", "-"), value
    for number_of_line, line in enumerate(facts.story, 1):
        yield f"boards.{number_of_line}", line
    for name, mode, url in facts.backends:
        yield f"backend.{name}", f"{mode} at {url}"
    yield from facts.versions


def _without_user(url: str) -> str:
    """Return an address without user and password, should it have them."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
