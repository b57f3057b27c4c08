"""The board's CoAP client, block by block: against literal bytes and against libcoap's server."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harness_nordic.virtual.coap_link import Request
from harness_nordic.virtual.exchange import ExchangeFailed
from tests.nordic.virtual.coap_script import DEADLINE, FETCH, Script, piggybacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any


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


def payload_of(data: bytes) -> bytes:
    """Return what is behind the marker; number and token, at random, may look like one."""
    return data[8:].partition(b"\xff")[2]


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
        last = len(payload_of(data)) < 16
        return [piggybacked(data, 0x44 if last else 0x5F, b"" if last else bytes.fromhex("d1 0e 08"))]

    script.answer = answer
    link = make_link(script.port)
    link.open()

    assert link.request(REPORT).status == 204
    sizes = [len(payload_of(data)) for data in script.received]
    assert sizes == [64, 16, 16, 16, 16, 16, 6]


def test_report_is_refused_amid_blocks(script: Script, make_link: Any) -> None:
    """A refusal of one block is the answer."""
    script.answer = lambda data: [piggybacked(data, 0x88)]
    link = make_link(script.port)
    link.open()

    assert link.request(REPORT).status == 408
    assert len(script.received) == 1


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
    link = make_link(libcoap, block_size=size, rx_size=4000, ack_timeout=2.0)
    link.open()

    answer = link.request(Request(code=1, path="example_data"))

    assert (answer.status, answer.body) == (205, bytes(range(250)) * 12)
    assert link.request(Request(code=1, path="nowhere")).status == 404
