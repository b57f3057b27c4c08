"""The process that the user started: it owns bench, boards, leases and fakes, and cleans up after all.

Everything is held by one stack and given back in reverse order however the session ends; what a SIGKILL
leaves to others ends by the lifeline.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, known_backends
from harness.backends.elsewhere import backend_elsewhere
from harness.config import BenchChoice, BoardsWanted
from harness.errors import HarnessError, UsageError
from harness.inventory.identity import Confirmed
from harness.inventory.leases import Leases
from harness.plugins import load_object, load_plugins
from harness.pytest_plugin import selection
from harness.pytest_plugin.conftests import ConftestHooks
from harness.pytest_plugin.handover import lifeline_path
from harness.pytest_plugin.lease_notes import LeaseNotes, boards_in_this_process, tell_on_terminal
from harness.pytest_plugin.options import read_settings
from harness.pytest_plugin.signals import interrupt_on_termination
from harness.pytest_plugin.state import CONTROLLER, MAIN_WORKER, SESSION_KEY, ActiveSession
from harness.redaction import Redactor, protect_messages
from harness.redaction.sharing import SharedSecrets, share_secrets
from harness.session_directory import SessionDirectory, new_run_id
from harness.session_lifeline import Lifeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.backends.ledger import Ledger
    from harness.config import Settings
    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.plugins import HarnessPluginManager


class Controller:
    """What a session owns.

    :ivar run_id: id of the run.
    :ivar boards: the boards of the session, in identity order.
    :ivar left_out: boards that were leased and then given back because no worker would use them.
    :ivar backends: the services in use, by name.
    :ivar leases: the leases of the boards.
    :ivar confirmed: what came of looking for attached boards and asking them who they are.
    :ivar ledger: what is made in services and changed on boards; ``None`` when nothing is run.
    :ivar found: what dead sessions had left, and what became of it.
    :ivar quarantined: which boards are left alone for a while, in lines for the header.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        """Own nothing yet; see :meth:`open`."""
        self.settings = settings
        self.run_id = new_run_id()
        self.boards: tuple[Board, ...] = ()
        self.left_out: tuple[Board, ...] = ()
        self.backends: dict[str, Backend] = {}
        self.ledger: Ledger | None = None
        self.found: list[str] = []
        self.quarantined: list[str] = []
        self._config = config
        # Of a bench of our own --boards says what it hosts, of one that runs what we take.
        bench = settings.bench
        own_bench = bench is not None and bench.kind == "virtual" and bench.socket is None
        self._wanted = BoardsWanted() if own_bench else settings.boards
        self._resources = ExitStack()
        self.leases = Leases(self.run_id, tell=tell_on_terminal)
        rig = settings.rig
        self.plugins: HarnessPluginManager = (
            load_plugins(rig.plugins, source=rig.file) if rig is not None else load_plugins()
        )
        self.confirmed: Confirmed | None = None
        self.conftests = ConftestHooks(config, self.plugins)
        config.pluginmanager.register(self.conftests, "harness-conftests")
        self.specs = known_backends(self.plugins)
        self.redactor = self.conftests.redactor = Redactor.of_plugins(self.plugins)
        self.directory: Path
        self.secrets: SharedSecrets

    @property
    def runs_nothing(self) -> bool:
        """Whether tests are collected only."""
        return bool(self._config.option.collectonly or self._config.getoption("plan"))

    @property
    def on_hardware(self) -> bool:
        """Whether the boards are attached, and may go away and come back by themselves."""
        return self.settings.bench is not None and self.settings.bench.kind == "attached"

    def open(self) -> None:
        """Start or attach to the bench, find the boards and lease them, start the fakes.

        :raises HarnessError: anything of it is impossible; what was opened is closed again.
        """
        from harness.pytest_plugin.accounting import Accounting

        bench = self.settings.bench
        assert bench is not None  # noqa: S101 - the caller looked; tells mypy so
        self._refuse_backends_out_of_reach()
        with ExitStack() as undo:
            undo.callback(self.close)
            if self.settings.rig is not None:
                self._resources.enter_context(self.settings.rig.in_force())
            self._resources.enter_context(protect_messages(self.redactor))
            self._make_directory()
            self.secrets = share_secrets(self.redactor, self.directory)
            self._resources.callback(self.secrets.close)
            accounting = Accounting(self.run_id)
            if not self.runs_nothing:
                self.ledger = self._resources.enter_context(accounting)
            interrupt_on_termination(self._resources)
            lifeline = Lifeline(lifeline_path(self.directory))
            self._resources.callback(lifeline.close)
            if bench.kind == "virtual" and bench.socket is None:
                bench = self._start_bench(lifeline)
                self.settings = replace(self.settings, bench=bench)
            self._choose_boards()
            if not self.runs_nothing:
                self._start_backends(lifeline)
                running = [(self.specs[name], backend) for name, backend in self.backends.items()]
                if not self.settings.dry_run:
                    self.found = accounting.undo_what_the_dead_left(self.boards, running, self.redactor.add)
            undo.pop_all()

    def close(self) -> None:
        """Give everything back, in reverse order; idempotent."""
        self._resources.close()

    def _make_directory(self) -> None:
        directory = SessionDirectory(self.run_id)
        self.directory = directory.path
        self._resources.callback(directory.close, keep=self.raw_consoles)

    @property
    def raw_consoles(self) -> Path | None:
        """Where the unredacted console captures are to be kept, if they are."""
        if not self.settings.keep_raw_console:
            return None
        return self._config.invocation_params.dir / f"raw-console-{self.run_id}"

    def _start_bench(self, lifeline: Lifeline) -> BenchChoice:
        from harness.virtual.launcher import start_bench

        known = [kind for kinds in self.plugins.hook.harness_virtual_boards() for kind in kinds]
        kinds = selection.kinds_to_start(
            self.settings.boards,
            [kind.kind for kind in known],
            by_name=selection.kinds_by_name(known, self.settings.backends),
        )
        running = start_bench(
            self.directory / "bench",
            [(kind, None, {}) for kind in kinds],
            lifeline=lifeline.path,
            environment=environment_of_others(self.redactor),
        )
        self._resources.callback(running.close)
        return BenchChoice(kind="virtual", socket=running.socket)

    def _choose_boards(self) -> None:
        found = [
            board.granted(allow_destructive=self.settings.allow_destructive)
            for boards in self.plugins.hook.harness_discover_boards(settings=self.settings)
            for board in boards
        ]
        seen = self._survey()
        if seen is not None:
            self.confirmed = Confirmed(boards=(), was={}, absent=seen.absent)
        settings = replace(self.settings, boards=self._wanted)
        found = self._leave_quarantined_alone(found, settings)
        if self.runs_nothing:
            self.boards = selection.choose(self._wanted, selection.candidates(settings, found, seen))
            return
        self._resources.callback(self.leases.close)
        if settings.bench is not None and settings.bench.kind == "attached":
            self._confirm_boards(settings, found, seen)
        else:
            candidates = selection.candidates(settings, found, seen)
            selection.lease(self._wanted, candidates, self.leases, deadline=settings.lease_deadline)
            self.boards = self.leases.boards

    def _leave_quarantined_alone(self, found: list[Board], settings: Settings) -> list[Board]:
        from harness.pytest_plugin.quarantining import leave_alone

        left = leave_alone(found, settings, datetime.now(UTC))
        self.quarantined = left.lines
        return list(left.boards)

    def _confirm_boards(self, settings: Settings, found: list[Board], seen: Survey | None) -> None:
        """Ask the boards that are there who they are, before the first test."""
        from harness.inventory.confirmation import Confirmation
        from harness.pytest_plugin.confirming import choose_attached
        from harness.pytest_plugin.quarantining import why_quarantined
        from harness.pytest_plugin.reviving import Reviver

        confirmation = Confirmation(
            plugins=self.plugins,
            rig=settings.rig,
            leases=self.leases,
            objection=lambda board: why_quarantined(board, datetime.now(UTC)),
            revive=Reviver(self.plugins, self._attached_boards, tell=self._tell_redacted).revive,
        )
        self.boards = choose_attached(settings, found, seen, confirmation)
        self.confirmed = confirmation.result

    def _survey(self) -> Survey | None:
        """Look for what is not there, for messages: absent boards, and ports of nobody."""
        if self.settings.bench is None or self.settings.bench.kind == "virtual":
            return None
        from harness.inventory.builtin import survey

        return survey(self.plugins, self.settings.rig)

    def _tell_redacted(self, line: str) -> None:
        """Say on the terminal what boards and switches may have said; nobody guards it yet."""
        tell_on_terminal(self.redactor.redact(line))

    def _attached_boards(self) -> Sequence[Board]:
        seen = self._survey()
        return () if seen is None else seen.boards

    def limit_boards(self, workers: int) -> None:
        """Give back the boards that no worker would use."""
        self.boards, self.left_out = self.boards[:workers], self.boards[workers:]
        for board in self.left_out:
            self.leases.release(board)

    def _refuse_backends_out_of_reach(self) -> None:
        for name, choice in self.settings.backends.items():
            spec = self.specs.get(name)
            if spec is None:
                raise UsageError(
                    "no such backend",
                    key="--backend",
                    value=name,
                    expected=selection.nearest_of(name, self.specs) or "an installed plugin that has it",
                )
            if choice.mode != "fake":
                backend = backend_elsewhere(spec, choice)
                if spec.access is not None and not self.runs_nothing:
                    load_object(spec.access)(backend)  # now, once, and not in every test

    def _start_backends(self, lifeline: Lifeline) -> None:
        for name, choice in self.settings.backends.items():
            spec = self.specs[name]
            if choice.mode == "fake":
                from harness.backends.launcher import start_fake

                running = start_fake(
                    spec,
                    self.directory / "fakes",
                    lifeline=lifeline.path,
                    environment=environment_of_others(self.redactor),
                )
                self._resources.callback(running.close)
                self.backends[name] = running.backend
            else:
                self.backends[name] = backend_elsewhere(spec, choice)

    def planned_backends(self) -> dict[str, Backend]:
        """Return the services in use; of a session that runs nothing those that would be."""
        if not self.runs_nothing:
            return self.backends
        planned = {}
        for name, choice in self.settings.backends.items():
            spec = self.specs[name]
            if choice.mode == "fake":
                planned[name] = Backend(name=name, mode="fake", url="", capabilities=spec.capabilities)
            else:
                planned[name] = backend_elsewhere(spec, choice)
        return planned


