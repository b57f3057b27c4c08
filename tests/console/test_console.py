"""The console: nothing lost, nothing matched twice, every wait ends with a reason."""

from __future__ import annotations

import re
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.console import SEARCH_WINDOW, Console
from harness.console.intake import Intake
from harness.errors import ConsoleTimeout, ForbiddenOutput, RigFault, UsageError
from harness.inventory.board import Endpoint
from tests.console.dialect import AT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import PtyBoard


# -- expect -------------------------------------------------------------------------------------------------


def test_expect_finds_bytes_text_and_regular_expressions(board: PtyBoard, console: Console) -> None:
    """Each kind of pattern is found, with what came before and the groups."""
    board.say(b"boot v1.2\r\nready \xc3\xa5 now\r\n")

    match = console.expect(re.compile(rb"v(\d)\.(\d)"), timeout=5)
    assert (match.text, match.before, match.groups) == (b"v1.2", b"boot ", (b"1", b"2"))
    assert console.expect("å", timeout=5).decoded == "å"
    assert console.expect(re.compile("N.W", re.IGNORECASE), timeout=5).text == b"now"


def test_expect_takes_the_match_that_begins_first(board: PtyBoard, console: Console) -> None:
    """Of several patterns the one that begins first in the stream wins, not the one named first."""
    board.say(b"one two\n")
    console.expect("\n", timeout=5)
    board.say(b"alpha beta\n")

    match = console.expect("beta", "alpha", timeout=5)

    assert (match.index, match.pattern) == (1, "alpha")
    assert console.expect(b"beta", timeout=5).before == b" "


def test_expect_searches_only_what_is_new(board: PtyBoard, console: Console) -> None:
    """What was matched once is not matched again."""
    board.say(b"OK\r\n")
    console.expect("OK", timeout=5)

    with pytest.raises(ConsoleTimeout):
        console.expect("OK", timeout=0.05)


def test_timeout_says_pattern_time_reason_and_tail(board: PtyBoard, console: Console) -> None:
    """The message of a time-out is enough to see what happened."""
    board.say(b"Guru Meditation\r\n")
    console.expect("Meditation", timeout=5)

    with pytest.raises(ConsoleTimeout) as caught:
        console.expect("login:", re.compile("x+"), timeout=0.05, reason="the board boots")

    text = str(caught.value)
    for part in ("b1-console", "0.05 s", "'login:'", "'x+'", "the board boots", "Guru Meditation"):
        assert part in text


def test_empty_pattern_is_refused(console: Console) -> None:
    """An empty pattern would match at once and prove nothing."""
    with pytest.raises(UsageError, match="empty pattern"):
        console.expect("", timeout=1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_match_does_not_depend_on_how_the_bytes_arrive(
    board: PtyBoard, console: Console, cuts: list[int]
) -> None:
    """However a stream is cut into pieces, the same things are found in the same order."""
    data = b"....needle-one..needle-two..<end 4711>\n!"
    before = console.position
    last = 0
    for cut in [*sorted(cuts), len(data)]:
        board.say(data[last:cut])
        if last != cut:
            last = max(last, cut)
            with pytest.raises(ConsoleTimeout):
                console.expect("never", timeout=0)

    assert console.expect("needle-two", "needle-one", timeout=5).text == b"needle-one"
    assert console.expect("needle-two", "needle-one", timeout=5).text == b"needle-two"
    assert console.expect(re.compile(r"<end (\d+)>"), timeout=5).groups == (b"4711",)
    console.expect("!", timeout=5)
    assert console.slice(before) == data


def test_memory_is_bounded_and_the_capture_is_whole(board: PtyBoard, console: Console) -> None:
    """More than twice the search window is captured whole, while only the window is kept in memory."""
    chunk = bytes(range(48, 112)) * 32
    rounds = 2 * SEARCH_WINDOW // len(chunk) + 200

    def talk() -> None:
        for _round in range(rounds):
            board.say(chunk)
        board.say(b"##done##")

    talker = threading.Thread(target=talk)
    talker.start()
    match = console.expect("##done##", timeout=60)
    talker.join()

    assert console.position == rounds * len(chunk) + 8
    assert len(match.before) <= 2 * SEARCH_WINDOW
    assert console.slice(0, len(chunk)) == chunk
    assert len(console._intake.window) <= 2 * SEARCH_WINDOW


# -- capture ------------------------------------------------------------------------------------------------


def test_everything_is_captured_while_nobody_reads(board: PtyBoard, console: Console, tmp_path: Path) -> None:
    """Bytes that no test waits for are in the file, which only its owner can read."""
    seen = threading.Event()
    console.add_observer(lambda data: seen.set() if b"unwatched" in data else None)

    board.say(b"unwatched\r\n")

    assert seen.wait(5)
    raw = tmp_path / "b1-console.raw"
    assert raw.read_bytes() == b"unwatched\r\n"
    assert stat.S_IMODE(raw.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "b1-console.index").stat().st_mode) == 0o600


