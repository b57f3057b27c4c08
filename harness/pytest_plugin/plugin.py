"""The pytest plugin's door: options, the fixture ``board``, and who is woken when a bench is asked for.

Idle it costs nearly nothing: nothing heavy is imported here, and no hook of it runs for each test. What
happens in a session with a bench is in :mod:`~harness.pytest_plugin.controller` (the process that the user
started) and :mod:`~harness.pytest_plugin.runner` (each process that runs tests).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

import pytest

from harness.pytest_plugin.options import add_options, is_asked_for
from harness.pytest_plugin.report import add_report_options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.runner import TestRunner

    ExitCode: TypeAlias = int | pytest.ExitCode | None

MARKERS = (
    "board(driver=, kind=, needs=, each=, destructive=, count=): what the test needs of each of its boards",
    "keep_together(name): these tests run one after the other, on one worker",
    "backend(name, needs=): what the test needs of a provisioning service",
    "proves(operation, outcome): the pair that the test proves when it passes",
)
WORKERINPUT_KEY = "harness"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and ini keys of the harness."""
    add_options(parser)
    add_report_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, ExitCode, ExitCode]:
    """Plan in one process: xdist reads the number of workers next; end without a traceback by Ctrl-C.

    A session that cannot begin, though nothing is wrong with what was asked for, ends with 1.
    """
    if config.getoption("plan") and hasattr(config.option, "numprocesses"):
        config.option.numprocesses = 0
    if is_asked_for(config) and not hasattr(config, "workerinput"):
        from harness.pytest_plugin.xdist_options import refuse_loop_on_fail

        refuse_loop_on_fail(config)
    try:
        return (yield)
    except KeyboardInterrupt:
        # For xdist boards are found before there is a session, which would take care of this; and what is
        # given back after one has no session either.
        if not is_asked_for(config):
            raise
        if not hasattr(config, "workerinput"):  # of its workers the controller tells
            sys.stderr.write("harness: interrupted\n")
        return pytest.ExitCode.INTERRUPTED
    except pytest.UsageError as error:
        from harness.errors import HarnessError, UsageError

        if not isinstance(error.__cause__, HarnessError) or isinstance(error.__cause__, UsageError):
            raise
        sys.stderr.write(f"ERROR: {error}\n")
        return pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Give ``-n auto`` the number of boards; they are found now, before pytest configures its plugins."""
    if not is_asked_for(config):
        return None
    from harness.pytest_plugin.controller import prepare

    controller = prepare(config)
    return None if controller is None else max(1, len(controller.boards))


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Redact what a conftest says that cannot be imported: pytest shows it before there is a session."""
    try:
        return (yield)
    except Exception as error:
        if early_config.known_args_namespace.bench or early_config.getini("harness_bench"):
            from harness.pytest_plugin.controller import clean_early_failure

            clean_early_failure(error)
        raise


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and wake the plugin when a bench is asked for."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        if WORKERINPUT_KEY in workerinput:
            from harness.pytest_plugin.worker import begin_worker

            begin_worker(config, workerinput[WORKERINPUT_KEY])
    elif is_asked_for(config):
        from harness.pytest_plugin.controller import begin_controller

        begin_controller(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make tests that ask for a board or a service fail when the plugin is idle, saying what to add."""
    from harness.pytest_plugin.idle import fail_tests_that_need_a_bench

    fail_tests_that_need_a_bench(config, items, our_fixtures=__name__)


@pytest.fixture(scope="session")
def register_secret(pytestconfig: pytest.Config) -> Callable[[str, str], None]:
    """A function of a value and a label: the value is written nowhere from now on, its label instead.

    Call it before the value is used. Without a bench nothing is redacted, and it does nothing.
    """
    from harness.pytest_plugin.state import SESSION_KEY

    session = pytestconfig.stash.get(SESSION_KEY, None)
    return (lambda _value, _label: None) if session is None else session.redactor.add


@pytest.fixture
def board(request: pytest.FixtureRequest) -> Iterator[LeasedBoard]:
    """A board of the bench that fits the test's ``board`` marker, with its driver and its consoles.

    In this session it is in no other test at the same time. After the test its driver puts back what was
    changed; with ``--keep`` a failed test's board stays as it is.
    """
    with _runner(request).lend(request.node) as lent:
        yield lent[0]


@pytest.fixture
def boards(request: pytest.FixtureRequest) -> Iterator[tuple[LeasedBoard, ...]]:
    """As many boards as the test's marker says, ``@pytest.mark.board(count=N)``, in the order of their ids.

    Each of them fits the marker and is lent as ``board`` is.
    """
    with _runner(request).lend(request.node) as lent:
        yield lent


def _runner(request: pytest.FixtureRequest) -> TestRunner:
    from harness.pytest_plugin.idle import NO_BENCH
    from harness.pytest_plugin.runner import RUNNER_KEY

    runner = request.config.stash.get(RUNNER_KEY, None)
    if runner is None:
        pytest.fail(NO_BENCH, pytrace=False)
    return runner
