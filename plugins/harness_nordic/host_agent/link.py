"""One HTTP exchange in a board's name (nrfcloud fact sheet, sections 3.1 and 3.2)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from harness import __version__
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_USER_AGENT = f"provisioning-harness/{__version__} (host agent)"
_REFUSALS = (ssl.SSLError, ConnectionRefusedError)
_LOST_CONNECTIONS = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)
"""Errors of TLS that say nothing of the certificate: somebody hung up."""


class LinkFailed(Exception):
    """There was no usable answer.

    :ivar refused: the other end refuses us, or we refuse it, which the library takes for a wrong root CA.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        """Keep the reason."""
        self.refused = refused
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class ServiceLink:
    """Makes exchanges with the device endpoint of a service, each over a connection of its own."""

    def __init__(self, url: str, ca_pem: str | None = None) -> None:
        """Know the service; nothing is connected yet.

        :param url: ``http`` or ``https`` address of the device endpoint.
        :param ca_pem: the only CA certificates (PEM) to trust; ``None``: those that everybody trusts.
        :raises UsageError: no such address, or no certificates.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(
                "not the address of a service", key="url", value=url, expected="http(s)://HOST[:PORT]"
            )
        self._url = url.rstrip("/")
        self._verify = _trust(ca_pem) if parts.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._trust_env = parts.hostname not in _LOOPBACK

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        largest: int,
        timeout: float,
    ) -> Answer:
        """Send a request and read the answer.

        :param target: path and query.
        :param largest: bytes that the answer must be smaller than, status line and headers included.
        :param timeout: seconds for connecting and for each wait.
        :raises LinkFailed: there was no answer, or it is too large.
        """
        headers = {**headers, "User-Agent": _USER_AGENT, "Connection": "close"}
        try:
            with (
                httpx.Client(verify=self._verify, trust_env=self._trust_env, timeout=timeout) as client,
                client.stream(method, self._url + target, headers=headers, content=body) as response,
            ):
                return Answer(response.status_code, _read(response, largest))
        except httpx.ConnectError as error:
            refused = _caused_by(error, _REFUSALS) and not _caused_by(error, _LOST_CONNECTIONS)
            raise LinkFailed(f"no connection: {error}", refused=refused) from error
        except httpx.TimeoutException as error:
            raise LinkFailed("timed out") from error
        except httpx.HTTPError as error:
            raise LinkFailed(f"transport failed: {type(error).__name__}: {error}") from error


def _trust(ca_pem: str | None) -> ssl.SSLContext:
    if ca_pem is None:
        return httpx.create_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise UsageError("no CA certificate", key="ca_pem", expected="certificates in PEM") from error
    return context


def _read(response: httpx.Response, largest: int) -> bytes:
    status_line = len(f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n")
    room = largest - status_line - sum(len(name) + len(value) + 4 for name, value in response.headers.raw) - 2
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) >= room:
            raise LinkFailed(f"the answer does not fit {largest} bytes")
    return bytes(body)


def _caused_by(error: BaseException | None, kinds: tuple[type[BaseException], ...]) -> bool:
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__ or error.__context__
    return False