def environment_of_others(redactor: Redactor) -> dict[str, str]:
    """Return the environment for bench and fakes, which need no secret that is in ours."""
    return {name: value for name, value in os.environ.items() if redactor.redact(value) is value}


def clean_early_failure(error: BaseException) -> None:
    """Redact what failed before there was a session, as far as plugins and the environment tell what to."""
    from harness.pytest_plugin.report_redaction import clean_exception

    try:
        redactor = Redactor.of_plugins(load_plugins())
    except HarnessError:  # a plugin is broken, too; what is a secret everywhere is taken out all the same
        redactor = Redactor()
    clean_exception(error, redactor.redact)


CONTROLLER_KEY = pytest.StashKey[Controller]()
"""On ``config``: what the session owns; missing in workers and in an idle session."""


def prepare(config: pytest.Config) -> Controller | None:
    """Open the session, once; ``None`` when no bench is asked for.

    :raises pytest.UsageError: an option does not fit, or no board was found; or, with another cause than our
        own usage error, what the user asked for is right and cannot be had now.
    """
    if CONTROLLER_KEY in config.stash:
        return config.stash[CONTROLLER_KEY]
    try:
        settings = read_settings(config)
        if settings.bench is None:
            return None
        controller = Controller(config, settings)
        config.add_cleanup(controller.close)
        controller.open()
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[CONTROLLER_KEY] = controller
    return controller


