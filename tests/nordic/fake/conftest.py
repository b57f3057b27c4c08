"""A fake in this process behind its ASGI door, and a device that signs with other libraries than the fake."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_700_000_000.0
FIRMWARE = "25c95751-efa4-40d4-8b4a-1dcaab81fac9"


def base64url(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Device:
    """A device of the tests: token, KEYGEN output and JWT as the fact sheet lays them out (4.1 to 4.6)."""

    def __init__(self, number: int = 1) -> None:
        """Make a device with a key of its own."""
        self.id = str(uuid.UUID(int=(0x5036315439314AAA8BBB << 48) | number))
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.imei = f"3594042302{number:05d}"
        self.point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def record(self, **changes: Any) -> dict[str, Any]:
        """Return the factory record."""
        return {
            "uuid": self.id,
            "public_key": self.point.hex(),
            "imei": self.imei,
            "device_type": 6,
            "firmware_uuid": FIRMWARE,
            **changes,
        }

    def _sign(self, data: bytes, key: ec.EllipticCurvePrivateKey | None) -> bytes:
        r, s = decode_dss_signature((key or self.key).sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, *, key: ec.EllipticCurvePrivateKey | None = None, device_type: int = 6) -> str:
        """Make an attestation token."""
        body = b"".join(
            (
                bytes.fromhex("d9d9f78501"),
                b"\x50" + uuid.UUID(self.id).bytes,
                bytes([device_type]),
                b"\x50" + uuid.UUID(FIRMWARE).bytes,
                b"\x50" + uuid.uuid4().bytes,
            )
        )
        signed = bytes.fromhex("846a5369676e61747572653143a101265839") + body + b"\xf6"
        cose = bytes.fromhex("d28443a10126a1044121f65840") + self._sign(signed, key)
        return f"{base64url(body)}.{base64url(cose)}"

    def keygen(
        self, sec_tag: int, *, csr: bool, body: bytes = b"", key: ec.EllipticCurvePrivateKey | None = None
    ) -> str:
        """Make KEYGEN output; what its body is does not matter to the service."""
        body = body or (b"a signing request" if csr else b"a public key")
        payload = bytes.fromhex("d9d9f7") + cbor2.dumps(
            [
                9 if csr else 8,
                uuid.UUID(self.id).bytes,
                cbor2.dumps(sec_tag),
                hashlib.sha256(body).digest(),
                bytes(16),
            ]
        )
        signed = cbor2.dumps(["Signature1", bytes.fromhex("a10126"), body, payload])
        parts = [bytes.fromhex("a10126"), {4: b"\x21"}, payload, self._sign(signed, key)]
        return f"{base64url(body)}.{base64url(cbor2.dumps(cbor2.CBORTag(18, parts)))}"

    def jwt(
        self,
        *,
        key: ec.EllipticCurvePrivateKey | None = None,
        header: dict[str, Any] | None = None,
        expires: float | None = NOW + 300,
        issuer: str | None = None,
    ) -> str:
        """Make a JWT with joserfc."""
        pem = (key or self.key).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        claims: dict[str, Any] = {"iss": issuer or f"nRF9151.{self.id}", "iat": int(NOW)}
        if expires is not None:
            claims["exp"] = int(expires)
        return jwt.encode({"typ": "JWT", "alg": "ES256", **(header or {})}, claims, ECKey.import_key(pem))


class Door:
    """One of the fake's applications, asked without a socket; an exception in it fails the test."""

    def __init__(self, application: Any) -> None:
        """Ask an application."""
        self._application = application

    def ask(self, method: str, path: str, *, key: str | None = None, **content: Any) -> httpx.Response:
        """Send a request, with ``Authorization: Bearer KEY`` if there is a key."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **content.pop("headers", {})}

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self._application)
            async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
                return await client.request(method, path, headers=headers, **content)

        return asyncio.run(exchange())


class Site:
    """A fake with one team and one enrolled device, and short ways to use them."""

    def __init__(self) -> None:
        """Start at :data:`NOW`."""
        self.fake = NrfCloudFake(Clock(lambda: NOW))
        self.world = Door(self.fake.service)
        self.control = Door(self.fake.control)
        self.key = self.team()["api_key"]
        self.device = self.enrolled(1)

    def team(self, **wanted: str) -> dict[str, str]:
        """Make an API key."""
        response = self.control.ask("POST", "/teams", json=wanted)
        assert response.status_code == 201
        made: dict[str, str] = response.json()
        return made

    def enrolled(self, number: int) -> Device:
        """Make a device that the factory registered."""
        device = Device(number)
        assert self.control.ask("POST", "/factory", json=device.record()).status_code == 201
        return device

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the management API with the team's key."""
        return self.world.ask(method, path, **{"key": self.key, **content})

    def claim(self, device: Device | None = None, **content: Any) -> httpx.Response:
        """Claim a device."""
        body = {"claimToken": (device or self.device).token()}
        return self.ask("POST", "/v1/claimed-devices", json=body, **content)

    def status(self) -> str:
        """Return the status of the device."""
        status: str = self.ask("GET", f"/v1/claimed-devices/{self.device.id}").json()["status"]
        return status

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a command for the device."""
        path = f"/v1/claimed-devices/{self.device.id}/provisioning"
        response = self.ask("POST", path, json={"request": request})
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Read a command of the device."""
        path = f"/v1/claimed-devices/{self.device.id}/provisioning/{command['id']}"
        response = self.ask("GET", path)
        assert response.status_code == 200
        read: dict[str, Any] = response.json()
        return read

    def fetch(self, device: Device | None = None, *, jwt: str | None = None, **query: Any) -> httpx.Response:
        """Fetch as a device does, with the library's own limits."""
        limits = {
            "after": "",
            "rxMaxSize": "4096",
            "txMaxSize": "4096",
            "mver": "x",
            "cver": "1",
            "limit": "10",
        }
        params = {name: value for name, value in {**limits, **query}.items() if value is not None}
        key = jwt or (device or self.device).jwt()
        return self.world.ask("GET", "/v1/provisioning/commands", key=key, params=params)

    def served(self, device: Device | None = None, **query: Any) -> list[Any]:
        """Fetch and decode, with an independent decoder."""
        response = self.fetch(device, **query)
        if response.status_code == 204:
            return []
        assert response.status_code == 200, response.text
        elements: list[Any] = cbor2.loads(response.content)
        return elements

    def report(self, *elements: list[Any], device: Device | None = None, body: bytes | None = None) -> int:
        """Report as a device does; return the status of the answer."""
        return self.world.ask(
            "POST",
            "/v1/provisioning/response",
            key=(device or self.device).jwt(),
            content=cbor2.dumps(list(elements)) if body is None else body,
            headers={"Content-Type": "application/cbor"},
        ).status_code


@pytest.fixture
def site() -> Site:
    """Give a fake with a team and a device that nobody has claimed."""
    return Site()


@pytest.fixture
def claimed(site: Site) -> Site:
    """Give the same after the team has claimed the device."""
    assert site.claim().status_code == 201
    return site


@pytest.fixture
def make_device() -> Callable[[int], Device]:
    """Make devices that no factory registered."""
    return Device
