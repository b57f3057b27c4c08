"""A fake that has a door for datagrams is served over UDP too; the runner owns the socket."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend
from harness.backends.launcher import start_fake
from harness.errors import BackendUnreachable

if TYPE_CHECKING:
    from pathlib import Path

    from harness.backends.contract import BackendSpec

MODULE = """
import asyncio

from tiny_fake import Fake
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(b"heard " + data, address)

    def connection_lost(self, error):
        with open("lost", "w") as file:
            file.write(repr(error))


class Door:
    part, scheme, remark, url = "echoes", "echo", "nothing is kept secret", ""

    def protocol(self):
        return Echo()


class LoudFake(Fake):
    def __init__(self, options):
        super().__init__(options)
        self.datagrams = Door()
        self.control = Starlette(routes=[Route("/url", lambda request: JSONResponse(self.datagrams.url))])


class NoEcho(Door):
    def protocol(self):
        raise OSError("no echo here")


def create(settings):
    fake = LoudFake(settings.options)
    if settings.options.get("echo") == "no":
        fake.datagrams = NoEcho()
    return fake
"""


@pytest.fixture
def loud(spec: BackendSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackendSpec:
    """A tiny fake that answers datagrams."""
    (tmp_path / "modules" / "loud_fake.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return replace(spec, fake="loud_fake:create")


def test_served_by_datagrams(loud: BackendSpec, tmp_path: Path) -> None:
    """The address is that of a part, the session hears the remark, and the end closes the socket."""
    with start_fake(loud, tmp_path, lifeline=None) as fake:
        address = fake.backend.address("echoes")
        assert fake.backend.remarks == ("nothing is kept secret",)
        assert fake.backend.addresses == {"echoes": address}
        assert Backend.from_json(fake.backend.to_json()) == fake.backend
        scheme, _, place = address.partition("://")
        host, _, port = place.partition(":")
        assert (scheme, host) == ("echo", "127.0.0.1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(10)
            peer.connect((host, int(port)))
            peer.send(b"us")
            assert peer.recv(100) == b"heard us"
    assert (tmp_path / "lost").read_text() == "None"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as successor:
        successor.bind((host, int(port)))


def test_door_that_does_not_open(loud: BackendSpec, tmp_path: Path) -> None:
    """A door that cannot be served ends the fake, and the log says why."""
    with pytest.raises(BackendUnreachable, match="no echo here"):
        start_fake(loud, tmp_path, lifeline=None, options={"echo": "no"})


def test_fake_without_such_a_door(spec: BackendSpec, tmp_path: Path) -> None:
    """Whoever has no such door has no such address."""
    with start_fake(spec, tmp_path, lifeline=None) as fake:
        assert (fake.backend.addresses, fake.backend.remarks) == ({}, ())
        assert fake.backend.address("echoes") == fake.backend.url
