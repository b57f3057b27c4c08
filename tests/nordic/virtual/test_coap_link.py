"""The board's CoAP client against a service of literal bytes: one exchange."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from harness_nordic.virtual.coap_link import Request
from harness_nordic.virtual.datagram_faults import DatagramFault, DatagramFaults
from harness_nordic.virtual.exchange import ExchangeFailed
from tests.nordic.virtual.coap_script import FETCH, Script, piggybacked

if TYPE_CHECKING:
    from typing import Any


def test_request(script: Script, make_link: Any) -> None:
    """A fetch is a confirmable GET that says which blocks and which format it wants."""
    script.answer = lambda data: [piggybacked(data, 0x45, b"\xff\x80")]
    link = make_link(script.port)
    link.open()

    answer = link.request(FETCH)

    assert (answer.status, answer.body, answer.size) == (205, b"\x80", 1)
    (sent,) = script.received
    assert sent[:2] == bytes.fromhex("44 01")
    assert sent[8:] == bytes.fromhex("b1 70 03 636d64 46 61667465723d 21 3c 61 02")


def test_separate_answer(script: Script, make_link: Any) -> None:
    """An empty acknowledgement ends repeating; the answer comes later and is acknowledged itself."""

    def answer(data: bytes) -> list[bytes]:
        if data[0] >> 4 != 4:
            return []
        later = bytes.fromhex("44 45 7777") + data[4:8] + b"\xff\x80"
        return [b"\x60\x00" + data[2:4], later, later]

    script.answer = answer
    repeated: list[str] = []
    link = make_link(script.port, repeated=repeated.append)
    link.open()

    assert link.request(FETCH).body == b"\x80"
    assert link.request(FETCH).body == b"\x80"
    acknowledged = [data for data in script.wait_for(4) if data[0] >> 4 == 6]
    assert set(acknowledged) == {bytes.fromhex("60 00 7777")}
    assert repeated == []


def test_repeated_until_answered(script: Script, make_link: Any) -> None:
    """What is not answered is sent again, the very same bytes; whoever listens hears of it."""
    script.answer = lambda data: [piggybacked(data, 0x45)] if len(script.received) == 3 else []
    repeated: list[str] = []
    link = make_link(script.port, repeated=repeated.append, ack_timeout=0.3)
    link.open()

    assert link.request(FETCH).status == 205
    assert repeated == ["GET p/cmd"] * 2
    assert len(set(script.received)) == 1


def test_nobody_answers(script: Script, make_link: Any) -> None:
    """After its time a request has failed, and was sent five times at most."""
    link = make_link(script.port, timeout=2.0, ack_timeout=0.001)
    link.open()

    with pytest.raises(ExchangeFailed, match="timed out") as failed:
        link.request(FETCH)
    assert failed.value.late
    assert len(script.wait_for(5)) == 5


def test_rejected(script: Script, make_link: Any) -> None:
    """A reset ends a request at once."""
    script.answer = lambda data: [b"\x70\x00" + data[2:4]]
    link = make_link(script.port)
    link.open()

    with pytest.raises(ExchangeFailed, match="rejected"):
        link.request(FETCH)


def test_foreign_messages(script: Script, make_link: Any) -> None:
    """What is no message, of another number or of another token, is no answer; a stranger is rejected."""

    def answer(data: bytes) -> list[bytes]:
        if data[0] >> 4 != 4:
            return []
        other = bytes([data[4] ^ 0xFF]) + data[5:8]
        return [
            b"\xff\xff",
            b"\x70\x00" + bytes([data[2] ^ 0xFF]) + data[3:4],
            bytes.fromhex("64 45") + data[2:4] + other,
            bytes.fromhex("44 45 0101") + other,
            piggybacked(data, 0x45, b"\xff\x01"),
        ]

    script.answer = answer
    link = make_link(script.port)
    link.open()

    assert link.request(FETCH).body == b"\x01"
    assert bytes.fromhex("70 00 0101") in script.wait_for(2)


def test_nobody_listens(make_link: Any) -> None:
    """A port that nobody has refuses, as a server does that the board cannot verify."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    link = make_link(port)
    link.open()

    with pytest.raises(ExchangeFailed, match="connection refused") as failed:
        link.request(FETCH)
    assert failed.value.refused


def test_no_address(make_link: Any) -> None:
    """Without an address there is no connection."""
    with pytest.raises(ExchangeFailed, match="no service address") as failed:
        make_link(None).open()
    assert failed.value.refused


def test_link_that_is_not_open(script: Script, make_link: Any) -> None:
    """Before it is opened a link makes no requests."""
    with pytest.raises(ExchangeFailed, match="not open"):
        make_link(script.port).request(FETCH)


def test_torn_down_meanwhile(script: Script, make_link: Any) -> None:
    """Whoever loses power waits no longer, and does not begin again."""
    link = make_link(script.port, timeout=60.0, ack_timeout=60.0)
    link.open()

    def answer(_data: bytes) -> list[bytes]:
        link.tear_down()
        return []

    script.answer = answer

    with pytest.raises(ExchangeFailed, match="torn down"):
        link.request(FETCH)
    with pytest.raises(ExchangeFailed, match="torn down"):
        link.open()


def test_notice(script: Script, make_link: Any) -> None:
    """A message that needs no answer is sent once; the answer is heard if there is one."""
    suspend = Request(code=2, path=".dtls/suspend")
    hasty, patient = make_link(script.port, ack_timeout=0.03), make_link(script.port)
    hasty.open()
    patient.open()

    assert hasty.notify(suspend) is None
    script.answer = lambda data: [bytes.fromhex("54 84 0001") + data[4:8]]
    assert patient.notify(suspend) == 404
    assert [data[:2] + data[8:] for data in script.received] == [
        bytes.fromhex("54 02 b5 2e64746c73 07 73757370656e64")
    ] * 2


def test_notice_to_nobody(make_link: Any) -> None:
    """Whoever listens no more is noticed at the next message."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    link = make_link(port)
    link.open()

    with pytest.raises(ExchangeFailed, match="refused"):
        link.notify(Request(code=2, path=".dtls/suspend"))


@pytest.mark.parametrize(
    ("how", "way", "received"),
    [("lose", "sent", 1), ("lose", "received", 2), ("double", "sent", 2), ("double", "received", 1)],
)
def test_what_befalls_datagrams(script: Script, make_link: Any, how: str, way: str, received: int) -> None:
    """Lost and doubled datagrams are so on the wire, both ways, once."""
    faults = DatagramFaults()
    faults.order(DatagramFault(request="GET p/", how=how, way=way))
    script.answer = lambda data: [piggybacked(data, 0x45)]
    link = make_link(script.port, faults=faults, ack_timeout=1.0)
    link.open()

    assert link.request(FETCH).status == 205
    assert len(script.wait_for(received)) == received
    assert link.request(FETCH).status == 205
    assert len(script.wait_for(received + 1)) == received + 1


def test_datagrams_of_another_request() -> None:
    """A fault befalls what it was ordered for, so often, and no more when it is ended."""
    faults = DatagramFaults()
    faults.order(DatagramFault(request="POST p/rsp", how="lose", way="sent", times=2))

    assert faults.copies("GET p/cmd", "sent") == 1
    assert faults.copies("POST p/rsp", "received") == 1
    assert faults.copies("POST p/rsp", "sent") == 0
    faults.clear()
    assert faults.copies("POST p/rsp", "sent") == 1
