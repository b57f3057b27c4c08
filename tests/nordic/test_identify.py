"""Asking an nRF91 who it is: what it answers is found in whatever else comes, and nothing else is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.console import Console
from harness.errors import ConsoleTimeout
from harness.inventory.board import Board, Endpoint
from harness_nordic.identify import ATTEMPTS, identify, imeis_in, is_checked
from harness_nordic.plugin import harness_identify_board
from tests.console.conftest import PtyBoard
from tests.nordic.paper_shell import PaperShell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMEI = "359404230261381"  # the fact sheet's own example
UNCHECKED = "359404230261380"
OK = b"OK\r\n"
NRF91 = Board(id="b1", kind="nrf9151dk", driver="nrf91")


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    """The far end of a line."""
    board = PtyBoard()
    yield board
    board.close()


@pytest.fixture
def console(board: PtyBoard) -> Iterator[Console]:
    """A console of the line."""
    with Console.open(Endpoint(role="console", url=board.path), name="b1", directory=None) as console:
        yield console


def in_turn(heard: list[bytes], *answers: bytes) -> Callable[[bytes], bytes]:
    """Answer each line with the next of some answers, the last one for ever; keep what was heard."""

    def respond(line: bytes) -> bytes:
        heard.append(line.strip())
        return answers[min(len(heard), len(answers)) - 1]

    return respond


@pytest.mark.parametrize(
    ("answers", "times"),
    [
        ([f"\n{IMEI}\r\nOK\r\n"], 1),
        ([f"AT+CGSN\r\r\n{IMEI}\r\n\r\nOK\r\n"], 1),
        ([f'\r\n+CGSN: "{IMEI}"\r\n\r\nOK\r\n'], 1),
        ([f"\r\n*** Booting nRF Connect SDK v2.9.1-60d0d6c8 ***\r\nReady\r\n\n{IMEI}\r\nOK\r\n"], 1),
        ([f"\x1b[0m\x00\x7f~{IMEI}\r\nOK\r\n"], 1),
        ([f'\r\n+CEREG: 5,"76C1","0102DA04",7\r\n\n{IMEI}\r\n%CESQ: 54,2,15,2\r\nOK\r\n'], 1),
        (["ERROR\r\n", f"\n{IMEI}\r\nOK\r\n"], 2),
        (["\nOK\r\n", f"\n{IMEI}\r\nOK\r\n"], 2),
        ([f"\n{UNCHECKED}\r\nOK\r\n"], 2),
        ([f"\n{UNCHECKED}\r\nOK\r\n", f"\n{IMEI}\r\nOK\r\n"], 2),
        ([f"\n{IMEI}\r\nERROR\r\n", f"\n{IMEI}\r\nOK\r\n"], 2),
        ([f"\n490154203237518\r\n{IMEI}\r\nOK\r\n", f"\n{IMEI}\r\nOK\r\n"], 2),
    ],
    ids=[
        "at host",
        "echo",
        "named",
        "boot banner",
        "noise on its line",
        "unsolicited lines",
        "half a command was typed before",
        "reply of somebody else's command",
        "no check digit, said twice",
        "a digit was lost once",
        "refused once",
        "two numbers at once",
    ],
)
def test_imei_is_found(board: PtyBoard, console: Console, answers: list[str], times: int) -> None:
    """The one IMEI that the board answers, asked as often as that takes."""
    heard: list[bytes] = []
    board.answer(in_turn(heard, *(answer.encode("latin-1") for answer in answers)))

    expected = UNCHECKED if answers == [f"\n{UNCHECKED}\r\nOK\r\n"] else IMEI

    assert harness_identify_board(NRF91, console) == expected
    assert heard == [b"AT+CGSN"] * times


@pytest.mark.parametrize(
    "answer",
    [b"ERROR\r\n", b"+CME ERROR: 0\r\n", b"\r\nnoise\r\nOK\r\n", b"8945020187654321098\r\nOK\r\n"],
    ids=["error", "numbered", "no number", "a longer number"],
)
def test_what_gives_no_imei_is_no_nrf91(board: PtyBoard, console: Console, answer: bytes) -> None:
    """It does not speak this dialect, whatever it is."""
    heard: list[bytes] = []
    board.answer(in_turn(heard, answer))

    assert identify(console) is None
    assert heard == [b"AT+CGSN"] * ATTEMPTS


def test_numbers_that_never_agree_are_nobody(board: PtyBoard, console: Console) -> None:
    """Without a check digit a number counts only when it is said twice."""
    heard: list[bytes] = []
    board.answer(in_turn(heard, *(f"\n35940423026138{digit}\r\nOK\r\n".encode() for digit in (2, 3, 4))))

    assert identify(console) is None


def test_silence_is_a_timeout(board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that never answers is asked a few times, and then whoever asks is told."""
    monkeypatch.setattr("harness_nordic.identify.REPLY_SECONDS", 0.05)
    monkeypatch.setattr("harness.console.console.LATE_REPLY_SECONDS", 0.05)
    heard: list[bytes] = []
    board.answer(in_turn(heard, b"\r\nboot> "))

    with pytest.raises(ConsoleTimeout, match=r"asking a board who it is"):
        identify(console)
    assert heard == [b"AT+CGSN"] * ATTEMPTS


