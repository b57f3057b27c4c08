"""What the agent keeps besides its files: who it is, its open request, what it has installed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names of the records.
DECLARED, SERVICE, PENDING, INSTALLED, LATEST = "declared", "service", "pending", "installed", "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Who the component was told to be.

    :ivar instance_id: its system instance, when that is not its package's.
    """

    component: str
    hw_id: str
    instance_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The open request, and the keys that it asks certificates for.

    :ivar nonce: base64url.
    :ivar keys: private keys (PEM) by slot.
    :ivar source: which Guardian it names, if it names one.
    :ivar form: ``jws`` or ``cose``.
    :ivar package: SHA-256 of the package that it was made by.
    """

    request_id: str
    nonce: str
    reprovision: bool
    system: str
    instance_id: str
    component: str
    hw_id: str
    source: str | None
    form: str
    package: str
    keys: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledSlot:
    """A key with its certificates.

    :ivar key: the private key (PEM).
    :ivar chain: base64 DER, leaf first.
    """

    key: str = field(repr=False)
    chain: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the board was provisioned with.

    :ivar nonce: of the request, base64url: the board reads its row with it.
    :ivar completed: the service was told that all this is installed.
    """

    request_id: str
    response_id: str
    nonce: str
    system: str
    instance_id: str
    component: str
    component_instance_id: str
    hw_id: str
    slots: Mapping[str, InstalledSlot]
    completed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The request that was made last, also when it is not open any more.

    :ivar nonce: base64url.
    """

    request_id: str
    nonce: str


def write(record: Declared | Pending | Installed | Latest) -> bytes:
    """Return a record as the storage keeps it."""
    return json.dumps(asdict(record), sort_keys=True).encode()


def read_declared(content: bytes | None) -> Declared | None:
    """Read who the component was told to be."""
    return None if content is None else Declared(**json.loads(content))


def read_pending(content: bytes | None) -> Pending | None:
    """Read the open request."""
    return None if content is None else Pending(**json.loads(content))


def read_latest(content: bytes | None) -> Latest | None:
    """Read which request was the last."""
    return None if content is None else Latest(**json.loads(content))


def read_installed(content: bytes | None) -> Installed | None:
    """Read what is installed."""
    if content is None:
        return None
    fields: dict[str, Any] = json.loads(content)
    slots = {
        name: InstalledSlot(key=slot["key"], chain=tuple(slot["chain"]))
        for name, slot in fields.pop("slots").items()
    }
    return Installed(slots=slots, **fields)
