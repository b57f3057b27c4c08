"""The service behind the fake's doors, with devices on paper and a Vault on paper, for tests of its rules."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness_guardian.enums import Action, ProvisionSource
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.clock import Clock
from harness_guardian.fake.issuing import issue
from harness_guardian.fake.service import GuardianService
from harness_guardian.fake.vault_contract import VaultTimeout
from tests.guardian.fake.paper_vault import PaperVault
from tests.guardian.making import MadeRequest, PaperDevice, make_key, public_jwk_of, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from harness_guardian.fake.bulk import BulkResult
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest, System, User
    from harness_guardian.fake.vault_contract import Failure, Issued, VaultCalls, VaultCertificate

CLOUD, APPLIANCE = ProvisionSource.CLOUD, ProvisionSource.APPLIANCE
AT_ONCE = replace(FAKE, dwell=0.0)
DEADLINE = 20.0
NAMES = itertools.count(1)
#: One slot: of the others only the tests of proofs want to know.
SLOTS = {"identity": "P-256"}


def component(name: str = "pump", slots: dict[str, str] | None = None, **settings: Any) -> dict[str, Any]:
    """Return the definition of a component."""
    kinds = SLOTS if slots is None else slots
    return {
        "name": name,
        "certificates": [{"slot": slot, "key": kind} for slot, kind in kinds.items()],
        **settings,
    }


class TalkativeVault(PaperVault):
    """A Vault on paper that can be late, and tells what it was asked.

    :ivar late: whether it never answers in time.
    :ivar failure: what issuing comes to instead, while it is set.
    :ivar asked: the calls, oldest first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late = False
        self.failure: Failure | None = None
        self.asked: list[tuple[str, str]] = []

    async def read_certificate(
        self, system: System, serial: str, *, request_id: str
    ) -> VaultCertificate | None:
        self.asked.append(("read", serial))
        if self.late:
            raise VaultTimeout("no answer in time")
        return await super().read_certificate(system, serial, request_id=request_id)

    async def revoke(self, system: System, serial: str) -> None:
        self.asked.append(("revoke", serial))
        if self.late:
            raise VaultTimeout("no answer in time")
        await super().revoke(system, serial)

    async def issue(self, link: VaultCalls, clock: Clock, request: ProvisioningRequest) -> Issued | Failure:
        """Issue what a request asks for, or fail as told."""
        self.asked.append(("issue", request.id))
        return self.failure or await issue(link, clock, request)


