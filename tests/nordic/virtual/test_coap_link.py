"""The board's CoAP client against a service of literal bytes, and against libcoap's server."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harness_nordic.virtual.coap_link import CoapLink, Request
from harness_nordic.virtual.datagram_faults import DatagramFault, DatagramFaults
from harness_nordic.virtual.exchange import ExchangeFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

DEADLINE = 10.0
FETCH = Request(code=1, path="p/cmd", query=("after=",), accept=60)


class Script:
    """A service that answers each datagram as a test says, and keeps what came."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.answer: Callable[[bytes], list[bytes]] = lambda _data: []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> list[bytes]:
        """Wait until so many datagrams have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, DEADLINE)
            return list(self.received)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(DEADLINE)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65536)
            if not data:
                return
            with self._came:
                self.received.append(data)
                self._came.notify_all()
            for answer in self.answer(data):
                self._socket.sendto(answer, peer)


@pytest.fixture
def script() -> Iterator[Script]:
    """A service of literal bytes."""
    script = Script()
    yield script
    script.close()


@pytest.fixture
def make_link() -> Iterator[Callable[..., CoapLink]]:
    """Make links that are impatient; they end with the test."""
    links: list[CoapLink] = []

    def make(port: int | None, **changes: Any) -> CoapLink:
        usual: dict[str, Any] = {
            "rx_size": 2304,
            "timeout": 0.5,
            "ack_timeout": 0.03,
            "block_size": 64,
            "faults": DatagramFaults(),
            "answered": lambda _name: None,
            "repeated": lambda _name: None,
        }
        link = CoapLink(None if port is None else f"coap://127.0.0.1:{port}", **{**usual, **changes})
        links.append(link)
        return link

    yield make
    for link in links:
        link.close()


def piggybacked(data: bytes, code: int, more: bytes = b"") -> bytes:
    """Answer a request with four bytes of token by an acknowledgement."""
    return bytes([0x64, code]) + data[2:8] + more


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
    link = make_link(script.port, repeated=repeated.append, timeout=DEADLINE)
    link.open()

    assert link.request(FETCH).status == 205
    assert repeated == ["GET p/cmd"] * 2
    assert len(set(script.received)) == 1


def test_nobody_answers(script: Script, make_link: Any) -> None:
    """After its time a request has failed, and was sent five times at most."""
    link = make_link(script.port, ack_timeout=0.001)
    link.open()

    with pytest.raises(ExchangeFailed, match="timed out") as failed:
        link.request(FETCH)
    assert failed.value.late
    assert len(script.received) == 5


def test_rejected(script: Script, make_link: Any) -> None:
    """A reset ends a request at once."""
    script.answer = lambda data: [b"\x70\x00" + data[2:4]]
    link = make_link(script.port, timeout=DEADLINE)
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
    link = make_link(port, timeout=DEADLINE)
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


def blocks_of(content: bytes, *, size: int = 64) -> Callable[[bytes], list[bytes]]:
    """Answer every fetch with the block that it asks for."""

    def answer(data: bytes) -> list[bytes]:
        value = int.from_bytes(data[data.rindex(b"\x21\x3c") + 3 :], "big")
        number = value >> 4
        more = (number + 1) * size < len(content)
        option = (number << 4 | more << 3 | (size.bit_length() - 5)).to_bytes(2, "big")
        piece = content[number * size : (number + 1) * size]
        return [piggybacked(data, 0x45, b"\xd2\x0a" + option + b"\xff" + piece)]

    return answer


def test_answer_in_blocks(script: Script, make_link: Any) -> None:
    """Blocks are asked for one after the other, each by a message of its own, until none is left."""
    content = bytes(range(256)) * 2
    script.answer = blocks_of(content)
    answered: list[str] = []
    link = make_link(script.port, answered=answered.append)
    link.open()

    answer = link.request(FETCH)

    assert (answer.body, answer.size) == (content, 512)
    assert len({data[2:4] for data in script.received}) == 8
    assert answered == ["GET p/cmd"]


def test_answer_in_smaller_blocks(script: Script, make_link: Any) -> None:
    """The service may send smaller blocks than were asked for."""
    script.answer = blocks_of(b"x" * 100, size=16)
    link = make_link(script.port)
    link.open()

    assert link.request(FETCH).body == b"x" * 100


def test_answer_does_not_fit(script: Script, make_link: Any) -> None:
    """As soon as the buffer is full no more blocks are asked for."""
    script.answer = blocks_of(b"x" * 1000)
    link = make_link(script.port, rx_size=100)
    link.open()

    with pytest.raises(ExchangeFailed, match="RX buffer too small: the answer does not fit 100 bytes"):
        link.request(FETCH)
    assert len(script.received) == 2


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([(0x45, "d1 0a 0a ff 00")], "gap between two blocks"),
        ([(0x45, "d1 0a 08 ff" + "00" * 16), (0x88, "")], "lost the rest"),
        ([(0x45, "d1 0a 08 ff" + "00" * 16), (0x45, "d1 0a 20 ff 00")], "lost the rest"),
        ([(0x45, "d1 0a 0f ff 00")], "a block option that is none"),
    ],
    ids=["first block too short", "the service forgot", "another block", "no block"],
)
def test_blocks_that_do_not_fit_together(
    script: Script, make_link: Any, answers: list[tuple[int, str]], why: str
) -> None:
    """An answer that cannot be put together is none."""

    def answer(data: bytes) -> list[bytes]:
        code, more = answers[len(script.received) - 1]
        return [piggybacked(data, code, bytes.fromhex(more))]

    script.answer = answer
    link = make_link(script.port)
    link.open()

    with pytest.raises(ExchangeFailed, match=why):
        link.request(FETCH)


REPORT = Request(code=2, path="p/rsp", payload=b"r" * 150, content_format=60)


def test_report_in_blocks(script: Script, make_link: Any) -> None:
    """A payload goes out in blocks of the chosen size; the last one says that it is the last."""
    script.answer = lambda data: [piggybacked(data, 0x5F if len(script.received) < 3 else 0x44)]
    link = make_link(script.port)
    link.open()

    assert link.request(REPORT).status == 204
    head = bytes.fromhex("b1 70 03 727370 11 3c d1 02")
    assert [data[8:] for data in script.received] == [
        head + b"\x0a\xff" + b"r" * 64,
        head + b"\x1a\xff" + b"r" * 64,
        head + b"\x22\xff" + b"r" * 22,
    ]


def test_report_in_smaller_blocks(script: Script, make_link: Any) -> None:
    """The service may ask for smaller blocks from then on (RFC 7959, section 2.3)."""

    def answer(data: bytes) -> list[bytes]:
        last = len(data.partition(b"\xff")[2]) < 16
        return [piggybacked(data, 0x44 if last else 0x5F, b"" if last else bytes.fromhex("d1 0e 08"))]

    script.answer = answer
    link = make_link(script.port)
    link.open()

    assert link.request(REPORT).status == 204
    sizes = [len(data.partition(b"\xff")[2]) for data in script.received]
    assert sizes == [64, 16, 16, 16, 16, 16, 6]


def test_report_is_refused_amid_blocks(script: Script, make_link: Any) -> None:
    """A refusal of one block is the answer."""
    script.answer = lambda data: [piggybacked(data, 0x88)]
    link = make_link(script.port)
    link.open()

    assert link.request(REPORT).status == 408
    assert len(script.received) == 1


def test_notice(script: Script, make_link: Any) -> None:
    """A message that needs no answer is sent once; the answer is heard if there is one."""
    suspend = Request(code=2, path=".dtls/suspend")
    link = make_link(script.port)
    link.open()

    assert link.notify(suspend) is None
    script.answer = lambda data: [bytes.fromhex("54 84 0001") + data[4:8]]
    assert link.notify(suspend) == 404
    assert [data[:2] + data[8:] for data in script.received] == [
        bytes.fromhex("54 02 b5 2e64746c73 07 73757370656e64")
    ] * 2


def test_notice_to_nobody(make_link: Any) -> None:
    """Whoever listens no more is noticed at the next message."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    link = make_link(port, ack_timeout=DEADLINE)
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
    link = make_link(script.port, faults=faults, timeout=DEADLINE)
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


