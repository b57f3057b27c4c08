"""Damaged lines to a board with a Zephyr shell: nothing breaks, and what is refused changes nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.console.zephyr_shell import is_complaint, is_prompt, shown_text
from harness_nordic.virtual.shell_words import MOST_WORDS, NotTerminated, TooManyWords, split
from tests.soak.support.generators import damage
from tests.soak.support.quiet_board import QuietBoard
from tests.soak.test_board_lines import LINES, PAST_THE_PARSER, settle

if TYPE_CHECKING:
    from random import Random

    from tests.soak.support.rounds import Rounds

PROMPT = b"\x1b[1;32muart:~$ \x1b[m"
TYPED = (
    *(f"at '{line}'".replace("\n", "\\n") for line in LINES),
    *("at AT+CGSN", "at", "at events_enable", "at events_disable", "help", "kernel", "kernel version"),
    *(
        "kernel uptime",
        "kernel reboot warm",
        "kernel reboot cold",
        "nrf_provisioning",
        "nrf_provisioning now",
    ),
    *("nrf_provisioning token", "nrf_provisioning uuid", "nrf_provisioning interval 60", "cred", "cred list"),
    *("cred buf clear", "cred buf aGVsbG8=", "cred add 5 CA DEFAULT bint", "cred add 6 PK DEFAULT str text"),
    *("cred add 7 SERV DEFAULT bin aGVsbG8=", "cred list 5 CA", "cred list any PK", "cred del 5 CA"),
    *("cred del 6 PK", "cred del 7 SERV", "nrf_cloud_cred keygen 5", "nrf_cloud_cred delete 5"),
    *('nrf_cloud_cred csr 5 "CN=a b"', "nrf_cloud_cred csr 5", "nrf_cloud_cred pubkey 5"),
)
PIECES = (
    *("'", '"', "\\", "\\'", "\\x41", "\\0101", "\\n", " ", "\t", "\r", "\n", "\r\n", "\0", "\x7f", "\x08"),
    *("\x1b", "\x1b[", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[3~", "\x1bb", "\x03", "\x15", "\x17"),
    *("\x01", "\x04", "\x05", "\x0b", "\x0c", "\x0e", "\x10", "-h", "--help", "any", "bint", "4294967296"),
    *("-1", "CA", "DEFAULT", "at ", "cred ", "AT", "é", "\xff", "x " * 20, "y" * 90, "z" * 5000),
)
_RED = re.compile(rb"\x1b\[1;31m([^\r\n]*)\r\n")


def everything(board: QuietBoard) -> tuple[object, ...]:
    """Return everything that a shell's command can change, the credential shells' store among it."""
    return (*board.state(), board.board.call("tls_credentials", {}), board.board.call("schedule", {}))


def tidy(board: QuietBoard, random: Random) -> None:
    """Keep both stores small."""
    settle(board, random)
    store = board.board.tls_credentials
    for entry in store.entries()[8:]:
        store.delete(entry.tag, entry.type)
    for tag in store.key_tags()[4:]:
        store.delete_key(tag)


def test_damaged_lines_to_a_shell(rounds: Rounds) -> None:
    """The shell answers with its prompt or waits; what it refuses in red changes nothing; then it is well."""
    board = QuietBoard("nrf9151dk-shell-virtual")
    for random in rounds.run(40_000):
        tidy(board, random)
        line = damage(random, random.choice(TYPED), PIECES, most=3)
        before = everything(board)

        reply = board.type(line.encode("utf-8", "surrogateescape") + b"\r")

        complaints = _RED.findall(reply)
        ends = reply.count(PROMPT)
        outcome = "waits for more" if not reply.endswith(PROMPT) else "done"
        if complaints and ends == 1:
            assert everything(board) == before, line
            shown = complaints[0].decode("utf-8", "replace")
            outcome = "no command" if is_complaint(shown) else "refused"
        rounds.count(outcome)
        board.type(b"\x03\x03\x03")
        assert board.type(b"at AT\r").endswith(b"\r\nOK\r\r\n\r\n" + PROMPT), line
    past = rounds.outcomes["done"] + rounds.outcomes["refused"]
    assert past >= PAST_THE_PARSER * sum(rounds.outcomes.values())


def test_lines_taken_apart(rounds: Rounds) -> None:
    """Any line is words or an error that says why; words hold together however they came about."""
    for random in rounds.run(100_000):
        line = damage(random, random.choice(TYPED), PIECES[:12], most=4)
        try:
            words = split(line)
        except (NotTerminated, TooManyWords) as error:
            rounds.count(type(error).__name__)
            continue
        assert len(words) <= MOST_WORDS
        assert sum(map(len, words)) <= len(line)
        assert split(" ".join(f"'{word}'" for word in words if not set(word) & set("'\\"))) == [
            word for word in words if not set(word) & set("'\\")
        ]
        rounds.count("words")
    assert rounds.outcomes["words"] >= PAST_THE_PARSER * sum(rounds.outcomes.values())


def test_damaged_output_of_a_shell(rounds: Rounds) -> None:
    """Who reads a shell by lines finds text without sequences, twice the same, or no text."""
    board = QuietBoard("nrf9151dk-shell-virtual")
    for random in rounds.run(20_000):
        tidy(board, random)
        said = board.type(random.choice(TYPED).encode() + b"\r").decode()
        for line in damage(random, said, PIECES, 3).split("\n"):
            shown = shown_text(line.rstrip("\r"))
            assert shown_text(shown) == shown or "~$" in shown or "\x1b" in shown
            rounds.count("prompt" if is_prompt(line) else "complaint" if is_complaint(line) else "text")
