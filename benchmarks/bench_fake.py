"""A device fetches its commands from the fake, beside a bare route that only verifies the same JWT.

Both are served by the same process (``python -m harness.backends.serving``) with the same settings, get the
same requests, and are asked in interleaved rounds of one run. The bare route makes the same library calls for
a JWT as any verifier must (base64, JSON, ECDSA) and does nothing else. Every request carries another JWT than
the one before, of 64 devices. What counts is the median of the rounds' ratios.

That no verdict is kept is proved too: a JWT that was accepted a moment ago is refused as soon as the factory
registry has another key for its device, and as soon as it has expired. ``--check`` makes a missed target an
error.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from benchmarks import http_load
from harness.backends.contract import BackendSession, BackendSpec
from harness.backends.http import ServiceHttp
from harness.backends.launcher import start_fake
from harness_nordic.client import NrfCloudClient, connect
from harness_nordic.client_requests import ServerCertificate
from harness_nordic.plugin import harness_backends
from harness_nordic.virtual import signing
from harness_nordic.virtual.identity import DeviceIdentity, make_identity
from harness_nordic.virtual.jwt import make_jwt
from harness_nordic.virtual.kinds import KINDS
from harness_nordic.virtual.tokens import attestation_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from harness.backends.contract import Backend, FakeSettings

TARGET = 0.7
DEVICES = 64
TOKENS_OF_EACH = 8
COMMANDS_WAITING = 5
PATH = "/v1/provisioning/commands"
TARGET_WITH_QUERY = (
    f"{PATH}?after=&rxMaxSize=4096&txMaxSize=4096&mver=mfw_nrf91x1_2.0.2&cver=3.1.0&limit={COMMANDS_WAITING}"
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\n" + f"{'A' * 64}\n" * 8 + "-----END CERTIFICATE-----\n"


class BareFake:
    """The floor: one route that verifies a JWT and answers 204; the control route takes the devices' keys."""

    def __init__(self) -> None:
        """Know no device."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        self._keys: dict[str, ec.EllipticCurvePublicKey] = {}
        self._service = Starlette(routes=[Route(PATH, self.verify)])
        self._control = Starlette(routes=[Route("/factory", self.enrol, methods=["POST"])])

    @property
    def service(self) -> Starlette:
        """The route."""
        return self._service

    @property
    def control(self) -> Starlette:
        """Where keys go."""
        return self._control

    async def enrol(self, request: Request) -> Response:
        """Take a key."""
        from starlette.responses import Response

        record = await request.json()
        point = bytes.fromhex(record["public_key"])
        self._keys[record["uuid"]] = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        return Response(status_code=201)

    async def verify(self, request: Request) -> Response:
        """Verify; a JWT that does not verify is an exception and so a 500, which the load would notice."""
        from starlette.responses import Response

        token = request.headers["authorization"].removeprefix("Bearer ")
        signed, _, signature_part = token.rpartition(".")
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        signature = _decoded(signature_part)
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key = self._keys[claims["iss"].rpartition(".")[2]]
        key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        assert header["alg"] == "ES256"
        assert claims["exp"] > time.time()
        return Response(status_code=204)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def bare(_settings: FakeSettings) -> BareFake:
    """Make the floor; the server's process calls this."""
    return BareFake()


@dataclass(frozen=True)
class Device:
    """What a device of the load is, and its JWTs."""

    identity: DeviceIdentity

    def record(self) -> dict[str, Any]:
        """Return what the factory says of it."""
        chip = self.identity.chip
        return {
            "uuid": str(self.identity.uuid),
            "public_key": signing.public_point(self.identity.key).hex(),
            "imei": self.identity.imei,
            "device_type": chip.device_type,
            "firmware_uuid": str(chip.firmware_uuid),
        }

    def jwt(self, life: float = 3600) -> str:
        """Make another JWT."""
        now = int(time.time())
        return make_jwt(self.identity, self.identity.key, life=(now, now + int(life)))


def make_devices() -> list[Device]:
    """Make devices with keys of their own."""
    chip = KINDS["nrf9151dk-virtual"].chip
    return [Device(make_identity(number, chip)) for number in range(1, DEVICES + 1)]


def enrol(backend: Backend, devices: Sequence[Device]) -> None:
    """Tell a server the devices' keys."""
    with ServiceHttp("http://fake", socket=backend.control) as control:
        for device in devices:
            control.request("POST", "/factory", operation="enrol", accept={201}, json=device.record())


