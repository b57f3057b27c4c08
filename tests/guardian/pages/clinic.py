"""An organisation of a running fake, and the devices on paper that its pages show."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from harness.backends.contract import BackendSpec
from harness.backends.launcher import start_fake
from tests.guardian.making import PaperDevice, PrivateKey, make_key, public_jwk_of, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.backends.contract import Backend
    from tests.guardian.making import MadeRequest

API = "/api/v1"
WAIT = 10
SLOTS = {"identity": "P-256"}


@dataclass(kw_only=True)
class Clinic:
    """An organisation, used through the REST interface and the control socket.

    :ivar tokens: of its users, by their names.
    :ivar service: asks the service.
    :ivar appliance: asks the appliance.
    """

    name: str
    service: httpx.Client
    appliance: httpx.Client
    control: httpx.Client
    tokens: dict[str, str] = field(repr=False)
    key: PrivateKey = field(default_factory=make_key, repr=False)

    @classmethod
    def of(cls, backend: Backend, name: str) -> Clinic:
        """Make an organisation of a running fake."""
        control = httpx.Client(
            transport=httpx.HTTPTransport(uds=backend.control), base_url="http://control", timeout=30
        )
        made = control.post("/organisations", json={"name": name}).raise_for_status().json()
        clinic = cls(
            name=name,
            service=httpx.Client(base_url=backend.url, timeout=30),
            appliance=httpx.Client(base_url=backend.address("appliance"), timeout=30),
            control=control,
            tokens={user["name"]: user["token"] for user in made["users"]},
        )
        clinic.dwell(0.0)
        return clinic

    def close(self) -> None:
        """Close the connections."""
        for client in (self.service, self.appliance, self.control):
            client.close()

    def dwell(self, seconds: float) -> None:
        """Decide how long transient statuses last."""
        self.order("PUT", f"/organisations/{self.name}/dwell", seconds=seconds)

    def order(self, method: str, path: str, **body: Any) -> Any:
        """Order something from the fake."""
        answer = self.control.request(method, path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, *, user: str = "anna", **content: Any) -> httpx.Response:
        """Ask the service as a user."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}", **content.pop("headers", {})}
        answer = self.service.request(method, f"{API}{path}", headers=headers, **content)
        assert answer.status_code < 400, answer.text
        return answer

    def system(
        self,
        name: str,
        approval: str = "Manual",
        components: tuple[str, ...] = ("pump", "gateway"),
        instances: tuple[str, ...] = ("Ward A", "Ward B"),
    ) -> str:
        """Make a system whose package is signed by :attr:`key`."""
        self.ask(
            "POST",
            "/systems",
            json={
                "name": name,
                "approval_type": approval,
                "components": [
                    {"name": each, "certificates": [{"slot": slot} for slot in SLOTS]} for each in components
                ],
                "instances": [{"name": each} for each in instances],
            },
        )
        key = {"kid": thumbprint_of(self.key), "jwk": public_jwk_of(self.key), "state": "active"}
        self.ask("POST", f"/systems/{name}/signer-keys", json=key)
        return name

    def made(self, hw_id: str, system: str, **more: Any) -> MadeRequest:
        """Make the request of a device that nobody has submitted yet."""
        device = PaperDevice(
            system=system, signer=more.pop("signer", self.key), hw_id=hw_id, slots=SLOTS, **more
        )
        return device.request()

    def submit(self, hw_id: str, system: str, *, by: str | None = None, **more: Any) -> str:
        """Submit the request of a device, and wait until it rests.

        :param by: the user who brings it; ``None``: the device itself.
        :return: its id.
        """
        made = self.made(hw_id, system, **more)
        self.hand_in(made, by)
        self.rest(made.request_id)
        return made.request_id

    def hand_in(self, made: MadeRequest, by: str | None = None) -> None:
        """Submit a request, and do not wait for anything."""
        headers = {"Content-Type": made.media_type}
        if by is not None:
            headers["Authorization"] = f"Bearer {self.tokens[by]}"
        answer = self.service.post(f"{API}/provisioning-requests", content=made.content, headers=headers)
        assert answer.status_code == 202, answer.text

    def row(self, identifier: str) -> dict[str, Any]:
        """Return a request as the service tells it."""
        told: dict[str, Any] = self.ask("GET", f"/provisioning-requests/{identifier}").json()
        return told

    def rest(self, identifier: str) -> str:
        """Wait until a request is final or waits for a user.

        :return: its status.
        """
        tag = ""
        while True:
            headers = {"If-None-Match": tag, "Prefer": f"wait={WAIT}"} if tag else {}
            answer = self.ask("GET", f"/provisioning-requests/{identifier}", headers=headers)
            assert answer.status_code == 200, f"{identifier} does not come to rest"
            status: str = answer.json()["status"]
            moving = ("verifying", "auto_approved", "approving", "rejecting", "provisioning")
            if status not in moving:
                return status
            tag = answer.headers["ETag"]

    def act(self, action: str, *identifiers: str, user: str = "bert") -> None:
        """Approve, reject or provision as an administrator, and wait for it."""
        for identifier in identifiers:
            self.ask("POST", f"/provisioning-requests/{identifier}/{action}", user=user)
            self.rest(identifier)

    def rows(self, system: str, count: int) -> None:
        """Make rows without requests behind them, to measure lists with."""
        self.order("POST", f"/organisations/{self.name}/rows", system=system, count=count)


@contextmanager
def open_clinic(directory: Path) -> Iterator[Clinic]:
    """Give an organisation of a fake of its own.

    The name of a system is taken for all organisations of a fake, so another organisation of the same one
    would be no fresh beginning.

    :param directory: where the fake puts its socket; nothing else is there.
    """
    spec = BackendSpec(name="guardian", title="Guardian", client="", fake="harness_guardian.fakes:create")
    with start_fake(spec, directory, lifeline=None) as fake:
        clinic = Clinic.of(fake.backend, "clinic")
        try:
            yield clinic
        finally:
            clinic.close()
