"""The driver ``guardian-component``: what suites ask of a board that runs the provisioning agent.

The agent is reached over a console or by SSH, as the board's profile says; what it is asked is the same.
Source: guardian fact sheet, sections 1.1, 10.4 and 10.6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.errors import BoardFault, HarnessError
from harness.evidence import reported_as
from harness_guardian.driver_files import chain_in_profile, secrets_in_package
from harness_guardian.driver_link import COMMAND_SECONDS, SERVICE_SECONDS
from harness_guardian.driver_models import (
    AgentStatus,
    BoardSnapshot,
    ComponentIdentity,
    InstalledCertificate,
    MadeRequest,
    Outcome,
    read_identity,
    read_status,
)
from harness_guardian.driver_session import AgentSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.driver_link import RunningAgent

HEALTH_SECONDS = 3.0

_CERTIFICATE = re.compile(r"(\S+?):? ([0-9A-Fa-f:]+) ([0-9a-fA-F]{64})")
_SHOWN = 60


class GuardianComponentDriver(AgentSession):
    """Drives a leased board that is a component of a Guardian system."""

    # -- who and how --------------------------------------------------------------------------------------

    @reported_as("The component says who it is")
    def identity(self) -> ComponentIdentity:
        """Ask the board who it is."""
        return read_identity(self.agent("identify").fields())

    @reported_as("The component says how it is")
    def status(self) -> AgentStatus:
        """Ask the agent how it is.

        :raises BoardFault: it does not say.
        """
        return self.read_status()

    def health(self) -> bool:
        """Tell whether the agent answers."""
        try:
            read_status(self.link.run(["status"], timeout=HEALTH_SECONDS).fields())
        except (HarnessError, ValueError):
            return False
        return True

    # -- files --------------------------------------------------------------------------------------------

    def put_file(self, name: str, content: bytes) -> None:
        """Write a file of the agent.

        :param name: ``package``, ``request``, ``profile``, ``forwarded`` or ``collected``.
        :raises AgentRefused: no such file, or no room.
        """
        self.check_allowed(["put", name])
        self.link.put(name, content)

    def get_file(self, name: str) -> bytes:
        """Read a file of the agent.

        :raises AgentRefused: 3 ``FILENOTFOUND``, there is none.
        """
        return self.link.get(name)

    def drop_file(self, name: str) -> None:
        """Delete a file of the agent.

        :raises AgentRefused: 3 ``FILENOTFOUND``, there is none.
        """
        self.agent("drop", name)

    @reported_as("The provisioning package is put onto the component")
    def install_package(self, package: bytes) -> None:
        """Put a provisioning package onto the board; its private key is a secret from now on."""
        for secret in secrets_in_package(package):
            self.register_secret(secret, "package key")
        self.put_file("package", package)

    @reported_as("The component is initialised")
    def initialize(self, component: str, hw_id: str, instance_id: str | None = None) -> None:
        """Tell the board which component it is, and which device.

        :param component: name of the component in the system's definition.
        :param hw_id: hardware id, at most 36 characters.
        :param instance_id: system instance; without it that of the package.
        :raises AgentRefused: 2 ``BADPARAM``, 3 ``FILENOTFOUND`` without a package.
        """
        self.agent("init", component, hw_id, *([instance_id] if instance_id else []))

    # -- requests and profiles ----------------------------------------------------------------------------

    @reported_as("The component makes a provisioning request")
    def make_request(
        self,
        reprovision: bool = False,  # noqa: FBT001, FBT002 - reads well at each call
        source: str | None = None,
        format: str = "jws",  # noqa: A002 - the agent's own word
    ) -> MadeRequest:
        """Have the board make keys and a provisioning request, and read it.

        :param reprovision: sign it by the device's identity instead of by the package key.
        :param source: which Guardian it is for, ``Cloud`` or ``Appliance``; without it that is left open.
        :param format: ``jws`` or ``cose``.
        :raises AgentRefused: the agent cannot.
        """
        reply = self.agent("request", *_options(reprovision, source, format))
        request_id = reply.fields().get("request_id")
        if not request_id:
            raise BoardFault(f"{self.board_id}: no request_id in the answer {reply.lines!r}")
        return MadeRequest(request_id, self.get_file("request"))

    @reported_as("The component is told where the service is")
    def use_service(self, url: str) -> None:
        """Tell the agent where the service is, until :meth:`restore`."""
        self.agent("service", url)

    @reported_as("The component submits its request")
    def submit(self) -> str:
        """Have the board submit its request; return the request's id.

        :raises AgentRefused: there is no request, or the service does not take it.
        """
        reply = self.agent("submit", timeout=SERVICE_SECONDS)
        return reply.fields().get("request_id") or self._status_request_id()

    def _status_request_id(self) -> str:
        request_id = self.read_status().request_id
        if request_id is None:
            raise BoardFault(f"{self.board_id}: submitted a request, and knows of none")
        return request_id

    @reported_as("The component provisions")
    def provision(
        self,
        timeout: float = 30.0,
        *,
        reprovision: bool = False,
        source: str | None = None,
        format: str = "jws",  # noqa: A002 - the agent's own word
    ) -> Outcome:
        """Have the board provision by itself, and wait until it is known how that ended.

        :param timeout: seconds for the whole run.
        :raises ConsoleTimeout: it did not end in time.
        :raises AgentRefused: the agent did not begin.
        :raises BoardRestarted: the board booted meanwhile.
        """
        running = self.start_provisioning(reprovision=reprovision, source=source, format=format)
        return running.wait(timeout)

    def start_provisioning(
        self,
        *,
        reprovision: bool = False,
        source: str | None = None,
        format: str = "jws",  # noqa: A002 - the agent's own word
    ) -> RunningAgent:
        """Have the board begin to provision; the caller waits for the end when it wants to know.

        :raises AgentRefused: the agent did not begin.
        """
        words = ["provision", *_options(reprovision, source, format)]
        self.check_allowed(words)
        return self.run_in_background(words)

    def wait_until_back(self) -> None:
        """Wait until the agent can be asked again after :class:`~harness.errors.BoardLost`.

        :raises BoardLost: the board did not come back in time.
        """
        self.link.wait_until_back()

    def cancel(self) -> None:
        """Have the board give up provisioning; its keys and certificates stay as they were.

        :raises AgentRefused: it does not provision.
        """
        self.agent("cancel")

    @reported_as("The component installs a certified profile")
    def install(self, profile: bytes) -> None:
        """Put a certified profile onto the board and have it installed.

        :raises AgentRefused: the board does not accept it; what it had before stays.
        """
        self.put_file("profile", profile)
        self.agent("install")

    @reported_as("The component tells the service that it has installed its profile")
    def complete(self) -> None:
        """Have the board tell the service that its profile is installed.

        :raises AgentRefused: nothing is installed, or the service does not take it.
        """
        self.agent("complete", timeout=SERVICE_SECONDS)

    # -- for other devices --------------------------------------------------------------------------------

    @reported_as("The component forwards another device's request")
    def forward(self, request: bytes) -> str | None:
        """Have the board submit the request of a device that does not reach the service.

        :return: the request's id, when the agent says it.
        :raises AgentRefused: the service does not take it.
        """
        self.put_file("forwarded", request)
        return self.agent("forward", timeout=SERVICE_SECONDS).fields().get("request_id")

    @reported_as("The component collects another device's profile")
    def collect(self, timeout: float = 30.0) -> bytes:
        """Have the board wait for the profile of the device that it forwarded for, and return it.

        :raises AgentRefused: there is none, and will be none.
        """
        self.agent("collect", timeout=timeout)
        return self.get_file("collected")

    # -- what it holds ------------------------------------------------------------------------------------

    def certificates(self) -> dict[str, InstalledCertificate]:
        """Return what the board has installed, by slot.

        :raises BoardFault: a line of the list cannot be read.
        """
        found: dict[str, InstalledCertificate] = {}
        for line in self.agent("certificates").lines:
            match = _CERTIFICATE.fullmatch(line)
            if match is None:
                raise BoardFault(f"{self.board_id}: no line of a list of certificates: {line[:_SHOWN]!r}")
            serial = match[2].replace(":", "").lower().lstrip("0") or "0"
            found[match[1]] = InstalledCertificate(serial, match[3].lower())
        return found

    def chain(self, slot: str) -> list[str]:
        """Return the chain (PEM, leaf first) that the board has installed in a slot.

        It comes from the profile that the board keeps; that its leaf is the installed one is checked.

        :raises BoardFault: the profile has no chain for that slot, or another leaf.
        :raises AgentRefused: there is no profile.
        """
        installed = self.certificates().get(slot)
        if installed is None:
            raise BoardFault(f"{self.board_id}: nothing is installed in slot {slot}")
        try:
            chain, digest = chain_in_profile(self.get_file("profile"), slot)
        except ValueError as error:
            raise BoardFault(f"{self.board_id}: {error}") from error
        if digest != installed.sha256:
            raise BoardFault(f"{self.board_id}: the profile that it keeps is not the one that it installed")
        return chain

    def prove(self, slot: str, challenge: bytes) -> bytes:
        """Have the board sign with the key of a slot: ECDSA-SHA256 (DER) or Ed25519.

        :raises AgentRefused: nothing is installed in that slot.
        """
        reply = self.agent("prove", slot, challenge.hex())
        try:
            return bytes.fromhex(reply.fields()["signature"])
        except (KeyError, ValueError) as error:
            raise BoardFault(f"{self.board_id}: no signature in the answer {reply.lines!r}") from error

    def snapshot(self) -> BoardSnapshot:
        """Return what provisioning may change; two equal ones mean that nothing was changed."""
        status, installed = self.read_status(), self.certificates()
        return BoardSnapshot(
            provisioned=bool(installed),
            system=status.system,
            instance=status.instance,
            component=status.component,
            hw_id=status.hw_id,
            response_id=status.response_id,
            certificates=tuple(sorted(installed.items())),
        )


def _options(reprovision: bool, source: str | None, format: str) -> Sequence[str]:  # noqa: A002, FBT001 - as above
    """Return the parameters of ``request`` and ``provision``."""
    words = ["reprovision"] if reprovision else []
    if source is not None:
        words.append(f"source={source}")
    if format != "jws":
        words.append(f"format={format}")
    return words


__all__ = ["COMMAND_SECONDS", "GuardianComponentDriver"]