# libcoap's server --------------------------------------------------------------------------------------


def wait_for_server(port: int) -> None:
    """Ask a server whether it is there until it says so."""
    until = time.monotonic() + DEADLINE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(("127.0.0.1", port))
        while time.monotonic() < until:
            with suppress(OSError):
                probe.send(bytes.fromhex("40 00 1234"))
                assert probe.recv(100) == bytes.fromhex("70 00 1234")
                return
    pytest.fail("libcoap's server does not listen")


@pytest.fixture
def libcoap(tmp_path: Path) -> Iterator[int]:
    """Libcoap's server with 3000 bytes at ``example_data``; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    content = tmp_path / "content"
    content.write_bytes(bytes(range(250)) * 12)
    server = subprocess.Popen(["coap-server-notls", "-A", "127.0.0.1", "-p", str(port)])
    try:
        wait_for_server(port)
        put = ["coap-client-notls", "-B", "9", "-m", "put", "-f", str(content)]
        subprocess.run([*put, f"coap://127.0.0.1:{port}/example_data"], check=True, timeout=20)
        yield port
    finally:
        server.terminate()
        server.wait(DEADLINE)


@pytest.mark.parametrize("size", [32, 512])
def test_blocks_of_libcoap(libcoap: int, make_link: Any, size: int) -> None:
    """What libcoap sends in blocks is put together byte for byte."""
    link = make_link(libcoap, block_size=size, rx_size=4000, timeout=DEADLINE, ack_timeout=2.0)
    link.open()

    answer = link.request(Request(code=1, path="example_data"))

    assert (answer.status, answer.body) == (205, bytes(range(250)) * 12)
    assert link.request(Request(code=1, path="nowhere")).status == 404
