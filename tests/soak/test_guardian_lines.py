"""Any lines on a component's console: an answer to each, and the agent goes on afterwards.

Each round types some lines, commands with wrong words, bytes that are no text, lines that never end, and then
asks who the board is: the answer is the one that it gave at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guardian.virtual.paper_bench import BoardInHand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.soak.support.rounds import Rounds

ROUNDS = 5_000
WORDS = (
    "identify",
    "status",
    "files",
    "put",
    "get",
    "drop",
    "init",
    "request",
    "service",
    "submit",
    "provision",
    "cancel",
    "install",
    "complete",
    "forward",
    "collect",
    "certificates",
    "prove",
    "erase",
    "yes",
    "package",
    "reprovision",
    "profile",
    "0",
    "-1",
    "99999999999",
    "AAAA",
    "====",
    "source=Cloud",
    "source=",
    "format=cose",
    "format=x",
    "http://127.0.0.1:1",
    "identity",
    "00ff",
    "zz",
    '"',
    '""',
    '"a b"',
    "\\",
    "é",
    "x" * 300,
)
GOOD = (
    "identify",
    "status",
    "files",
    "certificates",
    "put package 0 AAAA",
    "put forwarded 0 e30=",
    "get package 0",
    "drop package",
    "init pump SN-1",
    "init pump SN-2 5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a001",
    "request",
    "submit",
    "service http://127.0.0.1:1",
    "provision",
    "cancel",
    "install",
    "complete",
    "forward",
    "collect",
)
REFUSED = ("ERROR 1", "ERROR 2", "ERROR 3", "ERROR 4")


@pytest.fixture
def board() -> Iterator[BoardInHand]:
    """A blank component that is switched on."""
    board = BoardInHand("guardian-component-virtual", 0, {})
    board.power_on()
    yield board
    board.close()


def line(random: Random) -> str:
    """Make a line that is nearly a command."""
    if random.random() < 0.5:
        return random.choice(GOOD)
    words = [random.choice(WORDS) for _word in range(random.randint(1, 6))]
    return (" " * random.randint(1, 2)).join(words)


def test_any_lines(rounds: Rounds, board: BoardInHand) -> None:
    """Each line is answered by OK or by one of the four errors, and the board stays who it is."""
    before = board.ask("identify")
    for number, random in enumerate(rounds.run(ROUNDS), 1):
        text = line(random)
        last = board.say(text).splitlines()[-1]
        assert last == "OK" or last.startswith(REFUSED), (text, last)
        rounds.count(last.partition(":")[0])
        if number % 20 == 0:
            board.say("cancel")
            assert board.say("erase yes").splitlines()[-1] == "OK"
            assert board.ask("identify") == before