def test_lines_have_the_time_at_which_they_came(board: PtyBoard, console: Console) -> None:
    """Two lines said at different times have different times, in order, between before and after."""
    start = time.time()
    board.say(b"first\r\n")
    console.expect("first\r\n", timeout=5)
    between = time.time()
    board.say(b"second\r\nthird")
    console.expect("third", timeout=5)

    lines = console.lines_with_times(0)

    assert [line for _time, line in lines] == [b"first", b"second", b"third"]
    assert start <= lines[0][0] <= between <= lines[1][0] <= time.time()
    assert [line for _time, line in console.lines_with_times(7, 13)] == [b"second"]


def test_console_opened_again_goes_on_in_the_same_file(board: PtyBoard, tmp_path: Path) -> None:
    """A second console of the same name appends, and searches only what is its own."""
    for word in (b"one.", b"two."):
        with Console.open(Endpoint(role="console", url=board.path), name="c", directory=tmp_path) as console:
            board.say(word)
            console.expect(word, timeout=5)
            with pytest.raises(ConsoleTimeout):
                console.expect("one", timeout=0)

    assert (tmp_path / "c.raw").read_bytes() == b"one.two."


def test_board_that_never_stops_talking_keeps_nobody_waiting(board: PtyBoard, console: Console) -> None:
    """Asking where a console stands returns while the board goes on talking."""
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            board.say(b"x" * 4000)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        positions = [console.position for _look in range(20)]
        assert positions == sorted(positions)
    finally:
        stop.set()
        while talker.is_alive():
            _ = console.position
            talker.join(0.01)


def test_tail_is_what_came_last(board: PtyBoard, console: Console) -> None:
    """The tail is the end of the capture."""
    board.say(b"0123456789")
    console.expect("9", timeout=5)

    assert console.tail(4) == b"6789"
    assert console.tail(100) == b"0123456789"


# -- commands -----------------------------------------------------------------------------------------------


def test_command_returns_the_reply(board: PtyBoard, console: Console) -> None:
    """Data lines and the final line come back; echo and empty lines do not."""
    board.answer(lambda command: command + b"\r\n\r\n+CGSN: 1\r\nmore\r\n\r\nOK\r\n")

    reply = console.command("AT+CGSN", AT, timeout=5)

    assert (reply.command, reply.lines, reply.final) == ("AT+CGSN", ("+CGSN: 1", "more"), "OK")
    assert 0 < reply.seconds < 5


def test_unsolicited_lines_are_kept_apart(board: PtyBoard, console: Console) -> None:
    """Unsolicited lines before and within a reply are no part of it, and are handed out once each."""
    board.say(b"+CEREG: 2\r\n")
    board.answer(lambda _command: b"data\r\n+CEREG: 5\r\nOK\r\n+LATE: 1\r\n")

    assert console.command("AT", AT, timeout=5).lines == ("data",)

    assert console.wait_unsolicited("+CEREG: 2", timeout=5) == "+CEREG: 2"
    assert console.wait_unsolicited(re.compile(r": 5$"), timeout=5) == "+CEREG: 5"
    assert console.wait_unsolicited(lambda line: "LATE" in line, timeout=5) == "+LATE: 1"
    assert [line for _time, line in console.unsolicited] == ["+CEREG: 2", "+CEREG: 5", "+LATE: 1"]
    with pytest.raises(ConsoleTimeout, match=r"unsolicited line '\+CEREG'.*registration"):
        console.wait_unsolicited("+CEREG", timeout=0.05, reason="registration")


def test_what_was_said_earlier_can_be_forgotten(board: PtyBoard, console: Console) -> None:
    """Such a line that came before is handed out no more, others are; one that comes later is a new one."""
    board.answer(lambda _command: b"+RUN: 1\r\n+CEREG: 2\r\n+RUN: 2\r\nOK\r\n")
    console.command("AT", AT, timeout=5)

    console.forget_unsolicited("+RUN")
    board.say(b"+RUN: 3\r\n")

    assert console.wait_unsolicited("+RUN", timeout=5) == "+RUN: 3"
    assert console.wait_unsolicited("+CEREG", timeout=5) == "+CEREG: 2"


