"""What the client takes for no answer, how long it waits, and its words for errors: codes, log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiocoap import Message  # type: ignore[import-untyped]  # it has no annotations
from aiocoap.numbers.codes import (  # type: ignore[import-untyped]  # it has no annotations
    CONTENT,
    CREATED,
    Code,
)
from aiocoap.numbers.types import ACK, CON  # type: ignore[import-untyped]  # it has no annotations

from harness.virtual.clock import BoardClock
from harness_pelion.virtual.client_log import ClientFailure, ClientLog, ErrorName, printable
from harness_pelion.virtual.client_session import Session
from tests.pelion.cloud_client.misfortune import closed_port
from tests.pelion.cloud_client.scripted_server import LOCATION, Peer

if TYPE_CHECKING:
    import pytest

    from tests.pelion.cloud_client.site import Site


def test_nonsense_in_between(site: Site) -> None:
    """Bytes that are no message, pings, late answers and unknown options disturb nothing."""
    answers = []

    def strange(peer: Peer) -> None:
        request = peer.take()
        peer.raw(b"\x00")
        peer.raw(bytes.fromhex("4001aaaaff"))
        answers.append(peer.take_raw().hex())  # no message, but with an id: a reset
        peer.raw(bytes.fromhex("4000bbbb"))
        answers.append(peer.take_raw().hex())  # a ping: a reset
        peer.raw(bytes.fromhex("6045cccc"))  # an answer to nothing
        peer.raw(bytes.fromhex("4201dddd7474") + bytes((0xD0, 60)))  # GET with option 73, critical
        answers.append(peer.take_raw().hex())  # 4.02
        peer.raw(Message(code=Code(0), _mtype=ACK, _mid=request.mid, _token=b"").encode())
        separate = Message(code=CREATED, _mtype=CON, _mid=0x7777, _token=request.token)
        separate.opt.location_path = LOCATION
        peer.raw(separate.encode())
        answers.append(peer.take_raw().hex())  # a separate answer is acknowledged
        peer.until_gone()

    site.lwm2m.follow(strange)
    site.board.start()
    site.board.wait_state("registered")
    site.board.stop()

    assert answers == ["7000aaaa", "7000bbbb", "6282dddd7474", "60007777"]
    assert site.board.errors() == []


def test_content_that_is_no_answer_is_not_taken_for_one(site: Site) -> None:
    """An answer with another token belongs to another request."""

    def other(peer: Peer) -> None:
        request = peer.take()
        peer.raw(Message(code=CONTENT, _mtype=ACK, _mid=request.mid, _token=b"other").encode())
        peer.answer(request, CREATED, location=LOCATION)
        peer.until_gone()

    site.lwm2m.follow(other)
    site.board.start()
    site.board.wait_state("registered")
    assert site.board.errors() == []
    site.board.stop()


def test_waits_grow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wait is twice as long as the one before, up to the longest."""
    waits: list[float] = []

    def pause(session: Session, seconds: float, _link_returns: int) -> None:
        waits.append(seconds)
        session.calls.check()

    monkeypatch.setattr(Session, "pause", pause)
    site.board.settings.retry_first_s, site.board.settings.retry_longest_s = 1.0, 10.0
    site.board.provision(site.pki, closed_port())

    site.board.start()
    site.board.wait(lambda: len(waits) >= 6)

    assert waits[:6] == [1, 2, 4, 8, 10, 10]


def test_errors_have_the_codes_of_mbed_linux() -> None:
    """Numbers of Mbed Linux OS's own list of errors."""
    assert {name.name: hex(name) for name in ErrorName} == {
        "ConnectBootstrapFailed": "0x101",
        "ConnectInvalidParameters": "0x102",
        "ConnectNotRegistered": "0x103",
        "ConnectTimeout": "0x104",
        "ConnectNetworkError": "0x105",
        "ConnectUnknownError": "0x107",
        "ConnectSecureConnectionFailed": "0x10a",
        "ConnectDnsResolvingFailed": "0x10b",
        "ConnectorFailedToReadCredentials": "0x10c",
        "ConnectorInvalidCredentials": "0x10d",
        "ConnectorFailedToStoreCredentials": "0x10e",
    }


def test_the_log_does_not_grow_for_ever() -> None:
    """The oldest lines go; a text from outside stays in one line of bounded length."""
    log = ClientLog(BoardClock())
    write = log.info
    for number in range(2600):
        write(f"line {number}")

    assert len(log.lines) <= 2000
    assert log.lines[-1].endswith("line 2599")
    assert printable("a\r\nb\x1b[31m") == "a??b?[31m"
    assert len(printable("x" * 5000)) < 400
    log.failed(ClientFailure(ErrorName.ConnectTimeout, "two\nlines"))
    assert log.lines[-1].endswith("Error details : two?lines")
    log.clear()
    assert log.text() == ""
