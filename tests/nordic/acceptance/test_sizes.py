"""The acceptance list's line on sizes, measured on a socket (nrfcloud fact sheet, section 11)."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import cbor2
import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness_nordic import plugin
from harness_nordic.client import connect, enrol
from harness_nordic.client_requests import ServerCertificate
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.contract import Backend


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A fake in a process of its own."""
    (spec,) = plugin.harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as fake:
        yield fake.backend


def fetched(url: str, jwt: str, after: str, size: int) -> bytes:
    """Fetch as the library does, and return every byte that comes back."""
    host = urlsplit(url).netloc
    query = f"after={after}&rxMaxSize={size}&txMaxSize=4096&mver=x&cver=1&limit=10"
    request = (
        f"GET /v1/provisioning/commands?{query} HTTP/1.1\r\nHost: {host}\r\nAccept: application/cbor\r\n"
        f"Authorization: Bearer {jwt}\r\nContent-Type: */*\r\nConnection: close\r\n\r\n"
    )
    address, _, port = host.partition(":")
    with socket.create_connection((address, int(port)), timeout=10) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as stream:
            return stream.read()


@pytest.mark.parametrize("size", [1024, 1500, 2048, 2304, 4096])
def test_headers_and_body_below_rx_max_size(backend: Backend, size: int) -> None:
    """Status line, headers and body are smaller than the buffer, and every command comes all the same."""
    client = connect(backend, BackendSession(run_id=f"sizes-{size}", worker="main"))
    try:
        paper = PaperDevice(size)
        enrol(backend, paper.record())
        device = client.claim(paper.token())
        contents = [str(number) * 450 for number in range(9)]
        for content in contents:
            device.add_command(ServerCertificate(sec_tag=5, content=content))
        served: list[str] = []
        after = ""
        while len(served) < len(contents):
            answer = fetched(backend.url, paper.jwt(expires=time.time() + 300), after, size)
            assert len(answer) < size
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            elements = cbor2.loads(body)
            served += [element[3] for element in elements]
            after = elements[-1][0]
        assert served == [f'0,5,0,"{content}"' for content in contents]
    finally:
        client.undo()
        client.close()
