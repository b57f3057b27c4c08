"""The driver ``nrf91``: what suites ask of an nRF91 board, in AT commands.

Sources: nrfcloud fact sheet, sections 5 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.errors import BoardFault, CommandRefused, UsageError
from harness.evidence import reported_as, step
from harness_nordic import driver_provisioning as provisioning
from harness_nordic.driver_session import COMMAND_SECONDS, AtSession
from harness_nordic.driver_shell import as_stored
from harness_nordic.enums import CmeError, CredentialType
from harness_nordic.host_agent.options import HostAgentOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.console import Console
    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.driver_provisioning import ProvisionOutcome
    from harness_nordic.host_agent.agent import HostAgent

KEYGEN_SECONDS = 30.0
#: A board whose firmware has an agent of its own says so by this capability.
AGENT_CAPABILITY = "provisioning-agent"

AgentName = Literal["board", "host"]

_FULL, _OFFLINE = 1, 4
_UNLOCKED_MODES = frozenset({0, _OFFLINE})
_TYPES = frozenset(map(int, CredentialType))


@dataclass(frozen=True, slots=True)
class CredentialEntry:
    """One line of the credential list.

    :ivar tag: security tag.
    :ivar type: what it is.
    :ivar digest: upper-case SHA-256 of its content.
    """

    tag: int
    type: CredentialType
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardIdentity:
    """Who a board says it is."""

    imei: str
    uuid: str
    model: str
    firmware: str


class Nrf91Driver(AtSession):
    """Drives a leased nRF91 board. Before its first command it switches error numbers on.

    :ivar host_options: how the agent on the host behaves, until :meth:`restore`.
    :ivar agents: the agents that can provision this board at the service in use, the usual one first.
    """

    def __init__(self, board: LeasedBoard) -> None:
        """Drive a board; nothing is sent yet."""
        super().__init__(board)
        self.host_options = HostAgentOptions()
        self.agents: tuple[AgentName, ...] = (
            ("board", "host") if AGENT_CAPABILITY in board.capabilities else ("host",)
        )
        self._service: tuple[str, str | None] | None = None
        self._host_agent: HostAgent | None = None

    # -- identification -----------------------------------------------------------------------------------

    def identity(self) -> BoardIdentity:
        """Ask the board who it is."""
        return BoardIdentity(
            imei=self.imei(), uuid=self.device_uuid(), model=self.model(), firmware=self.modem_firmware()
        )

    def imei(self) -> str:
        """Return the IMEI, fifteen digits."""
        return self._line("AT+CGSN")

    def model(self) -> str:
        """Return the model, for example ``nRF9151-LACA``."""
        return self._line("AT+CGMM")

    def modem_firmware(self) -> str:
        """Return the modem firmware, for example ``mfw_nrf91x1_2.0.2``."""
        return self._line("AT+CGMR")

    def device_uuid(self) -> str:
        """Return the device UUID, which is also its id in the Provisioning Service."""
        return self._value("AT%DEVICEUUID", "%DEVICEUUID")

    # -- functional mode ----------------------------------------------------------------------------------

    def functional_mode(self) -> int:
        """Return what ``+CFUN?`` says: 1 full, 4 offline, 0 off."""
        return self._number(self.at("AT+CFUN?"), "+CFUN")

    def offline(self) -> None:
        """Take the modem offline, so that credentials may be changed."""
        self.at(f"AT+CFUN={_OFFLINE}")

    def online(self) -> None:
        """Bring the modem to full function."""
        self.at(f"AT+CFUN={_FULL}")

    def _change(self, command: str, timeout: float = COMMAND_SECONDS) -> list[str]:
        """Run a command for which the modem must be offline; refused, it changes nothing at all."""
        self.check_allowed([command])
        if self.functional_mode() not in _UNLOCKED_MODES:
            self.offline()
        return self.at(command, timeout)

    # -- tokens and keys ----------------------------------------------------------------------------------

    @reported_as("The board signs an attestation token")
    def attestation_token(self, challenge: bytes | None = None) -> str:
        """Return a fresh attestation token.

        :param challenge: sixteen bytes that become its nonce.
        """
        wanted = "" if challenge is None else f'="{challenge.hex()}"'
        return self._value(f"AT%ATTESTTOKEN{wanted}", "%ATTESTTOKEN")

    @reported_as("The board makes a key")
    def generate_key(
        self,
        tag: int,
        *,
        key_type: CredentialType = CredentialType.CLIENT_KEY,
        public_key: bool = False,
        attributes: str = "",
        key_usage: str = "",
    ) -> str:
        """Make a key under a tag and return what ``%KEYGEN`` exports, ``<body>.<cose>``.

        The modem is taken offline for it and stays so.

        :param tag: security tag.
        :param key_type: client or endorsement key.
        :param public_key: export the public key instead of a certificate signing request.
        :param attributes: subject of the request, ``CN=...,O=...``; the device UUID without it.
        :param key_usage: nine characters ``0`` or ``1``.
        :raises CommandRefused: 519 when the tag holds a key.
        """
        command = f"AT%KEYGEN={tag},{key_type:d},{int(public_key)}"
        if attributes or key_usage:
            command += f',"{attributes}"'
        if key_usage:
            command += f',"{key_usage}"'
        return self._read(self._change(command, KEYGEN_SECONDS), "%KEYGEN").strip('"')

    @reported_as("The board signs a JWT")
    def jwt(
        self,
        tag: int | None = None,
        *,
        key_type: CredentialType = CredentialType.CLIENT_KEY,
        expiry: int = 0,
        subject: str = "",
        audience: str = "",
    ) -> str:
        """Return a JWT, signed by the identity key or by the key of a tag.

        :param tag: security tag of the key; ``None`` is the identity key.
        :param key_type: client or endorsement key.
        :param expiry: seconds that it is valid; 0 leaves times out of it, and needs no clock.
        :param subject: its ``sub``.
        :param audience: its ``aud``.
        :raises CommandRefused: 513 no such key, 525 no time.
        """
        command = f'AT%JWT=0,{expiry},"{subject}","{audience}"'
        if tag is not None:
            command += f",{tag},{key_type:d}"
        return self._value(command, "%JWT")

    # -- credentials --------------------------------------------------------------------------------------

    @reported_as("The board lists its credentials")
    def credentials(self, tag: int | None = None, type: int | None = None) -> list[CredentialEntry]:  # noqa: A002 - the modem's own word
        """List credentials, all or those of a tag, or of a tag and a type.

        :raises BoardFault: a line of the list cannot be read.
        """
        filters = "".join(f",{value:d}" for value in (tag, type) if value is not None)
        self._prepare()
        entries: list[CredentialEntry] = []
        for (entry_tag, kind), digest in self._list_credentials(filters):
            if kind not in _TYPES:
                raise BoardFault(f"{self._board.id}: a credential of type {kind}, which is not known")
            entries.append(CredentialEntry(entry_tag, CredentialType(kind), digest))
        return entries

    def credential_digest(self, tag: int, type: int) -> str:  # noqa: A002 - the modem's own word
        """Return the digest of one credential, comparable with :func:`harness_nordic.digests.pem_digest`.

        :raises CommandRefused: 513, there is none.
        """
        entries = self.credentials(tag, type)
        if not entries:
            raise CommandRefused(f"AT%CMNG=1,{tag},{type:d}", "an empty list", int(CmeError.NOT_FOUND))
        return entries[0].digest

    @reported_as("A credential is written to the board")
    def write_credential(self, tag: int, type: int, content: str, password: str | None = None) -> None:  # noqa: A002 - the modem's own word
        """Write a credential; the modem is taken offline for it and stays so.

        :raises CommandRefused: 519 the slot holds a generated key, 527 no certificate, 515 no room.
        """
        tail = "" if password is None else f',"{password}"'
        self._change(f'AT%CMNG=0,{tag},{type:d},"{content}"{tail}')

    def as_stored(self, content: str) -> str:
        """Return what the board stores of a credential that is written over its console.

        Through a shell all its lines end with CR LF; an AT host stores what it is sent.
        """
        return as_stored(content) if self.line.is_shell else content

    @reported_as("A credential is deleted from the board")
    def delete_credential(self, tag: int, type: int) -> None:  # noqa: A002 - the modem's own word
        """Delete a credential; the modem is taken offline for it and stays so.

        :raises CommandRefused: 513, there is none.
        """
        self._change(f"AT%CMNG=3,{tag},{type:d}")

    # -- provisioning -------------------------------------------------------------------------------------

    def use_service(self, url: str, ca_pem: str | None = None) -> None:
        """Tell the agent on the host where the service is; the board's own knows, or is told by others.

        :param url: address of the device endpoint.
        :param ca_pem: the only CA certificates to trust when it is ``https``.
        """
        self._service = (url, ca_pem)
        self._host_agent = None

    @property
    def host_settings(self) -> Mapping[str, str]:
        """What configuration commands have stored with the agent on the host, until :meth:`restore`."""
        return {} if self._host_agent is None else dict(self._host_agent.settings)

    def provision(self, timeout: float = 30.0, agent: AgentName | None = None) -> ProvisionOutcome:
        """Provision, and wait until it is known how that ended.

        :param timeout: seconds for the whole run.
        :param agent: ``board``: the firmware's own agent; ``host``: ours, over the console; ``None``: the
            first of :attr:`agents`.
        :raises ConsoleTimeout: the board's agent did not end in time, or the modem fell silent.
        :raises CommandRefused: the firmware has no agent.
        :raises UsageError: no such agent, or nobody said where the service is.
        """
        chosen = agent or self.agents[0]
        if chosen not in {"board", "host"}:
            raise UsageError("no such agent", key="agent", value=chosen, expected="'board' or 'host'")
        self._prepare()
        self._guard.check_unoccupied()
        if chosen == "host":
            with step("The agent on the host provisions"):
                return self._agent().run(timeout)
        with step("The board's agent provisions"):
            if self.functional_mode() != _FULL:
                self.online()
            log: Console | None = None
            if "trace" in self._board.description.endpoints:
                log = self._board.endpoint("trace")
            return provisioning.run_board_agent(self, self._board.console, log, timeout)

    def _agent(self) -> HostAgent:
        """Return the agent on the host; ``after`` and what it stores are kept in it."""
        if self._service is None:
            raise UsageError(
                f"nobody told board {self._board.id} where the service is",
                key="agent",
                value="host",
                expected="driver.use_service(URL) before",
            )
        if self._host_agent is None:
            from harness_nordic.host_agent.agent import HostAgent
            from harness_nordic.host_agent.link import ServiceLink

            self._host_agent = HostAgent(self, ServiceLink(*self._service))
        self._host_agent.options = self.host_options
        return self._host_agent

    # -- afterwards ---------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Put everything back as it was found; see :meth:`AtSession.restore`."""
        self._host_agent = None
        self.host_options = HostAgentOptions()
        super().restore()
