"""Asking boards who they are: which ports, how long, and what is no answer."""

from __future__ import annotations

import re
import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.console import Console
from harness.console.disciplines import discipline
from harness.errors import CommandRefused, ConsoleTimeout
from harness.inventory.board import Board, Endpoint
from harness.inventory.identity import (
    Answer,
    ConsoleOnDemand,
    ask_boards,
    confirm,
)
from harness.plugins import HarnessPluginManager
from tests.console.conftest import PtyBoard
from tests.inventory.asked_boards import board_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 5.0
SILENT_SECONDS = 0.1


class Asker:
    """A plugin that asks boards of driver ``d`` with ``WHO``; keeps what it was asked to ask.

    :ivar silent: the ports that never answer, for which it does not wait long.
    """

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.together: threading.Barrier | None = None

    def harness_identify_board(self, board: Board, console: Console) -> str | None:
        if board.driver != "d":
            return None
        self.asked.append((board.id, threading.get_ident()))
        if self.together is not None:
            self.together.wait(SECONDS)
        seconds = SILENT_SECONDS if console.url in self.silent else SECONDS
        reply = console.command("WHO", discipline("at-host"), timeout=seconds)
        if reply.final == "ERROR":
            raise CommandRefused("WHO", reply.final)
        return reply.lines[0] if reply.lines else None


@pytest.fixture
def asker() -> Asker:
    """The plugin."""
    return Asker()


@pytest.fixture
def plugins(asker: Asker) -> HarnessPluginManager:
    """Plugins that know how to ask boards of driver ``d``, and nothing else."""
    manager = HarnessPluginManager()
    manager.register(asker, "asker")
    return manager


@pytest.fixture
def line() -> Iterator[Callable[[str | None], PtyBoard]]:
    """Make the far end of a line, which answers each line alike; ``None``: not at all."""
    with ExitStack() as stack:

        def make(answer: str | None) -> PtyBoard:
            board = PtyBoard()
            stack.callback(board.close)
            if answer is not None:
                board.answer(lambda _command: answer.encode())
            return board

        yield make


def test_console_answers(plugins: HarnessPluginManager, line: Callable[..., PtyBoard]) -> None:
    """Who the board is, which port said so, and on which interface that is; other ports hear nothing."""
    console, trace = line("I1\r\nOK\r\n"), line(None)
    board = board_at(console.path, trace.path, ports={console.path: 0, trace.path: 2})

    (answer,) = ask_boards([board], plugins, seconds=SECONDS)

    assert answer == Answer(board=board, identity="I1", url=console.path, interface=0)
    with Console.open(board.endpoints["trace"], name="t", directory=None) as opened:
        opened.write(b"!")
        assert trace.hear(1) == b"!"


@pytest.mark.parametrize("named", [True, False], ids=["of another role", "of no role"])
def test_another_port_answers(
    plugins: HarnessPluginManager, asker: Asker, line: Callable[..., PtyBoard], *, named: bool
) -> None:
    """A board whose console is silent is asked on its other ports, as if each were the console."""
    console, other = line(None), line("I1\r\nOK\r\n")
    asker.silent.add(console.path)
    paths = (console.path, other.path) if named else (console.path,)
    board = board_at(*paths, ports={console.path: 0, other.path: 2})

    (answer,) = ask_boards([board], plugins, seconds=SECONDS)

    assert (answer.identity, answer.url, answer.interface) == ("I1", other.path, 2)
    assert console.hear(5) == b"WHO\r\n"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (None, r"b-console: waited \S+ s for the reply to 'WHO'"),
        ("OK\r\n", r"{path}: what is there speaks as no board of driver d does"),
        ("ERROR\r\n", r"WHO was refused: ERROR"),
        ("a b\r\nOK\r\n", r"{path}: 'a b' is no identity, which has no blanks in it"),
    ],
    ids=["silence", "another dialect", "a refusal", "nonsense"],
)
def test_no_identity_is_a_problem(
    plugins: HarnessPluginManager,
    asker: Asker,
    line: Callable[..., PtyBoard],
    said: str | None,
    problem: str,
) -> None:
    """Why a board did not say who it is; its ports are closed."""
    far = line(said)
    if said is None:
        asker.silent.add(far.path)

    (answer,) = ask_boards([board_at(far.path)], plugins, seconds=SECONDS)

    assert answer.identity is None
    assert re.match(problem.format(path=far.path), answer.problem or "")
    with Console.open(Endpoint(role="console", url=far.path), name="again", directory=None):
        pass


def test_each_port_has_its_own_problem(plugins: HarnessPluginManager, line: Callable[..., PtyBoard]) -> None:
    """One that is gone and one that says no are told one by one."""
    board = board_at("/dev/no-such-port", line("ERROR\r\n").path)

    (answer,) = ask_boards([board], plugins, seconds=SECONDS)

    gone, refused = (answer.problem or "").split("; ")
    assert gone.startswith("b-console: cannot open /dev/no-such-port")
    assert refused == "WHO was refused: ERROR"


