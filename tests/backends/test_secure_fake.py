"""A fake that offers TLS is served over it too, and a fake may hang up; openssl makes the certificate."""

from __future__ import annotations

import socket
import ssl
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend
from harness.backends.launcher import start_fake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.backends.contract import BackendSpec

MODULE = """
import ssl

from tiny_fake import Fake
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


class Silence:
    async def __call__(self, scope, receive, send):
        scope["extensions"]["harness.hang_up"]()
        while (await receive())["type"] != "http.disconnect":
            pass


async def silent(request):
    return Silence()


class Door:
    url = ""

    def __init__(self, directory):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")


class SecureFake(Fake):
    def __init__(self, options):
        super().__init__(options)
        self.tls = Door(options["directory"])
        self.service.routes.append(Route("/silent", silent))
        self.control = Starlette(routes=[Route("/url", lambda request: JSONResponse(self.tls.url))])


def create(settings):
    return SecureFake(settings.options)
"""


@pytest.fixture
def backend(spec: BackendSpec, tmp_path: Path) -> Iterator[Backend]:
    """Run a tiny fake with a certificate that openssl made."""
    (tmp_path / "modules" / "secure_fake.py").write_text(MODULE)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem"
    command += " -out cert.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    secure = replace(spec, fake="secure_fake:create")
    with start_fake(secure, tmp_path, lifeline=None, options={"directory": str(tmp_path)}) as fake:
        yield fake.backend


def exchange(address: str, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Send bytes and return all that comes until the other end closes."""
    host, _, port = address.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        connection = context.wrap_socket(plain, server_hostname=host) if context else plain
        with connection:
            connection.sendall(request)
            received = b""
            while piece := connection.recv(65536):
                received += piece
            return received


def test_served_over_tls(backend: Backend, tmp_path: Path) -> None:
    """The same service on a second port, with the fake's own certificate; the fake knows where."""
    assert backend.secure_url is not None
    assert backend.secure_url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    head = (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
    )
    request = head + b"body"

    answer = exchange(backend.secure_url, request, context)

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nbody")
    assert answer == exchange(backend.url, request)


def test_fake_knows_where(backend: Backend) -> None:
    """The runner tells the fake where its TLS is."""
    from harness.backends.http import ServiceHttp

    with ServiceHttp("http://fake", socket=backend.control) as control:
        assert control.send("GET", "/url").json() == backend.secure_url


def test_survives_plain_data(backend: Backend, tmp_path: Path) -> None:
    """A peer that speaks no TLS is let go; the next one is served."""
    assert backend.secure_url is not None
    exchange(backend.secure_url, b"GET /echo HTTP/1.1\r\n\r\n")

    test_served_over_tls(backend, tmp_path)


@pytest.mark.parametrize("secure", [False, True])
def test_hanging_up(backend: Backend, tmp_path: Path, *, secure: bool) -> None:
    """An application that hangs up sends not one byte, and the fake serves on."""
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem")) if secure else None
    address = str(backend.secure_url if secure else backend.url)

    assert exchange(address, b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n", context) == b""
    request = b"GET /echo HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\nConnection: close\r\n\r\n"
    assert exchange(address, request, context).startswith(b"HTTP/1.1 200")


def test_backend_as_plain_data(backend: Backend) -> None:
    """Workers are told where TLS is."""
    assert Backend.from_json(backend.to_json()) == backend


def test_fake_without_tls(spec: BackendSpec, tmp_path: Path) -> None:
    """A fake that offers none has no second address."""
    with start_fake(spec, tmp_path, lifeline=None) as fake:
        assert fake.backend.secure_url is None