def begin_controller(config: pytest.Config) -> None:
    """Begin the session in the process that the user started.

    :raises pytest.UsageError: see :func:`prepare`; or options of xdist that do not fit.
    """
    controller = prepare(config)
    if controller is None:
        return
    from harness.pytest_plugin.absence import Absences
    from harness.pytest_plugin.course_setup import begin_course_in_this_process, begin_course_with_workers
    from harness.pytest_plugin.overview import Overview
    from harness.pytest_plugin.past import begin_past
    from harness.pytest_plugin.report_terminal import guard_streams
    from harness.pytest_plugin.runner import RUNNER_KEY
    from harness.pytest_plugin.sharding import ShardReport
    from harness.pytest_plugin.worker import begin_reporting, begin_running
    from harness.pytest_plugin.xdist_options import number_of_workers

    guard_streams(config, controller.redactor)
    workers = number_of_workers(config)
    if workers:
        controller.limit_boards(workers)
    session = ActiveSession(
        settings=controller.settings,
        run_id=controller.run_id,
        worker_id=CONTROLLER if workers else MAIN_WORKER,
        directory=controller.directory,
        redactor=controller.redactor,
        plugins=controller.plugins,
        boards=controller.boards,
        own_boards=() if workers else controller.boards,
        backends=controller.planned_backends(),
        ledger=controller.ledger,
        shared_secrets=controller.secrets.path,
    )
    config.stash[SESSION_KEY] = session
    watched = not controller.runs_nothing and controller.on_hardware
    overview = Overview(
        config,
        session,
        left_out=controller.left_out,
        confirmed=controller.confirmed,
        warnings=controller.leases.warnings,
        raw_consoles=controller.raw_consoles,
        found=controller.found,
        quarantined=controller.quarantined,
    )
    config.pluginmanager.register(overview, "harness-overview")
    boards_of_test: Callable[[str], Sequence[str]]
    if workers:
        boards_of_test = begin_course_with_workers(config, session, controller.leases, watched=watched)
    else:
        absences = Absences(session.directory) if watched else None
        begin_running(config, session, controller.conftests, controller.specs, absences=absences)
        boards_of_test = boards_in_this_process(config.stash[RUNNER_KEY])
        if not controller.runs_nothing:
            begin_course_in_this_process(config, session, controller.leases, watched=watched)
    notes = LeaseNotes(controller.leases, boards_of_test, session.board_of_worker)
    config.pluginmanager.register(notes, "harness-lease-notes")
    if not controller.runs_nothing:
        begin_past(config, session)
    begin_reporting(config, session)
    if session.settings.shard is not None:
        # After those who write reports: they ask what this session's share was.
        report = ShardReport(config, session, *session.settings.shard)
        config.pluginmanager.register(report, "harness-shard-report")
