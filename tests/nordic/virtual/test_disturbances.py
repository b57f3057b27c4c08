"""What a test can let go wrong with the modem's answers, and that it ends."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any

import pytest

IMEI_REPLY_ENDS = b"\r\nOK\r\n"


def said(board: Any, command: bytes) -> bytes:
    """Type a command and return what the console said at once."""
    start = len(board.host.sent("console"))
    board.type(command + b"\r")
    sent: bytes = board.host.sent("console")[start:]
    return sent


def heard(board: Any, command: bytes) -> bytes:
    """Type a command on the loop's thread and return what the console said at once."""
    start = len(board.host.sent("console"))
    board.board.receive("console", command + b"\r")
    sent: bytes = board.host.sent("console")[start:]
    return sent


def test_late_reply(board: Any) -> None:
    """A slow reply comes after its time; what is typed meanwhile is executed after it, in order."""
    imei = board.board.describe()["imei"].encode()
    board.call("disturb_next", command="AT+CGSN", how="slow", seconds=0.2)
    start = len(board.host.sent("console"))
    began = time.monotonic()

    # In one turn of the loop: the reply cannot come in between, however slow this machine is.
    typed = (b"AT+CGSN", b"AT+CMEE=1", b"AT+CMEE?")
    assert board.host.on_loop(lambda: [heard(board, each) for each in typed]) == [b""] * 3

    sent = board.host.wait_said(b"+CMEE: 1", start=start)
    assert time.monotonic() - began >= 0.2
    assert sent == b"\n" + imei + b"\r\nOK\r\n\nOK\r\n\n+CMEE: 1\r\nOK\r\n"
    assert said(board, b"AT+CGSN") == b"\n" + imei + IMEI_REPLY_ENDS


def test_input_that_waits_has_an_end(board: Any) -> None:
    """Like a UART's buffer the board keeps a line's worth of what comes while it is busy, not all."""
    board.call("disturb_next", command="AT", how="slow", seconds=0.2)

    def type_all() -> None:
        board.board.receive("console", b"AT\r")
        for _piece in range(20):
            board.board.receive("console", b"AT\r" * 1000)

    board.host.on_loop(type_all)  # in one turn of the loop: the board is busy all the while
    board.host.wait_said(b"\nOK\r\n")
    board.type(b"\rAT+CGMM\r")

    sent = board.host.wait_said(b"nRF9151-LACA\r\nOK\r\n")

    # 8192 bytes are 2730 commands and one whose end comes later; then the first one and the last.
    assert sent.count(b"\nOK\r\n") == 2730 + 1 + 2


def test_reply_in_pieces(board: Any) -> None:
    """A reply arrives byte by byte, and is the same reply."""
    board.call("disturb_next", command="AT+CGMM", how="split", size=5, seconds=0.001)
    start, before = len(board.host.sent("console")), len(board.host.pieces("console"))
    board.type(b"AT+CGMM\r")

    assert board.host.wait_said(b"OK\r\n", start=start) == b"\nnRF9151-LACA\r\nOK\r\n"
    assert [len(each) for each in board.host.pieces("console")[before:]] == [5, 5, 5, 4]


def test_line_between_command_and_reply(board: Any) -> None:
    """A line that nobody asked for comes before the reply, or before its last line."""
    board.call("disturb_next", command="AT+CGMM", how="unsolicited")
    assert said(board, b"AT+CGMM") == b"\r\n+CEREG: 1\r\n\nnRF9151-LACA\r\nOK\r\n"
    board.call("disturb_next", command="at+cgmm", how="unsolicited", text="+CSCON: 0", inside=True)
    assert said(board, b"AT+CGMM") == b"\nnRF9151-LACA\r\n+CSCON: 0\r\nOK\r\n"
    board.call("disturb_next", command="AT", how="unsolicited", inside=True)
    assert said(board, b"AT") == b"+CEREG: 1\r\n\nOK\r\n"
    assert said(board, b"AT+CGMM") == b"\nnRF9151-LACA\r\nOK\r\n"


def test_garbage_before_the_reply(board: Any) -> None:
    """Foreign bytes come before a reply, the same ones for the same seed."""
    noise = random.Random(7).randbytes(12)  # noqa: S311 - noise, not secrecy
    for _time in range(2):
        board.call("disturb_next", command="AT+CGMM", how="garbage", size=12, seed=7)
        assert said(board, b"AT+CGMM") == noise + b"\nnRF9151-LACA\r\nOK\r\n"
    board.call("disturb_next", command="AT+CGMM", how="garbage", size=12, seed=8)
    assert not said(board, b"AT+CGMM").startswith(noise)


