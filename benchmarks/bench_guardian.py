"""1,000 provisioning requests in Guardian's fake: listed, filtered, approved, exported; beside a bare route.

The fake (``python -m harness.backends.serving``) holds 1,000 requests of a Manual system that need approval.
Each operation is asked as a client asks, whole answers are read, and no transient status lasts (dwell 0). The
floor beside it is another process of the same server that answers the same bytes without knowing anything.
``approve by filter`` lasts until every request is approved, and no signature is made in it. ``--provision``
provisions them, too, which is nearly all signatures. ``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from harness.backends.contract import BackendSession, BackendSpec
from harness.backends.http import ServiceHttp
from harness.backends.launcher import start_fake
from harness_guardian.client import GuardianClient, connect
from harness_guardian.enums import ApprovalType, Status
from harness_guardian.peers import SENSOR
from harness_guardian.plugin import harness_backends
from harness_guardian.virtual import keys, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from harness.backends.contract import Backend, FakeSettings
    from harness_guardian.client_systems import SystemHandle

TARGET = 1.0
REQUESTS = "/provisioning-requests"
PATIENCE = 120.0


class BareFake:
    """The floor: answers what it was told, whatever it is asked."""

    def __init__(self) -> None:
        """Know no answer."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        self._body = b""
        self._service = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])
        self._control = Starlette(routes=[Route("/answer", self.learn, methods=["PUT"])])

    @property
    def service(self) -> Starlette:
        """The route."""
        return self._service

    @property
    def control(self) -> Starlette:
        """Where the answer comes from."""
        return self._control

    async def learn(self, request: Request) -> Response:
        """Take what is to be answered."""
        from starlette.responses import Response

        self._body = await request.body()
        return Response(status_code=204)

    async def answer(self, request: Request) -> Response:
        """Answer."""
        from starlette.responses import Response

        await request.body()
        return Response(self._body)


def bare(_settings: FakeSettings) -> BareFake:
    """Make the floor; the server's process calls this."""
    return BareFake()


@dataclass
class Measured:
    """How long an operation took in each round, and its floor in the same round."""

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)