class Domain:
    """A service with one organisation; time passes only while something is done.

    :ivar key: of every system's provisioning package.
    """

    def __init__(self, choices: Choices = AT_ONCE, source: Callable[[], float] | None = None) -> None:
        self._runner = asyncio.Runner()
        self.vault = TalkativeVault()
        clock = Clock() if source is None else Clock(source)
        self.service = GuardianService(clock, choices, self.vault, self.vault.issue)
        self.organisation: Organisation = self.service.add_organisation("acme")[0]
        self.key = make_key()

    def close(self) -> None:
        self.run(self.service.close())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let time pass until something is done."""
        return self._runner.run(asyncio.wait_for(work, DEADLINE))

    def user(self, name: str = "anna") -> User:
        """Return a user of the organisation."""
        return self.organisation.users[name]

    def system(self, approval: str = "Manual", *components: dict[str, Any], **settings: Any) -> System:
        """Make a system, whose package's key is registered."""
        definition = {
            "name": f"System {next(NAMES)}",
            "approval_type": approval,
            "components": list(components) or [component()],
            "instances": [{"name": "Ward A"}, {"name": "Ward B"}],
            "signer_keys": [{"kid": thumbprint_of(self.key), "jwk": public_jwk_of(self.key)}],
            **settings,
        }
        system: System = self.run(self.service.create_system(self.user(), definition))
        return system

    def device(self, system: System, **settings: Any) -> PaperDevice:
        """Make a device of a system; nobody has provisioned it yet."""
        return PaperDevice(**{"system": system.name, "signer": self.key, "slots": dict(SLOTS), **settings})

    def submit(
        self, made: MadeRequest, who: str | None = None, door: ProvisionSource = CLOUD
    ) -> ProvisioningRequest:
        """Submit a request, and let the service do what it does by itself."""
        return self.settled(self.received(made, who, door))

    def received(
        self, made: MadeRequest, who: str | None = None, door: ProvisionSource = CLOUD
    ) -> ProvisioningRequest:
        """Submit a request; it is not looked at yet."""
        uploader = None if who is None else self.user(who)
        submission = self.run(self.service.submit(made.content, made.media_type, door, uploader))
        row: ProvisioningRequest = submission.request
        return row

    def settled(self, *rows: ProvisioningRequest) -> ProvisioningRequest:
        """Wait until the service has no more to do with some requests by itself; return the first one."""

        async def wait() -> None:
            for row in rows:
                while self.service.flow.is_at_work_on(row):
                    await self.service.wait_for_change(row, row.version, DEADLINE)

        self.run(wait())
        return rows[0]

    def act(
        self, row: ProvisioningRequest, action: Action, who: str = "anna", door: ProvisionSource | None = None
    ) -> ProvisioningRequest:
        """Give an order, and let the service do it."""

        async def order() -> None:
            self.service.act(self.user(who), door or row.door, row, action)

        self.run(order())
        return self.settled(row)

    def approve(self, row: ProvisioningRequest, who: str = "anna") -> ProvisioningRequest:
        return self.act(row, Action.APPROVE, who)

    def provision(self, row: ProvisioningRequest, who: str = "anna") -> ProvisioningRequest:
        return self.act(row, Action.PROVISION, who)

    def finished(
        self, device: PaperDevice, door: ProvisionSource = CLOUD, **changes: Any
    ) -> ProvisioningRequest:
        """Bring a device through all of it, whatever the approval type; it has its identity then."""
        made = device.request(**changes)
        row = self.submit(made, door=door)
        for action in (Action.APPROVE, Action.PROVISION):
            if action in self.service.actions(self.user(), door, row):
                self.act(row, action)
        assert row.status == "provisioned", (row.status, row.history[-1])
        adopt(device, made, row)
        return row

    def installed(self, row: ProvisioningRequest) -> None:
        """Say that the device has installed its certified profile."""

        async def post() -> None:
            self.service.installed(row)

        self.run(post())

    def waiting(self, system: System, who: str | None = None) -> ProvisioningRequest:
        """Submit a request of a new device that waits for approval."""
        row = self.submit(self.device(system).request(), who)
        assert outcome(row) == "needs_approval"
        return row

    def bulk(self, action: Action, rows: list[ProvisioningRequest], who: str = "anna") -> list[BulkResult]:
        """Give an order for several, and let the service do it."""

        async def order() -> list[BulkResult]:
            return self.service.bulk(self.user(who), CLOUD, action, rows)

        results: list[BulkResult] = self.run(order())
        self.settled(*rows)
        return results

    def forget(self, row: ProvisioningRequest, slot: str = "identity") -> None:
        """Let Vault forget a certificate that a request has brought."""
        for certificate in row.certificates:
            if certificate.slot == slot:
                del self.vault.known[certificate.serial]


def adopt(device: PaperDevice, made: MadeRequest, row: ProvisioningRequest, slot: str = "identity") -> None:
    """Let a device have what it was issued for a slot as its identity."""
    leaf = next(each for each in row.certificates if each.slot == slot)
    device.chain = (x509.load_pem_x509_certificate(leaf.pem.encode()).public_bytes(Encoding.DER),)
    device.signer = made.keys[slot]


def outcome(row: ProvisioningRequest) -> str:
    """Return how a request stands: the code of its error, else its status."""
    return row.status.value if row.error_code is None else row.error_code.value


def passed(row: ProvisioningRequest) -> list[str]:
    """Return the statuses that a request has passed."""
    return [entry.status.value for entry in row.history]