def test_disturbances_add_up(board: Any) -> None:
    """Several meet one reply; each counts its own times."""
    board.call("disturb_next", command="AT+CGMM", how="unsolicited", times=2)
    board.call("disturb_next", command="AT", how="split", size=100, seconds=0)
    board.call("disturb_next", command="AT+CG", how="slow", seconds=0.01)
    start = len(board.host.sent("console"))
    board.type(b"AT+CGMM\r")
    assert board.host.wait_said(b"OK\r\n", start=start) == (b"\r\n+CEREG: 1\r\n\nnRF9151-LACA\r\nOK\r\n")
    assert said(board, b"AT+CGMM").startswith(b"\r\n+CEREG")
    assert said(board, b"AT+CGMM").startswith(b"\nnRF")


def test_list_that_shows_another_digest(board: Any) -> None:
    """The list shows the digest of another content, and the store still holds the right one."""
    board.offline()
    assert board.at('AT%CMNG=0,7,4,"content"') == "OK\r\n"
    right = hashlib.sha256(b"content").hexdigest().upper()
    board.call("disturb_next", command="AT%CMNG=1", how="digest")

    wrong = board.at("AT%CMNG=1,7").split('"')[1]

    assert (len(wrong), wrong == right) == (64, False)
    assert set(wrong) <= set("0123456789ABCDEF")
    assert board.at("AT%CMNG=1,7") == f'%CMNG: 7,4,"{right}"\r\nOK\r\n'
    assert [entry["digest"] for entry in board.call("credentials") if entry["tag"] == 7] == [right]


def test_silent_command_takes_no_disturbance_along(board: Any) -> None:
    """A disturbance of a reply that never comes is not kept for the next one."""
    board.call("fail_next", command="AT+CGMM", outcome="silent")
    board.call("disturb_next", command="AT+CGMM", how="garbage")

    assert said(board, b"AT+CGMM") == b""
    assert said(board, b"AT+CGMM") == b"\nnRF9151-LACA\r\nOK\r\n"


def test_power_cut_while_a_reply_waits(board: Any) -> None:
    """A late reply and what was typed behind it are gone with the power."""
    board.call("disturb_next", command="AT", how="slow", seconds=0.05)
    board.type(b"AT\rAT+CGMM\r")
    board.power_off()
    board.power_on()
    board.call("disturb_next", command="AT+CMEE?", how="slow", seconds=0.1)
    start = len(board.host.sent("console"))
    board.type(b"AT+CMEE?\r")

    assert board.host.wait_said(b"OK", start=start) == b"\n+CMEE: 0\r\nOK\r\n"


def test_slow_modem_and_the_agent(board: Any, service: Any) -> None:
    """The agent waits for a slow answer; one that is slower than its patience counts as none."""
    board.call("set_service", url=service.url)
    board.call("disturb_next", command="AT%SHORTSWVER", how="slow", seconds=0.05)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 0\r\n")

    board.call("configure", at_timeout=0.05)
    board.call("disturb_next", command="AT%SHORTSWVER", how="slow", seconds=60)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: -1\r\n")
    assert {"at": "AT%SHORTSWVER", "reply": None} in board.call("agent_log")


def test_all_end_together(board: Any) -> None:
    """Nothing that was ordered outlives the end of the faults."""
    for how in ("slow", "split", "unsolicited", "garbage", "digest"):
        board.call("disturb_next", command="AT", how=how, times=5, seconds=10)
    for what in ("token-signature", "token-uuid", "jwt-signature", "keygen-signature"):
        board.call("forge", what=what, times=5)

    board.call("clear_faults")

    assert said(board, b"AT+CGMM") == b"\nnRF9151-LACA\r\nOK\r\n"
    assert not any(board.board.modem.faults.forgeries.values())


@pytest.mark.parametrize(
    "params",
    [
        {"how": "loud"},
        {"how": "slow", "seconds": -1},
        {"how": "slow", "seconds": "long"},
        {"how": "slow", "seconds": float("nan")},
        {"how": "slow", "times": 0},
        {"how": "slow", "times": True},
        {"how": "split", "size": 0},
        {"how": "split", "size": 10**6},
        {"how": "garbage", "seed": 1.5},
        {"how": "unsolicited", "text": 5},
        {"how": "unsolicited", "inside": 1},
        {"how": "unsolicited", "loud": True},
    ],
)
def test_unfit_disturbances(board: Any, params: dict[str, Any]) -> None:
    """What cannot be is refused with the name of what is wrong, and nothing is armed."""
    with pytest.raises(ValueError, match=r"how|seconds|times|size|seed|text|inside|loud"):
        board.call("disturb_next", command="AT", **params)
    assert said(board, b"AT") == b"\nOK\r\n"


def test_forged_key_and_foreign_token(board: Any, unpack: Any) -> None:
    """A forged KEYGEN output has the board's UUID in it; a stale token has not, for as often as was asked."""
    uuid = bytes.fromhex(board.board.describe()["uuid"].replace("-", ""))
    board.call("forge", what="token-uuid")
    stale, fresh = (unpack(board.at("AT%ATTESTTOKEN").split('"')[1].partition(".")[0]) for _time in range(2))

    assert uuid not in stale
    assert uuid in fresh
    assert len(stale) == len(fresh) == 57
