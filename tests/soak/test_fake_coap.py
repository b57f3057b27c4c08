"""Datagrams to the fake that are nearly CoAP messages: it drops or refuses them, and goes on answering.

20,000 at scale 1 over UDP, from one address that is known to the fake and one that is not.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import cbor2
import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness_nordic import plugin
from harness_nordic.client import connect, enrol
from harness_nordic.client_requests import Configuration
from tests.nordic.paper_device import PaperDevice
from tests.soak.support.fake_inputs import damaged_bytes

if TYPE_CHECKING:
    from random import Random

    from tests.soak.support.rounds import Rounds

GET, POST = 1, 2
EMPTY, RESET = 0, 3
URI_PATH, CONTENT_FORMAT, URI_QUERY, BLOCK2, BLOCK1 = 11, 12, 15, 23, 27
CHECKED_EVERY = 100


def options(*pairs: tuple[int, bytes]) -> bytes:
    """Encode options as RFC 7252, section 3.1 says; in the order of their numbers."""
    data, before = b"", 0
    for number, value in pairs:
        nibbles, extended = [], b""
        for size in (number - before, len(value)):
            if size < 13:
                nibbles.append(size)
            elif size < 269:
                nibbles.append(13)
                extended += bytes([size - 13])
            else:
                nibbles.append(14)
                extended += (size - 269).to_bytes(2, "big")
        data += bytes([nibbles[0] << 4 | nibbles[1]]) + extended + value
        before = number
    return data


def message(kind: int, code: int, number: int, *pairs: tuple[int, bytes], payload: bytes = b"") -> bytes:
    """Encode a message with a token of two bytes; kind 0 is to be acknowledged."""
    head = bytes([0x40 | kind << 4 | 2, code]) + number.to_bytes(2, "big") + number.to_bytes(2, "little")
    return head + options(*pairs) + (b"\xff" + payload if payload else b"")


def path(*segments: str) -> list[tuple[int, bytes]]:
    """Return the options of a path."""
    return [(URI_PATH, segment.encode()) for segment in segments]


class Peer:
    """A socket that speaks to the fake's CoAP door."""

    def __init__(self, url: str) -> None:
        """Have an address of its own."""
        parts = urlsplit(url)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(10)
        self._socket.connect((parts.hostname, parts.port))
        self._number = 0x8000

    def throw(self, datagram: bytes) -> None:
        """Send something, whatever becomes of it."""
        self._socket.send(datagram)

    def ask(self, code: int, *pairs: tuple[int, bytes], payload: bytes = b"") -> tuple[int, bytes]:
        """Send a proper request; return code and payload of the answer, and pass over all others."""
        self._number = 0x8000 | (self._number + 1) & 0x7FFF
        self._socket.send(message(0, code, self._number, *pairs, payload=payload))
        token = self._number.to_bytes(2, "little")
        while True:
            said = self._socket.recv(65536)
            if said[:1] and said[0] & 15 == 2 and said[4:6] == token and said[1] != EMPTY:
                _options, _, rest = said[6:].partition(b"\xff")
                return said[1], rest

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def nearly(random: Random, jwt: str, identifier: str) -> bytes:
    """Make a message that is nearly right: of the device's own, or of what no server expects."""
    number = random.randrange(0x8000)
    query = [(URI_QUERY, random.choice((b"after=", b"limit=10", b"limit=x", b"=", b"", b"\xff", b"a" * 300)))]
    block = bytes([random.randrange(256)])
    report = cbor2.dumps([[identifier, 101]])
    made = random.choice(
        (
            message(0, POST, number, *path("p", "auth-jwt"), payload=jwt.encode()[:-1] + b"\xc3"),
            message(0, GET, number, *path("p", "cmd"), *query),
            message(1, GET, number, *path("p", "cmd"), *query, (BLOCK2, block)),
            message(0, POST, number, *path("p", "rsp"), (CONTENT_FORMAT, b"\x3c"), payload=report),
            message(
                0, POST, number, *path("p", "rsp"), (CONTENT_FORMAT, b"\x3c"), (BLOCK1, block), payload=report
            ),
            message(1, POST, number, *path(".dtls", "suspend")),
            message(random.randrange(4), random.randrange(256), number, *path("p", "cmd"), payload=report),
            message(RESET, EMPTY, number),
            message(0, random.randrange(1, 8), number, *path("p", random.choice(("cmd", "rsp", "x", "")))),
            random.randbytes(random.randrange(40)),
        )
    )
    return made if random.random() < 0.4 else damaged_bytes(random, made)


@pytest.mark.parametrize("known", [True, False], ids=["a device", "a stranger"])
def test_messages(rounds: Rounds, tmp_path_factory: pytest.TempPathFactory, *, known: bool) -> None:
    """Whatever comes, the next proper request of the device is answered, and its command is still there."""
    (spec,) = plugin.harness_backends()
    paper = PaperDevice(1)
    with ExitStack() as resources:
        fake = resources.enter_context(start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None))
        client = connect(fake.backend, BackendSession(run_id="soak", worker="main"))
        resources.callback(client.close)
        enrol(fake.backend, paper.record())
        command = client.claim(paper.token()).add_command(Configuration({"a": "b"}))
        device, thrower = (Peer(fake.backend.address("coap")) for _peer in range(2))
        resources.callback(device.close)
        resources.callback(thrower.close)
        jwt = paper.jwt(expires=time.time() + 3600)
        wanted = cbor2.dumps([[f"{command.id}.1", 1, {"a": "b"}]])
        for random in rounds.run(10_000):
            (device if known else thrower).throw(nearly(random, jwt, "no such command"))
            if rounds.outcomes.total() % CHECKED_EVERY == 0:
                # A JWT that was refused has ended what the device had before.
                assert device.ask(POST, *path("p", "auth-jwt"), payload=jwt.encode())[0] == 0x41
                assert device.ask(GET, *path("p", "cmd"), (URI_QUERY, b"limit=10")) == (0x45, wanted)
            rounds.count("thrown")
        assert fake.running
        assert "Traceback" not in fake.log.read_text()
