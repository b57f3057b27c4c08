"""A fake Pelion in this process, asked at its doors without a socket."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from harness_pelion.fake.app import PelionFake
from harness_pelion.fake.choices import FAKE
from harness_pelion.fake.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.records import Account, DeveloperCertificate, DeviceRecord

BOOTSTRAP = "coaps://127.0.0.1:5684"
LWM2M = "coaps://127.0.0.1:5685"


class Site:
    """A fake, and short ways to use it."""

    def __init__(self, choices: Choices = FAKE, clock: Clock | None = None) -> None:
        """Start it; close it afterwards."""
        self._runner = asyncio.Runner()
        self._names = itertools.count(1)
        self.fake = PelionFake(clock=clock, choices=choices)
        self.fake.bootstrap.url = "coaps+tcp://127.0.0.1:5684"
        self.fake.lwm2m.url = "coaps+tcp://127.0.0.1:5685"
        self._clients = {
            name: self._runner.run(self._open(application))
            for name, application in (("api", self.fake.service), ("control", self.fake.control))
        }

    @staticmethod
    async def _open(application: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(application)
        return httpx.AsyncClient(transport=transport, base_url="http://pelion", timeout=30)

    def close(self) -> None:
        """End everything."""
        for client in self._clients.values():
            self._runner.run(client.aclose())
        self.fake.close()
        self._runner.close()

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the API without a key."""
        answer: httpx.Response = self._runner.run(self._clients["api"].request(method, path, **content))
        return answer

    def control(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the control socket."""
        answer: httpx.Response = self._runner.run(self._clients["control"].request(method, path, **content))
        return answer

    def account(self, name: str = "") -> SiteAccount:
        """Make an account of its own for a test."""
        made = self.control("POST", "/accounts", json={"name": name or f"account {next(self._names)}"})
        assert made.status_code == 201, made.text
        return SiteAccount(self, made.json()["id"], made.json()["api_key"])


class SiteAccount:
    """An account of a site, used with one of its keys.

    :ivar record: what the fake knows of it.
    """

    def __init__(self, site: Site, identifier: str, key: str) -> None:
        """Use it."""
        self.site = site
        self.id = identifier
        self.key = key

    @property
    def record(self) -> Account:
        """What the fake knows of it."""
        return self.site.fake.pelion.directory.accounts[self.id]

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the API with the key."""
        headers = {"Authorization": f"Bearer {self.key}", **content.pop("headers", {})}
        return self.site.ask(method, path, headers=headers, **content)

    def get(self, path: str, **content: Any) -> Any:
        """Return what there is at a path."""
        answer = self.ask("GET", path, **content)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def control(self, method: str, below: str, **content: Any) -> httpx.Response:
        """Ask the control socket about the account."""
        return self.site.control(method, f"/accounts/{self.id}{below}", **content)

    def user(self, name: str, group: str = "administrators") -> SiteAccount:
        """Return the account as somebody else uses it."""
        made = self.control("POST", "/users", json={"name": name, "group": group})
        assert made.status_code == 201, made.text
        return SiteAccount(self.site, self.id, made.json()["api_key"])

    def fault(self, part: str = "api", **order: Any) -> str:
        """Order something to go wrong, and return its id."""
        made = self.site.control("POST", "/faults", json={"account": self.id, "part": part, **order})
        assert made.status_code == 201, made.text
        identifier: str = made.json()["id"]
        return identifier

    def certificate(self, name: str = "board") -> dict[str, Any]:
        """Make a developer certificate."""
        made = self.ask("POST", "/v3/developer-certificates", json={"name": name})
        assert made.status_code == 201, made.text
        document: dict[str, Any] = made.json()
        return document

    def developer(self, certificate_id: str) -> DeveloperCertificate:
        """Return what the fake knows of a developer certificate."""
        return self.site.fake.pelion.developer_certificate(self.record, certificate_id)

    def device(self, certificate_id: str, device_id: str = "") -> DeviceRecord:
        """Put a device into the directory as the bootstrap server does."""
        certificate = self.developer(certificate_id)
        return self.site.fake.pelion.directory.bootstrapped(
            self.record,
            certificate,
            device_id=device_id or secrets.token_hex(16),
            device_key=hashlib.sha256(certificate.der).digest().hex(":"),
            now=self.site.fake.pelion.clock.now(self.id),
        )


@contextmanager
def a_site(choices: Choices = FAKE, clock: Clock | None = None) -> Iterator[Site]:
    """Give a site that is closed afterwards."""
    site = Site(choices, clock)
    try:
        yield site
    finally:
        site.close()


def fixed_clock(moment: float) -> tuple[Clock, Callable[[float], None]]:
    """Return a clock that stands still, and what sets it."""
    now = [moment]

    def set_to(seconds: float) -> None:
        now[0] = seconds

    return Clock(lambda: now[0]), set_to
