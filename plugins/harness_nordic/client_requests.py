"""The provisioning commands that a client can ask for (nrfcloud fact sheet, section 2.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from harness.redaction import SHORTEST_SECRET
from harness_nordic.enums import CommandType

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Write a root CA certificate (PEM; may hold two)."""

    type: ClassVar = CommandType.SERVER_CERTIFICATE
    sec_tag: int
    content: str

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"secTag": self.sec_tag, "content": self.content}


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Write a client certificate (PEM)."""

    type: ClassVar = CommandType.CLIENT_CERTIFICATE
    sec_tag: int
    content: str

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"secTag": self.sec_tag, "content": self.content}


@dataclass(frozen=True, slots=True)
class ClientPrivateKey:
    """Write a private key (PEM), with its password if it has one."""

    type: ClassVar = CommandType.CLIENT_PRIVATE_KEY
    sec_tag: int
    content: str = field(repr=False)
    password: str | None = field(default=None, repr=False)

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        fields = {"secTag": self.sec_tag, "content": self.content}
        return fields if self.password is None else {**fields, "password": self.password}


@dataclass(frozen=True, slots=True)
class PreSharedKey:
    """Write a pre-shared key (hex) and its identity."""

    type: ClassVar = CommandType.PRE_SHARED_KEY
    sec_tag: int
    identity: str
    secret: str = field(repr=False)

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"secTag": self.sec_tag, "identity": self.identity, "secret": self.secret}


@dataclass(frozen=True, slots=True)
class CertificateSigningRequest:
    """Make a key pair and export a CSR.

    :ivar attributes: for example ``CN=...,O=...``; empty leaves the subject to the device.
    :ivar key_usage: nine characters ``0`` or ``1``; the default is the Python client's.
    """

    type: ClassVar = CommandType.CERTIFICATE_SIGNING_REQUEST
    sec_tag: int
    attributes: str = ""
    key_usage: str = "101010000"

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"secTag": self.sec_tag, "attributes": self.attributes, "keyUsage": self.key_usage}


@dataclass(frozen=True, slots=True)
class CloudAccessKeyGeneration:
    """Make a key pair whose public half is registered with nRF Cloud."""

    type: ClassVar = CommandType.CLOUD_ACCESS_KEY_GENERATION
    sec_tag: int

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"secTag": self.sec_tag}


@dataclass(frozen=True, slots=True)
class ClientPrivateKeyGeneration:
    """Make a key pair and return the public key."""

    type: ClassVar = CommandType.CLIENT_PRIVATE_KEY_GENERATION
    sec_tag: int

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"secTag": self.sec_tag}


@dataclass(frozen=True, slots=True)
class Configuration:
    """Store settings on the device."""

    type: ClassVar = CommandType.CONFIG
    properties: Mapping[str, str]

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {"properties": dict(self.properties)}


@dataclass(frozen=True, slots=True)
class Finished:
    """End the provisioning."""

    type: ClassVar = CommandType.FINISHED

    def fields(self) -> dict[str, Any]:
        """Return no fields: there are none."""
        return {}


CommandRequest = (
    ServerCertificate
    | ClientCertificate
    | ClientPrivateKey
    | PreSharedKey
    | CertificateSigningRequest
    | CloudAccessKeyGeneration
    | ClientPrivateKeyGeneration
    | Configuration
    | Finished
)


def secrets_in(request: CommandRequest) -> list[tuple[str, str]]:
    """Return what of a request must never be written, with labels.

    What is too short to be told from other text is left out: redaction would refuse it.
    """
    if isinstance(request, ClientPrivateKey):
        found = [(request.content, "private key"), (request.password or "", "key password")]
    elif isinstance(request, PreSharedKey):
        found = [(request.secret, "pre-shared key")]
    else:
        found = []
    return [(value, label) for value, label in found if len(value) >= SHORTEST_SECRET]