def test_shell_is_asked_by_its_own_command(board: PtyBoard, console: Console) -> None:
    """What an AT host would answer, a Zephyr shell answers through ``at``, and nothing else is typed."""
    shell = PaperShell({"AT+CGSN": f"{IMEI}\r\nOK\r\n"})
    board.answer(shell)

    assert harness_identify_board(NRF91, console) == IMEI
    assert shell.typed == ["AT+CGSN", "at 'AT+CGSN'"]


def test_shell_that_the_profile_names_is_asked_at_once(board: PtyBoard, console: Console) -> None:
    """The first line suits it, also behind what somebody left half typed."""
    shell = PaperShell({"AT+CGSN": f"{IMEI}\r\nOK\r\n"}, left="kern")
    board.answer(shell)
    endpoint = Endpoint(role="console", url=board.path, discipline="at-shell")
    named = Board(id="b1", kind="x", driver="nrf91", endpoints={"console": endpoint})

    assert harness_identify_board(named, console) == IMEI
    assert shell.typed == ["kernat 'AT+CGSN'", "at 'AT+CGSN'"]


def test_shell_without_a_modem_is_no_nrf91(board: PtyBoard, console: Console) -> None:
    """A shell that knows no ``at`` says so."""
    shell = PaperShell(None)
    board.answer(shell)

    assert identify(console) is None
    assert set(shell.typed) == {"AT+CGSN", "at 'AT+CGSN'"}


def test_prompt_without_an_answer_is_a_timeout(
    board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prompt is enough to try the shell's way; who does not answer there either is told of."""
    monkeypatch.setattr("harness_nordic.identify.REPLY_SECONDS", 0.05)
    monkeypatch.setattr("harness.console.console.LATE_REPLY_SECONDS", 0.05)
    heard: list[bytes] = []
    board.answer(in_turn(heard, b"\r\nuart:~$ "))

    with pytest.raises(ConsoleTimeout, match=r"asking a board who it is"):
        identify(console)
    assert heard == [b"AT+CGSN", *[b"at 'AT+CGSN'"] * ATTEMPTS]


def test_board_that_boots_is_asked_again(
    board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said before the firmware listens is lost; the next time it answers."""
    monkeypatch.setattr("harness_nordic.identify.REPLY_SECONDS", 0.3)
    heard: list[bytes] = []
    board.answer(in_turn(heard, b"", b"", f"\r\nReady\r\n\n{IMEI}\r\nOK\r\n".encode()))

    assert identify(console) == IMEI


def test_boards_of_others_are_left_alone(board: PtyBoard, console: Console) -> None:
    """Nothing is sent to a board of another driver."""
    other = Board(id="b1", kind="toy", driver="toy")

    assert harness_identify_board(other, console) is None
    board.say(b"still nothing\r\n")
    assert console.expect(b"still nothing", timeout=5).before == b""


@given(st.text(alphabet='0123456789abc "\x00', max_size=60))
def test_an_imei_stands_alone(text: str) -> None:
    """Fifteen digits count wherever they are, and never as a part of a longer number."""
    runs = "".join(character if character in "0123456789" else " " for character in text).split()

    assert imeis_in([text]) == {run for run in runs if len(run) == 15}


@given(st.integers(0, 14), st.integers(1, 9))
def test_a_wrong_digit_is_noticed(place: int, change: int) -> None:
    """One digit that arrives wrong makes the check digit wrong."""
    digit = (int(IMEI[place]) + change) % 10

    assert is_checked(IMEI)
    assert not is_checked(f"{IMEI[:place]}{digit}{IMEI[place + 1 :]}")
