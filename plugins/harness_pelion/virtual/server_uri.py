"""Where a server is, as the store and a bootstrap name it: ``coaps://HOST:PORT?aid=ACCOUNT``."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from harness_pelion.virtual.client_log import ClientFailure, ErrorName

#: The port of CoAP with TLS (pelion fact sheet, section 6.2).
_USUAL_PORT = 5684
_ACCOUNT = "aid="


@dataclass(frozen=True, slots=True)
class ServerUri:
    """A server's address.

    :ivar account_id: what the query says of the account, ``None`` when it says nothing.
    """

    host: str
    port: int
    account_id: str | None

    def __str__(self) -> str:
        """Write host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_uri(content: bytes) -> ServerUri:
    """Read a server's URI.

    :raises ClientFailure: it is none that the client can connect to.
    """
    try:
        parts = urlsplit(content.decode().rstrip("\0"))
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unfit("it is no URI") from error
    if parts.scheme.lower() != "coaps":
        raise _unfit("its scheme is not coaps")
    if not host or port == 0:
        raise _unfit("it names no host")
    accounts = [each.removeprefix(_ACCOUNT) for each in parts.query.split("&") if each.startswith(_ACCOUNT)]
    return ServerUri(host, _USUAL_PORT if port is None else port, accounts[0] if accounts else None)


def _unfit(text: str) -> ClientFailure:
    return ClientFailure(
        ErrorName.ConnectInvalidParameters, f"the server's URI cannot be used: {text}", hopeless=True
    )