def test_board_that_another_program_uses_is_left_alone(
    plugins: HarnessPluginManager, line: Callable[..., PtyBoard]
) -> None:
    """Nothing is sent to the other ports of a board of which one is in use."""
    used, other = line("I1\r\nOK\r\n"), line(None)
    board = board_at(used.path, ports={other.path: 3})

    with Console.open(Endpoint(role="console", url=used.path), name="theirs", directory=None):
        (answer,) = ask_boards([board], plugins, seconds=SECONDS)

    assert answer.problem == f"b-console: {used.path} is in use by another program"
    with Console.open(Endpoint(role="console", url=other.path), name="other", directory=None) as opened:
        opened.write(b"!")
        assert other.hear(1) == b"!"


def test_port_is_asked_once_by_whatever_names(
    plugins: HarnessPluginManager, line: Callable[..., PtyBoard], tmp_path: Any
) -> None:
    """A link that a rig file names and the port that it leads to are one, with one interface."""
    far = line("ERROR\r\n")
    link = tmp_path / "by-id"
    link.symlink_to(far.path)
    board = board_at(str(link), ports={far.path: 4})

    (refused,) = ask_boards([board], plugins, seconds=SECONDS)
    far.close()
    answering = line("I1\r\nOK\r\n")
    link.unlink()
    link.symlink_to(answering.path)
    (answer,) = ask_boards([replace(board, ports={answering.path: 4})], plugins, seconds=SECONDS)

    assert refused.problem == "WHO was refused: ERROR"
    assert (answer.url, answer.interface) == (str(link), 4)


def test_board_of_another_driver_is_not_opened(plugins: HarnessPluginManager) -> None:
    """Nobody knows how to ask it: that is no problem, and its port need not even exist."""
    board = replace(board_at("/dev/no-such-port"), driver="other")

    assert ask_boards([board, replace(board, endpoints={})], plugins) == [
        Answer(board=board),
        Answer(board=replace(board, endpoints={})),
    ]
    assert ask_boards([], plugins) == []


def test_boards_are_asked_at_the_same_time(
    plugins: HarnessPluginManager, asker: Asker, line: Callable[..., PtyBoard]
) -> None:
    """Each question waits until all of them are asked; the answers come in the boards' order."""
    far = [line(f"I{number}\r\nOK\r\n") for number in range(4)]
    asker.together = threading.Barrier(4)

    answers = ask_boards([board_at(one.path, name=one.path) for one in far], plugins, seconds=SECONDS)

    assert [answer.identity for answer in answers] == ["I0", "I1", "I2", "I3"]


def test_defect_of_a_plugin_is_no_answer(plugins: HarnessPluginManager) -> None:
    """What is no error of the harness is not hidden."""

    class Broken:
        def harness_identify_board(self, board: Board) -> str:
            raise ZeroDivisionError(board.id)

    plugins.register(Broken(), "broken")

    with pytest.raises(ZeroDivisionError):
        ask_boards([board_at("/dev/no-such-port")], plugins)


def test_board_without_a_console_is_asked_by_its_first_role(
    plugins: HarnessPluginManager, line: Callable[..., PtyBoard]
) -> None:
    """Which role that is says the profile's alphabet."""
    far = line("I1\r\nOK\r\n")
    board = board_at("/dev/no-such-port", far.path)
    endpoints = {"a": replace(board.endpoints["trace"], role="a"), "b": board.endpoints["console"]}

    (answer,) = ask_boards([replace(board, endpoints=endpoints)], plugins, seconds=SECONDS)

    assert (answer.identity, answer.url) == ("I1", far.path)
    (used,) = confirm([answer], None).boards
    assert used.endpoints == endpoints


@pytest.mark.parametrize(
    ("wait", "sent"),
    [
        (lambda console: console.expect(b"never", timeout=3600), b"!"),
        (lambda console: console.wait_unsolicited("never", timeout=3600), b"!"),
        (lambda console: console.command("WHO", discipline("at-host"), timeout=3600), b"WHO\r\n!"),
    ],
    ids=["expect", "wait_unsolicited", "command"],
)
def test_no_wait_outlasts_the_deadline(
    line: Callable[..., PtyBoard], wait: Callable[[ConsoleOnDemand], object], sent: bytes
) -> None:
    """A plugin that waits for ever ends in time, and nothing more is sent after that."""
    far = line(None)
    console = ConsoleOnDemand(Endpoint(role="console", url=far.path), "b", 0.2)
    try:
        assert not console.used
        with pytest.raises(ConsoleTimeout, match=r"b: waited 0\.\d+ s for"):
            wait(console)
        assert console.used
        with pytest.raises(ConsoleTimeout, match=rf"b: {far.path} gave no answer within 0.2 s"):
            console.command("AGAIN", discipline("at-host"), timeout=1)
        console.write(b"!")
        assert far.hear(len(sent)) == sent
        assert console.position == 0
    finally:
        console.close()


def test_console_that_nobody_used_is_never_opened() -> None:
    """To close it is to do nothing."""
    console = ConsoleOnDemand(Endpoint(role="console", url="/dev/no-such-port"), "b", 1)

    console.close()

    assert not console.used


def test_an_answer_that_nobody_needs_any_more(line: Callable[..., PtyBoard]) -> None:
    """A session that ends waits for the command that was sent, and sends none after it."""
    far = line(None)
    enough = threading.Event()
    console = ConsoleOnDemand(Endpoint(role="console", url=far.path), "b", 60, enough=enough)
    try:
        enough.set()
        with pytest.raises(ConsoleTimeout, match="nobody needs the answer of"):
            console.expect("never", timeout=60)
    finally:
        console.close()