def claim(client: NrfCloudClient, device: Device, commands: int) -> None:
    """Claim a device and give it work."""
    token = attestation_token(device.identity, device.identity.uuid.bytes)
    claimed = client.claim(token)
    for number in range(commands):
        claimed.add_command(ServerCertificate(sec_tag=100 + number, content=CERTIFICATE))


def prove_that_no_verdict_is_kept(backend: Backend, device: Device) -> None:
    """Check that a JWT is judged anew by every request.

    :raises AssertionError: a verdict outlived its reason.
    """
    token = device.jwt()
    stranger = Device(make_identity(DEVICES + 1, device.identity.chip))
    with httpx.Client(base_url=backend.url, headers={"Authorization": f"Bearer {token}"}) as http:
        assert http.get(PATH).status_code < http_load.FIRST_ERROR
        replaced = {**device.record(), "public_key": stranger.record()["public_key"]}
        with ServiceHttp("http://fake", socket=backend.control) as control:
            control.request("POST", "/factory", operation="enrol", accept={201}, json=replaced)
            assert http.get(PATH).status_code == 403, "a JWT outlived the key that it was made with"
            control.request("POST", "/factory", operation="enrol", accept={201}, json=device.record())
            assert http.get(PATH).status_code < http_load.FIRST_ERROR
            control.request("POST", "/clock", operation="shift", accept={200}, json={"shift": 4000})
            assert http.get(PATH).status_code == 403, "a JWT outlived its expiry"
            control.request("POST", "/clock", operation="shift", accept={200}, json={"shift": 0})


def measure(rounds: int, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Return requests a second of fake and floor for each round, by what waits for the devices."""
    devices = make_devices()
    tokens = [device.jwt() for _number in range(TOKENS_OF_EACH) for device in devices]
    fake_spec = next(spec for spec in harness_backends() if spec.name == "nrfcloud")
    bare_spec = BackendSpec(name="bare", title="bare route", client="", fake="benchmarks.bench_fake:bare")
    results: dict[str, list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fake, floor = (
            stack.enter_context(start_fake(spec, directory, lifeline=None)).backend
            for spec in (fake_spec, bare_spec)
        )
        enrol(fake, devices)
        enrol(floor, devices)
        client = connect(fake, BackendSession(run_id="bench", worker="main"))
        stack.callback(client.close)
        for waiting, status in ((0, 204), (COMMANDS_WAITING, 200)):
            for device in devices:
                claim(client, device, waiting)
            headers = {"Authorization": f"Bearer {tokens[0]}"}
            assert httpx.get(fake.url + TARGET_WITH_QUERY, headers=headers).status_code == status
            for server in (fake, floor):  # warm up
                http_load.requests_per_second(server.url, TARGET_WITH_QUERY, tokens, 1)
            rates = []
            for number in range(rounds):
                order = (fake, floor) if number % 2 == 0 else (floor, fake)
                rate = {
                    server.name: http_load.requests_per_second(server.url, TARGET_WITH_QUERY, tokens, seconds)
                    for server in order
                }
                rates.append((rate[fake.name], rate[floor.name]))
            results["nothing waits" if not waiting else f"{waiting} commands wait"] = rates
            prove_that_no_verdict_is_kept(fake, devices[0])
            client.undo()
    return results


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of load in each round, on each server")
    parser.add_argument("--check", action="store_true", help="exit with 1 when the target is missed")
    options = parser.parse_args()
    results = measure(options.rounds, options.seconds)
    missed = False
    by = "wrk" if http_load.find_client() else "our own client"
    print(f"device fetch: {DEVICES} devices, {http_load.CONNECTIONS} connections, load by {by};")
    print("another JWT with every request; none went through after a change of key or its expiry")
    for what, rates in results.items():
        ours, floor = (statistics.median(column) for column in zip(*rates, strict=True))
        ratio = statistics.median(fake / bare_route for fake, bare_route in rates)
        missed = missed or ratio < TARGET
        verdict = "met" if ratio >= TARGET else "MISSED"
        print(
            f"{what:<16} fake {ours:7.0f}/s   bare route {floor:7.0f}/s   ratio {ratio:.2f}"
            f"   target ≥ {TARGET}: {verdict}"
        )
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