class Bench:
    """A system with requests, and the floor beside it."""

    def __init__(self, client: GuardianClient, floor: Backend, count: int) -> None:
        """Make the system, and submit the requests."""
        self.client = client
        self.system: SystemHandle = client.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
        self.count = count
        self._floor = floor
        for content in made_requests(self.system, count):
            client.anonymous.submit(content)
        self.wait_until(Status.NEEDS_APPROVAL)

    def wait_until(self, status: Status) -> None:
        """Wait until every request is in a status; the service tells when the next one is.

        :raises TimeoutError: that does not come.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            others = [row for row in self.client.rows(self.system.name) if row.status is not status]
            if not others:
                return
            self.client.wait_for(others[-1].id, status, timeout=PATIENCE)
        raise TimeoutError(f"{len(others)} requests are not {status.value} after {PATIENCE:g} s")

    def pages(self, **query: Any) -> Iterator[bytes]:
        """Return every page of a list, 500 rows each."""
        after: str | None = None
        while True:
            wanted = {"system": self.system.name, "limit": 500, **query}
            answer = self._get(REQUESTS, wanted if after is None else {**wanted, "after": after})
            yield answer.content
            after = answer.json()["next"]
            if after is None:
                return

    def report(self) -> Iterator[bytes]:
        """Return the report of all devices."""
        yield self._get("/reports/device-provisioning", {"scope": "all", "system": self.system.name}).content

    def bulk(self, action: str, status: Status, then: Status) -> Iterator[bytes]:
        """Do something with all that a filter lets through, and wait until it is done."""
        body = {"action": action, "filter": {"system": self.system.name, "status": status.value}}
        answer = self.client.raw.request("POST", f"{REQUESTS}/bulk", json=body)
        results = answer.json()["results"]
        assert [result["ok"] for result in results] == [True] * self.count
        yield answer.content
        self.wait_until(then)

    def _get(self, path: str, params: dict[str, Any]) -> httpx.Response:
        answer = self.client.raw.request("GET", path, params=params)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer

    def measure(self, operation: Callable[[], Iterator[bytes]], measured: Measured) -> list[bytes]:
        """Measure an operation, and then what a bare route takes for the same bytes."""
        began = time.perf_counter()
        pages = list(operation())
        measured.ours.append(time.perf_counter() - began)
        measured.floor.append(self._bare(pages))
        return pages

    def _bare(self, pages: list[bytes]) -> float:
        taken = 0.0
        with (
            ServiceHttp("http://floor", socket=self._floor.control) as control,
            httpx.Client(base_url=self._floor.url) as http,
        ):
            for page in pages:
                control.request("PUT", "/answer", operation="learn", accept={204}, content=page)
                http.get("/warm")
                began = time.perf_counter()
                assert http.get("/anything").content == page
                taken += time.perf_counter() - began
        return taken


def made_requests(system: SystemHandle, count: int) -> Iterator[bytes]:
    """Make requests of as many devices, by the virtual board's own code."""
    signer = load_pem_private_key(system.key.private_key_pem.encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    instance = system.instance()
    for number in range(count):
        asked = request.Asked(
            system=system.name,
            instance_id=instance.id,
            instance_name=instance.name,
            component=SENSOR.name,
            hw_id=f"SN-{number:05d}",
        )
        made = request.make(
            asked,
            signer=signer,
            fresh={"identity": keys.make("P-256")},
            form="jws",
            now=datetime.now(UTC),
            forged={},
            latest=None,
        )
        yield made.content


def measure(count: int, rounds: int, *, provision: bool) -> tuple[dict[str, Measured], str]:
    """Return what each operation took, and what is said of provisioning."""
    results = {name: Measured() for name in ("list", "filter", "approve by filter", "export")}
    fake_spec = next(spec for spec in harness_backends() if spec.name == "guardian")
    bare_spec = BackendSpec(name="bare", title="bare route", client="", fake="benchmarks.bench_guardian:bare")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fake, floor = (
            stack.enter_context(start_fake(spec, directory, lifeline=None)).backend
            for spec in (fake_spec, bare_spec)
        )
        client = connect(fake, BackendSession(run_id="bench", worker="main"))
        stack.callback(client.close)
        client.dwell(0.0)
        bench = Bench(client, floor, count)
        for _number in range(rounds):
            bench.measure(bench.pages, results["list"])
            bench.measure(lambda: bench.pages(status="needs_approval", component="sensor"), results["filter"])
            report = b"".join(bench.measure(bench.report, results["export"]))
            assert report.count(b"\r\n") == count + 1
        approving = (Status.NEEDS_APPROVAL, Status.COMPLETE_PROVISIONING)
        bench.measure(lambda: bench.bulk("approve", *approving), results["approve by filter"])
        said = provisioned(bench) if provision else ""
    return results, said


def provisioned(bench: Bench) -> str:
    """Provision all of them, and say how long that took."""
    began = time.perf_counter()
    list(bench.bulk("provision", Status.COMPLETE_PROVISIONING, Status.PROVISIONED))
    whole = time.perf_counter() - began
    calls = [call.call for call in bench.client.vault.log(bench.system.name)]
    signed = calls.count("sign") + calls.count("sign-profile")
    return f"provisioned {bench.count:,} by filter in {whole:.1f} s, with {signed:,} signatures of Vault"


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="of what changes nothing")
    parser.add_argument("--provision", action="store_true", help="provision them, too")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    results, said = measure(options.requests, options.rounds, provision=options.provision)
    missed = False
    print(f"{options.requests:,} provisioning requests, dwell 0; medians; whole answers")
    for name, measured in results.items():
        ours, floor = statistics.median(measured.ours), statistics.median(measured.floor)
        missed = missed or ours > TARGET
        verdict = "met" if ours <= TARGET else "MISSED"
        print(
            f"{name:<18} {ours * 1000:7.0f} ms   bare route {floor * 1000:6.1f} ms"
            f"   target ≤ {TARGET:g} s: {verdict}"
        )
    if said:
        print(said)
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
