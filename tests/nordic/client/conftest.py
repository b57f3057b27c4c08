"""A fake that runs, a device whose token is put together by hand, and a client of a team of its own."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey

from harness.backends.contract import Backend, BackendSession
from harness.backends.launcher import start_fake
from harness_nordic import plugin
from harness_nordic.client import NrfCloudClient, connect, enrol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.contract import Exchange

FIRMWARE = "25c95751-efa4-40d4-8b4a-1dcaab81fac9"


class Device:
    """A device with a key of its own, whose token is put together by hand (fact sheet, section 4.1)."""

    def __init__(self) -> None:
        """Make a device that nobody knows yet."""
        self.id = str(uuid.uuid4())
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def record(self) -> dict[str, Any]:
        """The factory record."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {
            "uuid": self.id,
            "public_key": point.hex(),
            "imei": "359404230261381",
            "device_type": 3,
            "firmware_uuid": FIRMWARE,
        }

    def token(self) -> str:
        """Make an attestation token."""
        body = bytes.fromhex("d9d9f7850150") + uuid.UUID(self.id).bytes + b"\x03\x50"
        body += uuid.UUID(FIRMWARE).bytes + b"\x50" + bytes(16)
        signed = bytes.fromhex("846a5369676e61747572653143a101265839") + body + b"\xf6"
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        cose = bytes.fromhex("d28443a10126a1044121f65840") + r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return ".".join(base64.urlsafe_b64encode(half).decode().rstrip("=") for half in (body, cose))

    def jwt(self) -> str:
        """Make a JWT that lives until 2100."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        claims = {"iss": f"nRF9160.{self.id}", "exp": 4_102_444_800}
        return jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem))


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Run the fake that the plugin names."""
    (spec,) = plugin.harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as fake:
        yield fake.backend


@pytest.fixture
def device(backend: Backend) -> Device:
    """Make a device that the factory registered."""
    device = Device()
    enrol(backend, device.record)
    return device


@pytest.fixture
def secrets() -> list[tuple[str, str]]:
    """Collect what the client registers as secret."""
    return []


@pytest.fixture
def exchanges() -> list[Exchange]:
    """Collect the exchanges that the client tells the report."""
    return []


@pytest.fixture
def client(
    backend: Backend, secrets: list[tuple[str, str]], exchanges: list[Exchange]
) -> Iterator[NrfCloudClient]:
    """Connect as a team of its own."""
    session = BackendSession(
        run_id="run",
        worker="main",
        on_exchange=exchanges.append,
        register_secret=lambda value, label: secrets.append((value, label)),
    )
    client = connect(backend, session)
    yield client
    client.undo()
    client.close()
