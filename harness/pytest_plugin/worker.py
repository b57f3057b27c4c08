"""Beginning to run tests: in a worker of xdist, or in the one process that does everything."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import known_backends
from harness.backends.ledger import Ledger
from harness.errors import HarnessError
from harness.plugins import load_plugins
from harness.pytest_plugin.absence import Absences
from harness.pytest_plugin.conftests import ConftestHooks
from harness.pytest_plugin.handover import Handover, lifeline_path
from harness.pytest_plugin.health_setup import look_after_boards_of_worker
from harness.pytest_plugin.internal_errors import InternalErrorTold
from harness.pytest_plugin.live_console import LiveConsole
from harness.pytest_plugin.options import read_settings
from harness.pytest_plugin.report_terminal import guard_streams
from harness.pytest_plugin.retry import StoppingLeftToController
from harness.pytest_plugin.runner import RUNNER_KEY, TestRunner
from harness.pytest_plugin.services import Services
from harness.pytest_plugin.sharding import Sharding
from harness.pytest_plugin.signals import interrupt_once, shorten_traceback
from harness.pytest_plugin.state import SESSION_KEY, ActiveSession
from harness.pytest_plugin.turns import Turns
from harness.pytest_plugin.worker_loop import WorkerLoop
from harness.redaction import Redactor, protect_messages
from harness.redaction.sharing import join_secrets
from harness.session_lifeline import watch_lifeline
from harness.session_lock import SessionLock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.backends.contract import BackendSpec


def begin_worker(config: pytest.Config, handed_over: str) -> None:
    """Take part in the session of a controller.

    :param config: the worker's.
    :param handed_over: what the controller put into ``workerinput``.
    :raises pytest.UsageError: a plugin or a conftest is wrong.
    """
    handover = Handover.from_json(handed_over)
    worker_id: str = config.workerinput["workerid"]  # type: ignore[attr-defined]  # set by xdist
    captures = handover.directory / "captures" / worker_id
    watch_lifeline(lifeline_path(handover.directory), lambda: shutil.rmtree(captures, ignore_errors=True))
    interrupt_once()
    try:
        plugins = load_plugins()
        conftests = ConftestHooks(config, plugins)
        settings = read_settings(config)
        lock = SessionLock(handover.run_id, join=True)
        config.add_cleanup(lock.close)
        ledger = Ledger()
        config.add_cleanup(ledger.close)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(conftests, "harness-conftests")
    session = ActiveSession(
        settings=settings,
        run_id=handover.run_id,
        worker_id=worker_id,
        directory=handover.directory,
        redactor=Redactor.of_plugins(plugins),
        plugins=plugins,
        boards=handover.boards,
        own_boards=() if handover.own_board is None else (handover.own_board,),
        backends={backend.name: backend for backend in handover.backends},
        ledger=ledger,
    )
    protection = ExitStack()
    config.add_cleanup(protection.close)
    protection.enter_context(protect_messages(session.redactor))
    protection.enter_context(closing(join_secrets(session.redactor, handover.secrets)))
    conftests.redactor = session.redactor
    guard_streams(config, session.redactor)
    config.stash[SESSION_KEY] = session
    config.pluginmanager.register(QuickInterrupt(config), "harness-interrupt")
    absences = Absences(session.directory) if handover.watched else None
    begin_running(
        config, session, conftests, known_backends(plugins), replaces=handover.replaces, absences=absences
    )
    look_after_boards_of_worker(config, session)
    if session.settings.rig_retries:
        config.pluginmanager.register(StoppingLeftToController(), "harness-retries")
    loop = WorkerLoop(config, config.stash[RUNNER_KEY], Turns(session.directory), worker_id)
    config.pluginmanager.register(loop, "harness-loop")
    told = InternalErrorTold(config, session.redactor.redact)
    config.pluginmanager.register(told, "harness-internal-errors")
    config.option.maxfail = 0  # the controller counts the failures of all workers, and not each one its own
    begin_reporting(config, session)


class QuickInterrupt:
    """Lets a worker that is interrupted clean up at once."""

    def __init__(self, config: pytest.Config) -> None:
        """Take the worker's configuration."""
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Save pytest the formatting of a traceback that nobody will see."""
        shorten_traceback(self._config, excinfo)


def begin_running(
    config: pytest.Config,
    session: ActiveSession,
    conftests: ConftestHooks,
    specs: Mapping[str, BackendSpec],
    *,
    replaces: str | None = None,
    absences: Absences | None = None,
) -> None:
    """Make fixtures and hooks ready to run tests in this process.

    :param replaces: id of the first worker that had this place, when this one replaces it.
    :param absences: which boards are away, when boards may come and go.
    """
    live = LiveConsole(config) if config.option.capture == "no" else None
    runner = TestRunner(
        session,
        conftests,
        known_backends=frozenset(specs),
        place=replaces or session.worker_id,
        recovers=replaces is not None,
        watches_deadlines=not config.option.usepdb,
        on_console=live.show if live else None,
        absences=absences,
    )
    config.add_cleanup(runner.close)
    services = Services(session, runner, specs.values(), place=replaces or session.worker_id)
    config.add_cleanup(services.close)
    if replaces is not None:
        services.undo_predecessor()
        runner.recover_boards()
    config.stash[RUNNER_KEY] = runner
    config.pluginmanager.register(services.fixtures(), "harness-backend-fixtures")
    config.pluginmanager.register(runner, "harness-runner")
    if session.settings.shard is not None:
        # After the runner, which places the tests: of two that come last the later registered one does.
        config.pluginmanager.register(Sharding(session, *session.settings.shard), "harness-sharding")


def begin_reporting(config: pytest.Config, session: ActiveSession) -> None:
    """Make ready to report in this process; last, so that reports see what all others add.

    :raises pytest.UsageError: an option of reporting does not fit.
    """
    from harness.pytest_plugin.report import register_reports

    try:
        register_reports(config, session)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