def test_all_that_was_said_earlier_can_be_forgotten(board: PtyBoard, console: Console) -> None:
    """Neither as a line nor as bytes does it count any more; a line without an end is still to come."""
    heard, came = bytearray(), threading.Event()

    def notice(data: bytes) -> None:
        heard.extend(data)
        if heard.endswith(b"next: "):
            came.set()

    board.say(b"+RUN: 1\r\nstop\r\n")
    console.wait_unsolicited("stop", timeout=5)
    console.add_observer(notice)
    board.say(b"ready\r\nnext: ")
    assert came.wait(5)

    console.forget_unsolicited()
    board.say(b"1\r\n")

    with pytest.raises(ConsoleTimeout):
        console.expect("ready", timeout=0.05)
    assert console.wait_unsolicited("", timeout=5) == "next: 1"
    assert [line for _time, line in console.unsolicited] == ["+RUN: 1", "stop", "ready", "next: 1"]


def test_late_reply_is_not_taken_for_the_next_one(board: PtyBoard, console: Console) -> None:
    """The end of a timed-out command's reply does not end the next command."""
    with pytest.raises(ConsoleTimeout, match=r"reply to 'AT\+SLOW'.*asking"):
        console.command("AT+SLOW", AT, timeout=0.05, reason="asking")
    board.hear(8)
    board.say(b"slow data\r\nOK\r\n")
    board.answer(lambda _command: b"fast data\r\nOK\r\n")

    assert console.command("AT+FAST", AT, timeout=5).lines == ("fast data",)


def test_next_command_waits_for_a_late_reply(
    board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late reply that comes when the next command is about to be sent is heard out before that is."""
    with pytest.raises(ConsoleTimeout):
        console.command("AT+SLOW", AT, timeout=0.05)
    board.hear(8)
    late, pump = threading.Event(), Intake.pump

    def pump_later(intake: Intake, deadline: float) -> bool:
        if not late.is_set():  # whoever waits now waits for this
            board.say(b"slow data\r\nOK\r\n")
            late.set()
        return pump(intake, deadline)

    def respond(_command: bytes) -> bytes:
        assert late.wait(5)
        return b"fast data\r\nOK\r\n"

    monkeypatch.setattr(Intake, "pump", pump_later)
    board.answer(respond)

    assert console.command("AT+FAST", AT, timeout=5).lines == ("fast data",)


def test_command_after_a_reply_that_never_came(board: PtyBoard, console: Console) -> None:
    """A board that swallowed one command answers the next as usual."""
    with pytest.raises(ConsoleTimeout):
        console.command("AT+LOST", AT, timeout=0.01)
    board.hear(8)
    board.answer(lambda _command: b"OK\r\n")

    assert console.command("AT", AT, timeout=5).final == "OK"


# -- forbidding ---------------------------------------------------------------------------------------------


def test_forbidden_pattern_is_found_over_chunk_borders(board: PtyBoard, console: Console) -> None:
    """What must not be said is found however it arrives, and the next wait raises."""
    with (
        pytest.raises(ForbiddenOutput, match=r"b1-console.*'ASSERT'.*ASS"),
        console.forbid("ASSERT", b"panic"),
    ):
        board.say(b"...ASS")
        console.expect("ASS", timeout=5)
        board.say(b"ERT at main.c\r\n")
        console.expect("main.c", timeout=5)
        console.expect("anything", timeout=5)


def test_forbidden_pattern_is_noticed_at_the_end_of_the_block(board: PtyBoard, console: Console) -> None:
    """A block in which nobody waits raises when it ends, and the pattern is armed no longer."""
    with pytest.raises(ForbiddenOutput), console.forbid(re.compile("pan.c")):
        seen = threading.Event()
        console.add_observer(lambda data: seen.set())
        board.say(b"panic\r\n")
        assert seen.wait(10)

    board.say(b"panic\r\nend")
    assert console.expect("end", timeout=5)


def test_what_was_said_before_is_not_forbidden(board: PtyBoard, console: Console) -> None:
    """Arming looks forward only."""
    board.say(b"panic\r\n")
    console.expect("panic", timeout=5)

    with console.forbid("panic"):
        board.say(b"calm\r\n")
        console.expect("calm", timeout=5)


# -- writing ------------------------------------------------------------------------------------------------


def test_paced_write_arrives_whole_and_slowly(board: PtyBoard, console: Console) -> None:
    """A paced transmission takes its pauses and loses nothing."""
    start = time.monotonic()
    console.write(b"0123456789", chunk=4, delay=0.02)

    assert board.hear(10) == b"0123456789"
    assert time.monotonic() - start >= 0.04


def test_write_that_the_line_does_not_take(
    board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is held by flow control is the rig's fault, after a deadline."""
    monkeypatch.setattr("harness.console.outlet.WRITE_SECONDS", 0.05)

    with pytest.raises(RigFault, match=r"the line took no more"):
        console.write(b"x" * 1_000_000)


def test_large_write_goes_through_when_the_board_reads(board: PtyBoard, console: Console) -> None:
    """What does not fit at once is written as the board takes it."""
    data = bytes(range(256)) * 256
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(board.hear(len(data))))
    reader.start()
    console.write(data)
    console.flush()
    reader.join()

    assert got == [data]
