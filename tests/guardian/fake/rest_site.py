"""A fake Guardian in this process, asked at its doors without a socket; time passes while it is asked."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.app import GuardianFake
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.clock import Clock
from tests.guardian.fake.paper_vault import PaperVault
from tests.guardian.making import PaperDevice, make_key, public_jwk_of, rfc3339, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.vault_control import OwnVault
    from tests.guardian.making import MadeRequest, PrivateKey

BASE = "/api/v1"
REQUESTS = f"{BASE}/provisioning-requests"
FINAL = {"provisioned", "rejected_by_user", "rejected_by_system", "error"}
#: One slot: what is tried here are the doors, not the certificates.
SLOTS = {"identity": "P-256"}
COMPONENT: dict[str, Any] = {
    "name": "pump",
    "certificates": [
        {"slot": "identity", "pki_role": "identity", "ttl": "24h", "key": "P-256", "eku": ["clientAuth"]}
    ],
}


class Site:
    """A fake with one organisation, and short ways to use it.

    :ivar users: headers of the organisation's users by name.
    """

    def __init__(
        self,
        choices: Choices = FAKE,
        clock: Clock | None = None,
        dwell: float = 0.0,
        own_vault: OwnVault | None = None,
    ) -> None:
        """Start it; close it afterwards.

        :param dwell: seconds that each transient status lasts in the organisation.
        """
        self._runner = asyncio.Runner()
        self._names = itertools.count(1)
        self.vault = PaperVault()
        self.fake = GuardianFake(self.vault, clock=clock, choices=choices, own_vault=own_vault)
        self._clients = {
            name: self.run(self._open(application))
            for name, application in (
                ("cloud", self.fake.door(ProvisionSource.CLOUD)),
                ("appliance", self.fake.door(ProvisionSource.APPLIANCE)),
                ("control", self.fake.control),
            )
        }
        self.users = self.organisation("acme")
        self.control("PUT", "/organisations/acme/dwell", json={"seconds": dwell})

    @staticmethod
    async def _open(application: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(application)
        return httpx.AsyncClient(transport=transport, base_url="http://guardian", timeout=30)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let time pass until something is done."""
        return self._runner.run(work)

    def close(self) -> None:
        """End everything."""
        for client in self._clients.values():
            self.run(client.aclose())
        self.run(self.fake.close())
        self._runner.close()

    # Asking ------------------------------------------------------------------------------------------

    def asking(
        self, method: str, path: str, who: str | dict[str, str] | None = "anna", **content: Any
    ) -> Awaitable[httpx.Response]:
        """Return a question to be asked.

        :param who: a user, headers that say who asks, or nobody.
        """
        door = content.pop("door", "cloud")
        own = self.users[who] if isinstance(who, str) else (who or {})
        headers = {**own, **content.pop("headers", {})}
        asking: Awaitable[httpx.Response] = self._clients[door].request(
            method, path, headers=headers, **content
        )
        return asking

    def ask(
        self, method: str, path: str, who: str | dict[str, str] | None = "anna", **content: Any
    ) -> httpx.Response:
        """Ask a door of the service."""

        async def exchange() -> httpx.Response:
            return await self.asking(method, path, who, **content)

        answer: httpx.Response = self.run(exchange())
        return answer

    def control(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the control socket."""
        return self.ask(method, path, None, door="control", **content)

    def organisation(self, name: str) -> dict[str, dict[str, str]]:
        """Return the headers of the users of an organisation."""
        answer = self.control("POST", "/organisations", json={"name": name})
        assert answer.status_code in {200, 201}, answer.text
        return {user["name"]: {"Authorization": f"Bearer {user['token']}"} for user in answer.json()["users"]}

    # Systems and requests ----------------------------------------------------------------------------

    def system(self, approval: str = "Manual", **changed: Any) -> SiteSystem:
        """Make a system of its own for a test."""
        name = changed.pop("name", f"System {next(self._names)}")
        key = make_key()
        definition = {
            "name": name,
            "approval_type": approval,
            "components": [COMPONENT],
            "instances": [{"name": "Ward A"}, {"name": "Ward B"}],
            **changed,
        }
        answer = self.ask("POST", f"{BASE}/systems", json=definition)
        assert answer.status_code == self.fake.guardian.choices.made, answer.text
        registered = {"kid": thumbprint_of(key), "jwk": public_jwk_of(key), "state": "active"}
        keys = self.ask("POST", f"{BASE}/systems/{name}/signer-keys", json=registered)
        assert keys.status_code == self.fake.guardian.choices.made, keys.text
        return SiteSystem(self, name, key, answer.json())

    def row(self, identifier: str, who: str | dict[str, str] = "anna", **content: Any) -> dict[str, Any]:
        """Return a row."""
        answer = self.ask("GET", f"{REQUESTS}/{identifier}", who, **content)
        assert answer.status_code == 200, answer.text
        row: dict[str, Any] = answer.json()
        return row

    def until(self, identifier: str, *statuses: str, door: str = "cloud") -> dict[str, Any]:
        """Wait until a request is in one of some states."""
        row: dict[str, Any] = self.run(self.coming_to(identifier, *statuses, door=door))
        return row

    async def coming_to(self, identifier: str, *statuses: str, door: str = "cloud") -> dict[str, Any]:
        """Wait until a request is in one of some states, by leaving the question open."""
        row: dict[str, Any] = {}
        with suppress(TimeoutError):
            await asyncio.wait_for(self._follow(identifier, statuses, door, row), 20)
        assert row.get("status") in statuses, f"{row.get('status')} as its tag tells, not one of {statuses}"
        return row

    async def _follow(self, identifier: str, statuses: Sequence[str], door: str, row: dict[str, Any]) -> None:
        """Keep a row up to date until it is in one of some states."""
        tag = ""
        while row.get("status") not in statuses:
            headers = {"Prefer": "wait=10", **({"If-None-Match": tag} if tag else {})}
            # A task of its own, so that time passes also where no question is left open.
            question = self.asking("GET", f"{REQUESTS}/{identifier}", headers=headers, door=door)
            answer = await asyncio.ensure_future(question)
            assert answer.status_code in {200, 304}, answer.text
            if answer.status_code == 200:
                row.update(answer.json())
                tag = answer.headers.get("ETag", "")
                assert row["status"] not in FINAL - set(statuses), row


class SiteSystem:
    """A system of a site, and devices for it."""

    def __init__(self, site: Site, name: str, key: PrivateKey, definition: dict[str, Any]) -> None:
        """Hold it.

        :param key: of its provisioning package.
        """
        self.site = site
        self.name = name
        self.key = key
        self.definition = definition

    def device(self, **changed: Any) -> PaperDevice:
        """Make a device of it."""
        return PaperDevice(system=self.name, signer=self.key, slots=dict(SLOTS), **changed)

    def made(self, **changed: Any) -> MadeRequest:
        """Make a request of a new device, by the fake's own clock."""
        now = datetime.fromtimestamp(self.site.fake.guardian.clock.seconds(), UTC)
        return self.device(**changed).request(created_at=rfc3339(now))

    def submit(
        self, made: MadeRequest | None = None, who: str | None = "anna", door: str = "cloud"
    ) -> httpx.Response:
        """Submit a request; one of a new device unless given."""
        made = made or self.made()
        headers = {"Content-Type": made.media_type}
        return self.site.ask("POST", REQUESTS, who, content=made.content, headers=headers, door=door)

    def waiting(self, who: str | None = "anna", door: str = "cloud", **changed: Any) -> str:
        """Return the id of a request that needs approval."""
        identifier: str = self.submit(self.made(**changed), who, door).json()["request_id"]
        self.site.until(identifier, "needs_approval", door=door)
        return identifier

    def provisioned(self, who: str | None = "anna", door: str = "cloud", **changed: Any) -> str:
        """Return the id of a request that is provisioned by anna, the system being a manual one."""
        identifier = self.waiting(who, door, **changed)
        for action, status in (("approve", "complete_provisioning"), ("provision", "provisioned")):
            answer = self.site.ask("POST", f"{REQUESTS}/{identifier}/{action}", door=door)
            assert answer.status_code == 202, answer.text
            self.site.until(identifier, status, door=door)
        return identifier

    def rows(self, who: str = "anna", **parameters: Any) -> list[dict[str, Any]]:
        """Return one page of the list of its requests."""
        answer = self.site.ask("GET", REQUESTS, who, params={"system": self.name, **parameters})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


@contextmanager
def a_site(**settings: Any) -> Iterator[Site]:
    """Give a site that is closed afterwards."""
    site = Site(**settings)
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


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Check that an answer is a problem (RFC 9457), and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:guardian:problem:{slug}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["instance"].startswith(BASE)
    return document
