"""What the controller says of a session: on what it runs, what it would run where, and what did not run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.accounting import lines_of_what_is_left
from harness.pytest_plugin.placement import PLACEMENT_KEY
from harness.pytest_plugin.signals import shorten_traceback
from harness.pytest_plugin.state import NOT_RUN_KEY, USB_LAB, ActiveSession, in_usb_lab

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.inventory.board import Board
    from harness.inventory.identity import Confirmed

ATTACHED_WARNING = "harness: THE BOARDS ARE ATTACHED: this runs on hardware"
USB_LAB_WARNING = "harness: THE BOARDS ARE THOSE OF A VIRTUAL USB LAB: nothing here was run on hardware"
VIRTUAL_WARNING = "harness: THE BOARDS ARE VIRTUAL: nothing here was run on hardware"


class Overview:
    """Header, plan and summary of a session."""

    def __init__(
        self,
        config: pytest.Config,
        session: ActiveSession,
        *,
        left_out: Sequence[Board] = (),
        confirmed: Confirmed | None = None,
        warnings: Sequence[str] = (),
        raw_consoles: Path | None = None,
        found: Sequence[str] = (),
        quarantined: Sequence[str] = (),
    ) -> None:
        """Remember on what the session runs.

        :param left_out: boards that were found and have no worker.
        :param warnings: what the user should know of the leases.
        :param confirmed: what came of looking for the boards and asking them who they are.
        :param raw_consoles: where unredacted console captures are kept, if they are.
        :param quarantined: which boards are left alone for a while, in lines.
        :param found: what dead sessions had left, and what became of it, in lines.
        """
        self._raw_consoles = raw_consoles
        self._found = found
        self._quarantined = quarantined
        self._config = config
        self._session = session
        self._left_out = left_out
        self._confirmed = confirmed
        self._warnings = warnings
        self._interrupted_by_hand = False

    def pytest_report_header(self) -> list[str]:
        """Say on what the session runs, and loudly when it is not hardware."""
        lines = [describe(self._session)]
        if self._left_out:
            lines.append(f"harness: more boards than workers, unused: {count_kinds(self._left_out)}")
        lines += [f"harness: WARNING: {warning}" for warning in self._warnings]
        absent = self._confirmed.absent if self._confirmed is not None else ()
        lines += [f"harness: absent: {one.board.id}: {one.reason}" for one in absent]
        lines += self._who_is_who()
        return [*lines, *self._found, *self._warning()]

    def _who_is_who(self) -> list[str]:
        """Say which boards are left out, and what was found out by asking."""
        if self._confirmed is None:
            return list(self._quarantined)
        left_out = [f"harness: left out: {board.id}: {reason}" for board, reason in self._confirmed.refused]
        return [*self._quarantined, *left_out, *(f"harness: {note}" for note in self._confirmed.notes)]

    def _warning(self) -> list[str]:
        """Say what no reader may miss: that nothing is hardware, or what may happen to the hardware."""
        if any(board.virtual for board in self._session.boards):
            return [VIRTUAL_WARNING]
        rules = "; ".join(f"{name}: {value}" for name, value in self._session.settings.house_rules)
        warning = USB_LAB_WARNING if in_usb_lab() else ATTACHED_WARNING
        return [warning, f"harness: {rules}"] if rules else []

    # -- planning -----------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """With ``--plan`` show which test would run where, and run none."""
        if not self._config.getoption("plan") or session.testsfailed:
            return None
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line("")
            for line in plan_table(session.items):
                reporter.write_line(line)
        return True

    # -- what did not run ---------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note who interrupted: xdist stops after failures by an interrupt of its own class."""
        shorten_traceback(self._config, excinfo)
        self._interrupted_by_hand = excinfo.type is KeyboardInterrupt

    # Innermost, so that it comes after xdist has ended its workers and before the summary is written.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Fail a session that left tests out: it has not passed."""
        try:
            return (yield)
        finally:
            not_run = self._config.stash.get(NOT_RUN_KEY, {})
            stops = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
            if not self._interrupted_by_hand:
                stops.add(pytest.ExitCode.INTERRUPTED)
            if not_run and session.exitstatus in stops:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say on what it ran, and what did not run."""
        not_run = self._config.stash.get(NOT_RUN_KEY, {})
        if not_run:
            terminalreporter.section("tests that did not run", sep="=", red=True)
        for reason in dict.fromkeys(not_run.values()):
            terminalreporter.write_line(f"{reason}:")
            for test in (test for test, why in not_run.items() if why == reason):
                terminalreporter.write_line(test)
        if self._config.getoption("plan"):
            return
        terminalreporter.write_line(describe(self._session))
        for line in (*self._who_is_who(), *self._warning()):
            terminalreporter.write_line(line, yellow=True)
        for line in self._session.story:
            terminalreporter.write_line(f"harness: {line}", yellow=True)
        if self._raw_consoles is not None:
            terminalreporter.write_line(f"harness: console captures, NOT redacted: {self._raw_consoles}")
        for line in self._found:
            terminalreporter.write_line(line, yellow=True)
        if self._session.ledger is not None:
            for line in lines_of_what_is_left(self._session.ledger, self._session.run_id):
                terminalreporter.write_line(line, yellow=True)
        if not_run:
            terminalreporter.write_line(f"not run: {len(not_run)}", red=True)


def describe(session: ActiveSession) -> str:
    """Say in one line on what a session runs."""
    bench = session.settings.bench
    attached = USB_LAB if in_usb_lab() else "ATTACHED"
    kind = "no" if bench is None else attached if bench.kind == "attached" else bench.kind
    number = len(session.boards)
    text = f"harness: {kind}{'' if kind == USB_LAB else ' bench'}, {number} board{'' if number == 1 else 's'}"
    text += f" ({count_kinds(session.boards)})" if session.boards else ""
    backends = ", ".join(
        f"{backend.name}={'fake' if backend.mode == 'fake' else backend.url}"
        for backend in session.backends.values()
    )
    return f"{text}, backends: {backends or 'none'}"


def count_kinds(boards: Iterable[Board]) -> str:
    """Say how many boards of each kind there are."""
    kinds = Counter(board.kind for board in boards)
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))


def plan_table(items: Sequence[pytest.Item]) -> Iterator[str]:
    """Say for each test on which boards it would run, or why it would not."""
    width = max((len(item.nodeid) for item in items), default=0)
    for item in items:
        placement = item.stash[PLACEMENT_KEY]
        if placement.fail is not None:
            where = f"FAILS: {placement.fail}"
        elif placement.skip is not None:
            where = f"SKIPPED: {placement.skip}"
        elif placement.need is None:
            where = "needs no board"
        else:
            where = ", ".join(board.id for board in placement.boards) or "a board that is plugged in late"
            where = where if placement.count == 1 else f"{placement.count} of {where}"
        yield f"{item.nodeid:<{width}}  {where}"
