"""What a service must do, in the fewest words, and a board that plays its part with codecs of its own.

The model is written from the fact sheet (nrfcloud fact sheet, sections 2.5 to 2.8, 3.4, 3.6 and 3.7) and
shares nothing with the fake.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2

from harness_nordic.client_requests import (
    CertificateSigningRequest,
    ClientCertificate,
    ClientPrivateKey,
    ClientPrivateKeyGeneration,
    CloudAccessKeyGeneration,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)

if TYPE_CHECKING:
    import httpx

    from tests.nordic.paper_device import PaperDevice

MOST_OPEN = 20
REQUESTS: dict[str, Any] = {
    "serverCertificate": ServerCertificate(5, "CA"),
    "clientCertificate": ClientCertificate(5, "certificate"),
    "clientPrivateKey": ClientPrivateKey(5, "a private key"),
    "preSharedKey": PreSharedKey(5, "identity", "0011223344556677"),
    "certificateSigningRequest": CertificateSigningRequest(5),
    "cloudAccessKeyGeneration": CloudAccessKeyGeneration(5),
    "clientPrivateKeyGeneration": ClientPrivateKeyGeneration(5),
    "config": Configuration({"a": "b"}),
    "finished": Finished(),
}
TWO_STEPS = {
    "preSharedKey",
    "certificateSigningRequest",
    "cloudAccessKeyGeneration",
    "clientPrivateKeyGeneration",
}


@dataclass
class ModelCommand:
    """A command as the service must show it."""

    id: str
    type: str
    number: int
    status: str = "PENDING"

    @property
    def open(self) -> bool:
        return self.status in {"PENDING", "IN_PROGRESS"}

    @property
    def steps(self) -> int:
        return 2 if self.type in TWO_STEPS else 1


@dataclass
class ModelDevice:
    """A device as the service must show it; a claim begins with a clean record."""

    owner: int | None = None
    blocked: bool = False
    queue_status: str = "READY"
    was_provisioned: bool = False
    made: int = 0
    commands: list[ModelCommand] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)
    served: set[str] = field(default_factory=set)

    @property
    def status(self) -> str:
        return "BLOCKED" if self.blocked else self.queue_status

    @property
    def open(self) -> list[ModelCommand]:
        return [command for command in self.commands if command.open]

    def find(self, identifier: str) -> ModelCommand | None:
        return next((command for command in self.commands if command.id == identifier), None)

    def settle(self) -> None:
        idle = "PROVISIONED" if self.was_provisioned else "READY"
        self.queue_status = "PENDING" if self.open else idle

    def add(self, identifier: str, kind: str) -> None:
        self.made += 1
        self.commands.append(ModelCommand(identifier, kind, self.made))
        if self.queue_status != "ERROR":
            self.queue_status = "PENDING"

    def drop(self, commands: list[ModelCommand]) -> None:
        for command in commands:
            self.commands.remove(command)
            if command.id in self.served:
                self.gone[command.id] = command.number

    def fetch(self, after: str, limit: int) -> list[str]:
        """Return the ids of the commands that must come, and let them be in progress."""
        if self.queue_status == "ERROR":
            return []
        last = self.find(after)
        done = last.number if last else self.gone.get(after, 0)
        wanted = [each for each in self.open if each.status == "PENDING" or each.number > done]
        batch: list[str] = []
        room = limit
        for command in wanted:
            if not batch and command.steps > limit:
                self.fail(command)
                return []
            if command.steps > room:
                break
            room -= command.steps
            command.status = "IN_PROGRESS"
            self.served.add(command.id)
            batch.append(command.id)
        return batch

    def accepts(self, ids: list[str]) -> bool:
        """Tell whether a report about these commands is one that the device may make."""
        known = (self.find(identifier) for identifier in ids if identifier not in self.gone)
        return all(command is not None and command.status != "PENDING" for command in known)

    def report(self, outcomes: list[tuple[str, bool]]) -> None:
        """Let outcomes of commands count, in order."""
        ended = False
        for identifier, success in outcomes:
            command = self.find(identifier)
            if command is None or command.status != "IN_PROGRESS":
                continue
            ended = True
            if success:
                command.status = "SUCCEEDED"
            else:
                self.fail(command)
        if ended and self.queue_status != "ERROR":
            self.was_provisioned = self.was_provisioned or not self.open
            self.settle()

    def fail(self, command: ModelCommand) -> None:
        command.status = "FAILED"
        self.queue_status = "ERROR"
        for each in self.open:
            if each.number > command.number:
                each.status = "PENDING"


class Board:
    """The device side: fetches, executes on paper, reports; knows CBOR, JWT and KEYGEN by other libraries."""

    def __init__(self, device: PaperDevice, url: str, http: httpx.Client) -> None:
        """Have nothing in hand."""
        self.device = device
        self._url = url
        self._http = http
        self.after = ""
        self.in_hand: list[list[Any]] = []
        self.last_report: bytes | None = None

    def _headers(self) -> dict[str, str]:
        token = self.device.jwt(expires=time.time() + 300)
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/cbor"}

    def fetch(self, limit: int) -> tuple[int, list[str]]:
        """Fetch; return the status and the ids of the commands that came, in order."""
        query = {"after": self.after, "rxMaxSize": "65000", "txMaxSize": "65000", "limit": str(limit)}
        answer = self._http.get(
            f"{self._url}/v1/provisioning/commands", params=query, headers=self._headers()
        )
        self.in_hand = cbor2.loads(answer.content) if answer.status_code == 200 else []
        assert len(self.in_hand) <= limit
        ids = [command_of(element[0]) for element in self.in_hand]
        return answer.status_code, list(dict.fromkeys(ids))

    def execute(self, failing: str | None) -> tuple[bytes, list[tuple[str, bool]]]:
        """Execute what is in hand up to the failing command; return the report and what it says."""
        elements: list[list[Any]] = []
        outcomes: list[tuple[str, bool]] = []
        for element in self.in_hand:
            identifier = element[0]
            self.after = identifier
            if command_of(identifier) == failing:
                elements.append([identifier, 99, 518, "+CME ERROR: 518\r\n"])
                outcomes.append((failing, False))
                break
            elements.append([identifier, *self._done(element)])
            if not identifier.endswith(".s"):
                outcomes.append((command_of(identifier), True))
        self.in_hand = []
        return cbor2.dumps(elements), outcomes

    def _done(self, element: list[Any]) -> list[Any]:
        if element[1] == 1:
            return [101]
        if element[1] == 2:
            return [102]
        if element[2] == "%KEYGEN":
            csr = not element[3].endswith(",1")
            return [100, f'%KEYGEN: "{self.device.keygen(5, csr=csr)}"\r\nOK\r\n']
        return [100, "OK\r\n"]

    def post(self, body: bytes) -> int:
        """Post a report; return the status."""
        url = f"{self._url}/v1/provisioning/response"
        return self._http.post(url, content=body, headers=self._headers()).status_code

    def reboot(self) -> None:
        """Forget everything."""
        self.after = ""
        self.in_hand = []


def command_of(identifier: str) -> str:
    """Return the command that a correlation id belongs to."""
    return identifier.partition(".")[0]
