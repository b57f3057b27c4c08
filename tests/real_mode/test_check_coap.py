"""The check's own CoAP: what is lost, what comes by itself, and who says nothing."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness.errors import BackendUnreachable
from harness_nordic import check_coap
from harness_nordic.check_coap import CoapAsker

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """A service's UDP socket in the hands of the test."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(10)
        yield made


def test_datagram_lost_and_answer_by_itself(peer: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is repeated until it is acknowledged; an answer that comes by itself is acknowledged."""
    monkeypatch.setattr(check_coap, "_FIRST_PATIENCE", 0.05)
    with ThreadPoolExecutor(1) as pool, CoapAsker(f"coap://127.0.0.1:{peer.getsockname()[1]}") as asker:
        asking = pool.submit(asker.ask, "POST", "p/auth-jwt", payload=b"a.b.c", content_format=60)
        first, _ = peer.recvfrom(2048)
        second, sender = peer.recvfrom(2048)
        number, token = second[2:4], second[4:8]
        peer.sendto(b"no CoAP", sender)
        peer.sendto(b"\x60\x00" + number, sender)
        peer.sendto(b"\x44\x45\x12\x34" + token + b"\xd1\x01\x3c\xffhi", sender)
        acknowledged = peer.recv(2048)
        while acknowledged == first:
            acknowledged = peer.recv(2048)
        answer = asking.result(10)

    assert first == second
    assert second[:2] == b"\x44\x02"
    assert second[8:] == b"\xb1p\x08auth-jwt\x11\x3c\xffa.b.c"
    assert acknowledged == b"\x60\x00\x12\x34"
    assert (answer.status, answer.max_age, answer.payload) == (205, 60, b"hi")


def test_reset_and_silence(peer: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that rejects or says nothing is named, with its address."""
    monkeypatch.setattr(check_coap, "DEADLINE", 0.05)
    address = f"coap://127.0.0.1:{peer.getsockname()[1]}"
    with CoapAsker(address) as asker, pytest.raises(BackendUnreachable, match=f"{address} did not answer"):
        asker.ask("GET", "p/cmd")
    request, _ = peer.recvfrom(2048)
    monkeypatch.setattr(check_coap, "DEADLINE", 10.0)
    with ThreadPoolExecutor(1) as pool, CoapAsker(address) as asker:
        asking = pool.submit(asker.ask, "GET", "p/cmd")
        request, sender = peer.recvfrom(2048)
        peer.sendto(b"\x70\x00" + request[2:4], sender)
        with pytest.raises(BackendUnreachable, match="rejected"):
            asking.result(10)
