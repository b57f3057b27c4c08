"""Trials by power cut: let the power go at one step of provisioning, let the board recover, judge both ends.

Suites and soaks use it on virtual boards, whose power can be cut at a chosen point (the reference page of the
virtual nRF91 lists the points). What is judged follows from the nrfcloud fact sheet, sections 3.6 to 3.8; why
a key may be made twice is told in ``docs/explanation/power-cuts.md``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import ForbiddenOutput
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
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.client_objects import ClaimedDevice, Command
    from harness_nordic.client_requests import CommandRequest

Point = tuple[str, str]

_BANNERS = (b"Ready\r\n", b"*** Booting")
_MOST_RUNS = 4
_LATEST = 100  # requests of a trial at the most: every run is a few batches of two exchanges each
_REPORTED = "POST"
_TAKEN = frozenset({200, 204})  # of a report: by HTTP, and 2.04 by CoAP
_GENERATIONS = (CertificateSigningRequest, CloudAccessKeyGeneration, ClientPrivateKeyGeneration)
_EXPORTED = {CertificateSigningRequest: "csr", CloudAccessKeyGeneration: "csr"}


class TrialFailed(AssertionError):
    """Board and service do not agree, or one of them is not as it must be, after a power cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of one trial.

    :ivar runs: how often the agent ran after the cut.
    :ivar repeated: how many writes to flash were done before the cut and again after it.
    """

    runs: int
    repeated: int


@dataclass(slots=True, kw_only=True)
class _AtTheCut:
    """Both ends at the moment of the cut."""

    passed: list[Point]
    responses: dict[str, dict[str, Any]]


class PowerTrial:
    """Trials of one claimed board and one agent."""

    def __init__(
        self,
        board: LeasedBoard,
        nrfcloud: Any,
        device: ClaimedDevice,
        *,
        agent: Literal["board", "host"],
    ) -> None:
        """Hold a virtual board and its claimed device.

        :param nrfcloud: client of a service that keeps a log of its devices (capability ``device-log``).
        :param agent: who provisions.
        """
        self._board = board
        self._nrfcloud = nrfcloud
        self._device = device
        self._agent = agent

    def points(self, requests: Sequence[CommandRequest]) -> list[Point]:
        """Provision without a cut and return the points that were passed.

        :raises TrialFailed: not even that went well.
        """
        commands = self._give(requests)
        self._provision()
        passed = self._passed()
        self._judge(requests, commands, passed)
        return passed

    def cut(self, requests: Sequence[CommandRequest], point: str, nth: int) -> Recovery:
        """Cut the power at the nth passing of a point, let the board recover and judge both ends.

        :raises TrialFailed: something was reported that was not done, lost, or done again.
        """
        commands = self._give(requests)
        self._board.virtual.call("arm_power_cut", point=point, nth=nth, comes_back=True)
        try:
            with self._board.console.forbid(*_BANNERS):
                self._provision()
        except ForbiddenOutput:
            pass
        else:
            raise TrialFailed(f"the run ended without passing {point!r} for the {nth}. time")
        before = self._see(commands)
        place = [index for index, (name, _detail) in enumerate(before.passed, 1) if name == point]
        if place[nth - 1 :] != [len(before.passed)]:
            raise TrialFailed(f"the board went on after the cut: {before.passed[place[nth - 1] :]}")
        self._judge_reports(requests, commands, before)
        runs = self._recover(commands)
        after = self._passed()[len(before.passed) :]
        self._judge(requests, commands, before.passed + after)
        repeated = self._judge_repetition(requests, commands, before, after)
        return Recovery(runs=runs, repeated=repeated)

    # -- doing --------------------------------------------------------------------------------------------

    def _give(self, requests: Sequence[CommandRequest]) -> list[Command]:
        commands = [self._device.add_command(request) for request in requests]
        self._board.virtual.call("passed_points", clear=True)
        return commands

    def _provision(self) -> Any:
        return self._board.driver.provision(agent=self._agent)

    def _recover(self, commands: Sequence[Command]) -> int:
        for run in range(1, _MOST_RUNS + 1):
            outcome = self._provision()
            if outcome.event not in {"DONE", "NO_COMMANDS"}:
                raise TrialFailed(f"run {run} after the cut ended with {outcome.event}: {outcome.problem}")
            if all(command.refresh().status is CommandStatus.SUCCEEDED for command in commands):
                return run
        states = [f"{command.type.value} {command.status.value}" for command in commands]
        raise TrialFailed(f"{_MOST_RUNS} runs after the cut there is still something open: {states}")

    def _passed(self) -> list[Point]:
        return [(point, detail) for point, detail in self._board.virtual.call("passed_points")]

    def _see(self, commands: Sequence[Command]) -> _AtTheCut:
        final = [command for command in commands if command.refresh().status is CommandStatus.SUCCEEDED]
        return _AtTheCut(
            passed=self._passed(),
            responses={command.id: command.response for command in final},
        )

    # -- judging ------------------------------------------------------------------------------------------

    def _reports(self, commands: Iterable[Command]) -> Counter[str]:
        """Count the reports that the service took, by command."""
        ours = {command.id for command in commands}
        return Counter(
            identifier
            for request in self._nrfcloud.device_requests(self._device.id, last=_LATEST)
            if request.method == _REPORTED and request.status in _TAKEN
            for identifier in {each.partition(".")[0] for each in request.ids}
            if identifier in ours
        )

    def _judge_reports(
        self, requests: Sequence[CommandRequest], commands: Sequence[Command], before: _AtTheCut
    ) -> None:
        """Nothing was reported before it was done."""
        done = {detail for point, detail in before.passed if point == "after flash"}
        reported = self._reports(commands)
        for request, command in zip(requests, commands, strict=True):
            missing = self._writes(request) - done
            if reported[command.id] and missing:
                raise TrialFailed(f"{command.type.value} was reported, but never done: {sorted(missing)}")

    def _judge(
        self, requests: Sequence[CommandRequest], commands: Sequence[Command], passed: Sequence[Point]
    ) -> None:
        """Everything is done, once reported, and on the board."""
        reported = self._reports(commands)
        written = {detail for point, detail in passed if point == "after flash"}
        for request, command in zip(requests, commands, strict=True):
            name = command.type.value
            if command.refresh().status is not CommandStatus.SUCCEEDED:
                raise TrialFailed(f"{name} is {command.status.value}: {command.response}")
            if reported[command.id] != 1:
                raise TrialFailed(f"{name} was reported {reported[command.id]} times")
            missing = self._writes(request) - written
            if missing:
                raise TrialFailed(f"{name} SUCCEEDED, but was never done: {sorted(missing)}")
            self._judge_content(request, command)
        if self._device.refresh().status is not DeviceStatus.PROVISIONED:
            raise TrialFailed(f"the device is {self._device.status.value} when all is done")

    def _judge_content(self, request: CommandRequest, command: Command) -> None:
        """The board holds what the service wanted; the key that it holds is the one that the service got."""
        wanted: dict[Any, Any] = dict(_contents(request, self._written))
        if isinstance(request, Configuration):
            stored = (
                self._board.driver.host_settings
                if self._agent == "host"
                else self._board.virtual.call("settings")
            )
            held: dict[Any, Any] = {key: stored.get(key) for key in request.properties}
            wanted = dict(request.properties)
        elif isinstance(request, Finished):
            return
        else:
            entries = self._board.driver.credentials(tag=request.sec_tag)
            held = {entry.type: entry.digest for entry in entries if entry.type in wanted}
        if isinstance(request, _GENERATIONS):
            text = command.response[command.type.value][_EXPORTED.get(type(request), "publicKey")]
            key = read_generated_key(text)
            if key.sec_tag != request.sec_tag:
                raise TrialFailed(f"the service got a key of tag {key.sec_tag}, not {request.sec_tag}")
            if not jwt_is_signed_by(self._board.driver.jwt(tag=request.sec_tag), key.public_key):
                raise TrialFailed(f"the key under tag {request.sec_tag} is not the one that the service got")
        elif held != wanted:
            raise TrialFailed(f"{command.type.value}: the board holds {held}, not {wanted}")

    def _judge_repetition(
        self,
        requests: Sequence[CommandRequest],
        commands: Sequence[Command],
        before: _AtTheCut,
        after: Sequence[Point],
    ) -> int:
        """What the service knew to be done was not done again, nor changed; return how much was repeated."""
        again = Counter(detail for point, detail in after if point == "after flash")
        first = Counter(detail for point, detail in before.passed if point == "after flash")
        for request, command in zip(requests, commands, strict=True):
            writes = self._writes(request)
            if command.id in before.responses:
                repeated = sorted(writes & again.keys())
                if repeated:
                    raise TrialFailed(f"{command.type.value} was reported and done again: {repeated}")
                if command.response != before.responses[command.id]:
                    raise TrialFailed(f"{command.type.value} was final and has another response now")
            elif any(again[write] > 1 for write in writes):
                raise TrialFailed(f"{command.type.value} was done more than once after the cut")
        return sum(1 for write in again if first[write])

    def _writes(self, request: CommandRequest) -> set[str]:
        """Return the writes to flash that a command takes, as the board names them."""
        if isinstance(request, Finished):
            return set()
        if isinstance(request, Configuration):
            # The agent on the host keeps configuration on the host.
            return set() if self._agent == "host" else {f"setting {key}" for key in request.properties}
        return {
            f"credential {request.sec_tag},{kind:d} written" for kind in _contents(request, self._written)
        }

    def _written(self, content: str) -> str:
        """Return what the agent makes of a credential; the host's writes over the console."""
        stored: str = self._board.driver.as_stored(content) if self._agent == "host" else content
        return stored


def _contents(request: CommandRequest, written: Callable[[str], str]) -> dict[CredentialType, str | None]:
    """Return what the board must hold under the command's tag: digests by type, ``None`` for a made key.

    :param written: what becomes of a credential on its way.
    """
    if isinstance(request, ServerCertificate):
        return {CredentialType.ROOT_CA: pem_digest(written(request.content))}
    if isinstance(request, ClientCertificate):
        return {CredentialType.CLIENT_CERT: pem_digest(written(request.content))}
    if isinstance(request, ClientPrivateKey):
        return {CredentialType.CLIENT_KEY: pem_digest(written(request.content))}
    if isinstance(request, PreSharedKey):
        return {
            CredentialType.PSK: pem_digest(request.secret),
            CredentialType.PSK_IDENTITY: pem_digest(request.identity),
        }
    return {CredentialType.CLIENT_KEY: None} if isinstance(request, _GENERATIONS) else {}
