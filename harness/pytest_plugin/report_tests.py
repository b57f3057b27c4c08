"""What a process that runs tests adds to each report: facts, verdict, console tail, how to repeat it.

Everything is redacted here, in the worker, before a report is serialised.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.config import RESERVED_SEC_TAGS
from harness.errors import BoardFault
from harness.pytest_plugin.report_console import name_of_console, one_text, slices
from harness.pytest_plugin.report_evidence import console_marks
from harness.pytest_plugin.report_pairs import pairs_of
from harness.pytest_plugin.report_records import UNWRITTEN_ATTRIBUTE, BoardUsed, TestFacts, add_section
from harness.pytest_plugin.report_redaction import clean_report
from harness.pytest_plugin.state import EXCHANGES_KEY, boards_used
from harness.verdicts import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from harness.console.console import Console
    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.report_allure import AllureReport
    from harness.pytest_plugin.state import ActiveSession

VERDICT_KEY = pytest.StashKey["Verdict"]()
"""On ``item``: the verdict of its first failed phase."""
_REPEAT_KEY = pytest.StashKey[tuple[tuple[str, ...], str]]()
"""On ``item``: the boards that it had, and the line that repeats it on such boards."""

_NOTHING: Final = re.compile(rb"(?!)")
FAILED_CHECKS: tuple[type[BaseException], ...] = (AssertionError, pytest.fail.Exception)


class TestReports:
    """Adds to each test's reports what is known of board, service and blame."""

    __test__ = False

    def __init__(self, config: pytest.Config, session: ActiveSession, allure: AllureReport | None) -> None:
        """Report the tests of a session.

        :param allure: where steps and attachments go; ``None`` without ``--alluredir``.
        """
        self._config = config
        self._session = session
        self._allure = allure
        self._clean = session.redactor.redact

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Collect the steps of a test while it runs."""
        if self._allure is None:
            return (yield)
        with self._allure.collecting():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Complete a report when every other plugin has had its say, an expected failure for one."""
        report = yield
        if report.when == "setup" and VERDICT_KEY in item.stash:
            del item.stash[VERDICT_KEY]  # of a try before this one
        boards, facts = self._complete(item, call, report)
        if self._allure is not None:
            self._allure.phase_ended(item, report, facts, boards)
        return report

    def complete_late(self, item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
        """Complete the report of a tear-down that failed when everything else of its test was reported."""
        self._complete(item, call, report)
        setattr(report, UNWRITTEN_ATTRIBUTE, True)

    def _complete(
        self, item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport
    ) -> tuple[Sequence[LeasedBoard], TestFacts]:
        boards = boards_used(item)
        facts = self._facts(item, boards)
        if report.failed:
            facts.console_tail = self._console_tail(item, boards)  # before the boards are asked how they are
            verdict = self._judge(item, call, boards)
            item.stash.setdefault(VERDICT_KEY, verdict)
            facts.verdict = str(verdict)
            if verdict is Verdict.RIG and call.excinfo is not None:
                facts.faulty = faulty_board(boards, str(call.excinfo.value))
            add_section(report, "verdict", describe(verdict, facts))
            if facts.console_tail:
                add_section(report, "console tail", facts.console_tail)
        self._set_properties(item, report, facts)
        facts.put_on(report)
        clean_report(report, self._clean)
        return boards, facts

    def _facts(self, item: pytest.Item, boards: Sequence[LeasedBoard]) -> TestFacts:
        return TestFacts(
            suite=item.path.parent.name,
            boards=[
                BoardUsed.of(board.description, self._session.hardware, board.remarks) for board in boards
            ],
            backends=[f"{name}={backend.mode}" for name, backend in sorted(self._backends_of(item).items())],
            proves=pairs_of(item),
            repeat=self._how_to_repeat(item, boards),
        )

    def _backends_of(self, item: pytest.Item) -> Mapping[str, Any]:
        names = getattr(item, "fixturenames", ())
        return {name: backend for name, backend in self._session.backends.items() if name in names}

    def _judge(self, item: pytest.Item, call: pytest.CallInfo[Any], boards: Sequence[LeasedBoard]) -> Verdict:
        if call.excinfo is None:  # nothing was raised: an expectation of the suite is out of date
            return Verdict.SUITE
        return judge(
            call.excinfo.value,
            board_answers=(lambda: all(map(board_answers, boards))) if boards else None,
            used_a_backend=bool(item.stash.get(EXCHANGES_KEY, None)),
            failed_checks=FAILED_CHECKS,
        )

    def _console_tail(self, item: pytest.Item, boards: Sequence[LeasedBoard]) -> str:
        tails: dict[str, str] = {}
        for board in boards:
            said = slices(board.open_consoles, console_marks(item, board), self._clean)
            tails |= {name_of_console(board.id, each.role, of=len(boards)): each.tail for each in said}
        return one_text(tails)

    def _set_properties(self, item: pytest.Item, report: pytest.TestReport, facts: TestFacts) -> None:
        """Say it to JUnit: these are a test case's properties there."""
        properties = facts.properties()
        verdict = item.stash.get(VERDICT_KEY, None)
        if verdict is not None:
            properties.append(("verdict", str(verdict)))
        known = set(map(repr, report.user_properties))
        report.user_properties += [each for each in properties if repr(each) not in known]

    def _how_to_repeat(self, item: pytest.Item, boards: Sequence[LeasedBoard]) -> str:
        """Return the same line for each phase of a try: making it takes longer than all else of a report."""
        ids = tuple(board.id for board in boards)
        known = item.stash.get(_REPEAT_KEY, None)
        if known is None or known[0] != ids:
            known = item.stash[_REPEAT_KEY] = (ids, self.command_line(item, boards))
        return known[1]

    def command_line(self, item: pytest.Item, boards: Sequence[LeasedBoard]) -> str:
        """Return what to paste to repeat a test: the same kinds of board or the very boards, and seed."""
        settings = self._session.settings
        file, _, rest = item.nodeid.partition("::")
        where = os.path.relpath(self._config.rootpath / file, self._config.invocation_params.dir)
        words = ["pytest", f"{where}::{rest}" if rest else where]
        if settings.bench is not None:
            words += ["--bench", settings.bench.kind]
        kinds = Counter(board.kind for board in boards if board.description.virtual)
        if kinds:
            words += ["--boards", ",".join(f"{kind}={number}" for kind, number in kinds.items())]
        hardware = [board.id for board in boards if not board.description.virtual]
        for board_id in hardware:
            words += ["--board", board_id]
        words += self._hardware_options() if hardware else ()
        for name, choice in sorted(settings.backends.items()):
            words += ["--backend", f"{name}={choice.url or choice.mode}"]
        if self._config.pluginmanager.hasplugin("randomly"):
            words.append(f"--randomly-seed={self._config.getoption('randomly_seed')}")
        # Each word by itself first: quoted for the shell a secret has another form.
        return self._clean(shlex.join(map(self._clean, words)))

    def _hardware_options(self) -> Iterator[str]:
        """Give the options by which the same hardware may be used in the same way."""
        settings = self._session.settings
        if settings.rig is not None:
            yield from ("--rig", os.path.relpath(settings.rig.file, self._config.invocation_params.dir))
        if settings.sec_tags != RESERVED_SEC_TAGS:
            yield from ("--sec-tags", f"{settings.sec_tags[0]}-{settings.sec_tags[-1]}")
        if settings.allow_destructive:
            yield "--allow-destructive"


def describe(verdict: Verdict, facts: TestFacts) -> str:
    """Return the text of a failed report's section: who is to blame, where it ran, how to repeat it."""
    where = [f"board {board.id} ({board.kind}, {board.bench})" for board in facts.boards] + facts.backends
    lines = [f"{verdict}: {verdict.meaning}", ", ".join(where), f"to repeat it: {facts.repeat}"]
    return "\n".join(line for line in lines if line)


def faulty_board(boards: Sequence[LeasedBoard], message: str) -> str:
    """Return the id of the board of a test that failed: one that went away, or that the message names.

    :return: empty when none can be told.
    """
    gone = [board.id for board in boards if board.lost is not None]
    named = [board.id for board in boards if board.id in message]
    return max(gone or named, key=len, default="")  # one id may be the beginning of another


def board_answers(board: LeasedBoard) -> bool:
    """Ask a board whether it is alive: its driver's ``health()`` if it has one, else its open consoles.

    :raises HarnessError: it cannot be asked.
    """
    probe = getattr(board.made_driver, "health", None)
    if probe is not None:
        return bool(probe())
    for console in board.open_consoles.values():
        _look_at(console)
    return True


def _look_at(console: Console) -> None:
    console.position  # noqa: B018 - reads what is there, and so finds out whether the port went away
    with suppress(BoardFault):  # nothing came, of course; but the port is there
        console.expect(_NOTHING, timeout=0, reason="looking whether the port is there")
