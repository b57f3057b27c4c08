"""The vendor's own control calls of a virtual nRF91 board: factory record, faults, clock, what happened."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.virtual.control_calls import ControlCalls, yes_or_no
from harness.virtual.power_points import PowerLost
from harness_nordic.enums import CredentialType
from harness_nordic.virtual import signing
from harness_nordic.virtual.agent_settings import ADDRESSES, check_choice
from harness_nordic.virtual.datagram_faults import DatagramFault
from harness_nordic.virtual.errors import CmeRefusal
from harness_nordic.virtual.faults import Disturbance
from harness_nordic.virtual.tls_credentials import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness_nordic.virtual.agent import Agent
    from harness_nordic.virtual.agent_log import AgentLog
    from harness_nordic.virtual.agent_settings import AgentSettings
    from harness_nordic.virtual.credentials import CredentialStore
    from harness_nordic.virtual.firmware_settings import FirmwareSettings
    from harness_nordic.virtual.identity import DeviceIdentity
    from harness_nordic.virtual.modem import Modem
    from harness_nordic.virtual.tls_credentials import TlsCredentials

_LATEST = 4102444800  # 2100: the two digits of a modem's year end there


class Controls(ControlCalls):
    """Answers control calls by name; the public methods are the calls."""

    def __init__(
        self,
        identity: DeviceIdentity,
        modem: Modem,
        store: CredentialStore,
        settings: FirmwareSettings,
        agent: Agent,
        log: AgentLog,
        *,
        tls_credentials: TlsCredentials,
        flashed: Callable[[], None],
    ) -> None:
        """Know the parts of the board.

        :param flashed: boots firmware that speaks something else than what ran before.
        """
        super().__init__()
        self._tls_credentials = tls_credentials
        self._flashed = flashed
        self._points = modem.points
        self._built = dataclasses.replace(agent.settings)
        self._built_capacity = store.capacity
        self._identity = identity
        self._modem = modem
        self._store = store
        self._settings = settings
        self._agent = agent
        self._log = log

    def factory_record(self) -> dict[str, Any]:
        """Return what the factory told the Identity Service of this board."""
        return {
            "uuid": str(self._identity.uuid),
            "public_key": signing.public_point(self._identity.key).hex(),
            "imei": self._identity.imei,
            "device_type": self._identity.chip.device_type,
            "firmware_uuid": str(self._identity.chip.firmware_uuid),
        }

    def set_service(self, url: str | None) -> None:
        """Set the address of the device endpoint, by ``http``, ``https`` or ``coap``; ``None`` forgets all.

        Each variant of the library has its own: one by ``coap`` leaves the other as it is.
        """
        if url is not None:
            parts = urlsplit(url)
            known = parts.scheme in {"http", "https"} or (parts.scheme == "coap" and parts.port)
            if not known or not parts.hostname or parts.path not in {"", "/"}:
                raise ValueError(
                    f"url is {url!r}; expected http://host:port, https://host:port or coap://host:port"
                )
        if url is None or not url.lower().startswith("coap:"):
            self._agent.settings.service = url
        if url is None or url.lower().startswith("coap:"):
            self._agent.settings.coap_service = url

    def configure(self, **options: Any) -> None:
        """Change how the firmware was built.

        :param options: fields of :class:`~harness_nordic.virtual.agent_settings.AgentSettings` but
            those that are addresses.
        """
        before = dataclasses.replace(self._agent.settings)
        try:
            self._configure(options)
        finally:
            self._rebuilt(before)

    def _configure(self, options: Mapping[str, Any]) -> None:
        known = {field.name for field in dataclasses.fields(self._agent.settings)} - set(ADDRESSES)
        for name, value in options.items():
            if name not in known:
                raise ValueError(f"unknown option {name!r}; known are {', '.join(sorted(known))}")
            current = getattr(self._agent.settings, name)
            if isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)  # noqa: PLW2901 - JSON has no floats apart
            if type(value) is not type(current):
                raise ValueError(f"{name} is {value!r}; expected {type(current).__name__}")
            check_choice(name, value)
            setattr(self._agent.settings, name, value)

    def _rebuilt(self, before: AgentSettings) -> None:
        """Let firmware that was built otherwise begin."""
        now = self._agent.settings
        if now.discipline != before.discipline:
            self._flashed()
        elif (now.scheduled, now.interval, now.agent) != (before.scheduled, before.interval, before.agent):
            self._agent.schedule.changed()

    def configuration(self) -> dict[str, Any]:
        """Return how the firmware was built."""
        return dataclasses.asdict(self._agent.settings)

    def provision(self) -> None:
        """Start the agent, as a timer of the firmware would.

        :raises ValueError: there is none.
        """
        if not self._agent.settings.agent:
            raise ValueError("this firmware has no agent: it speaks plain AT")
        self._agent.start()

    def schedule(self) -> dict[str, Any]:
        """Return whether the firmware polls by itself, how often, when next, and how often it has."""
        schedule = self._agent.schedule
        return {
            "scheduled": self._agent.settings.scheduled,
            "interval": schedule.interval,
            "due_in": schedule.due_in,
            "polls": schedule.polls,
        }

    def pass_time(self, seconds: float) -> dict[str, Any]:
        """Let the firmware's timers run ahead, and return the schedule then; the modem's clock stays.

        A poll that is due then starts at once, and only one: the next one is due after it.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _LATEST:
            raise ValueError(f"seconds is {seconds!r}; expected seconds that pass")
        self._agent.schedule.pass_time(seconds)
        return self.schedule()

    def tls_credentials(self) -> dict[str, Any]:
        """Return what the credential shells have stored: tags, types, digests, sizes; tags of device keys."""
        return {
            "credentials": [
                {
                    "tag": entry.tag,
                    "type": TYPES[entry.type][-1],
                    "digest": entry.digest,
                    "size": len(entry.content),
                }
                for entry in self._tls_credentials.entries()
            ],
            "keys": self._tls_credentials.key_tags(),
        }

    def install_root_ca(self, pem: str | None) -> str | None:
        """Write the certificates that the service is verified with, where the firmware keeps them.

        :param pem: one or more certificates; ``None`` deletes what is there.
        :return: what was there before, ``None`` if nothing was.
        """
        tag, kind = self._agent.settings.root_ca_tag, CredentialType.ROOT_CA
        earlier = [entry.content for entry in self._store.entries(tag, kind)]
        try:
            if pem is not None:
                self._store.write(tag, kind, pem)
            elif earlier:
                self._store.delete(tag, kind)
        except CmeRefusal as error:
            raise ValueError(f"the modem refuses these certificates: {error}") from error
        except PowerLost as error:
            raise ValueError(f"the power went: {error}") from error
        return earlier[0] if earlier else None

    def agent_log(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Return what the agent did: events, AT commands with replies, exchanges, problems."""
        entries = self._log.entries()
        if clear:
            self._log.clear()
        return entries

    def settings(self) -> dict[str, str]:
        """Return the firmware's stored settings."""
        return self._settings.items()

    def credentials(self) -> list[dict[str, Any]]:
        """Return what the credential store holds: tags, types, digests, sizes; no content."""
        return [
            {
                "tag": entry.tag,
                "type": int(entry.type),
                "digest": entry.digest,
                "size": entry.size,
                "generated": entry.generated,
            }
            for entry in self._store.entries()
        ]

    def set_capacity(self, size: int) -> None:
        """Set the room of the credential store in bytes."""
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ValueError(f"size is {size!r}; expected bytes")
        self._store.capacity = size

    def set_clock(self, seconds: float | None) -> None:
        """Set the modem's clock to a Unix time; ``None`` takes its time away."""
        if seconds is None:
            self._modem.clock.clear()
        elif isinstance(seconds, int | float) and 0 <= seconds < _LATEST:
            self._modem.clock.set(seconds)
        else:
            raise ValueError(f"seconds is {seconds!r}; expected a Unix time before 2100, or null")
        self._agent.state_changed()

    def network_time(self, *, on: bool) -> None:
        """Let the network give the time at the next registration, or not."""
        self._modem.radio.network_time = yes_or_no("on", on)

    def fail_next(self, command: str, outcome: int | str, times: int = 1) -> None:
        """Let the next commands that begin with a text fail: a CME number, ``error`` or ``silent``."""
        self._modem.faults.arm(command, outcome, times)

    def disturb_next(self, command: str, how: str, **details: Any) -> None:
        """Let the next answers to commands that begin with a text go wrong on their way.

        :param command: how the command begins, as it is typed.
        :param how: ``slow``, ``split``, ``unsolicited``, ``garbage`` or ``digest``.
        :param details: fields of :class:`~harness_nordic.virtual.faults.Disturbance`: ``times``, ``seconds``,
            ``size``, ``text``, ``inside``, ``seed``.
        """
        try:
            disturbance = Disturbance(prefix=command, how=how, **details)
        except TypeError as error:
            raise ValueError(f"disturb_next: {error}") from error
        self._modem.faults.disturb(disturbance)

    def disturb_datagrams(self, request: str, how: str, way: str, times: int = 1) -> None:
        """Let the next datagrams of requests by CoAP be lost or come twice.

        :param request: how their method and path begin: ``POST p/rsp``.
        :param how: ``lose`` or ``double``.
        :param way: ``sent`` or ``received``, as the board sees it.
        :param times: how many.
        """
        self._modem.radio.datagrams.order(DatagramFault(request=request, how=how, way=way, times=times))

    def clear_faults(self) -> None:
        """End every fault, and be built again as at first; what the board keeps without power stays.

        The harness calls it after each test.
        """
        self._modem.faults.clear()
        self._points.disarm()
        self._store.capacity = self._built_capacity
        before = dataclasses.replace(self._agent.settings)
        addresses = {name: getattr(self._agent.settings, name) for name in ADDRESSES}
        self._modem.radio.datagrams.clear()
        for field in dataclasses.fields(self._built):
            setattr(self._agent.settings, field.name, getattr(self._built, field.name))
        for name, address in addresses.items():
            setattr(self._agent.settings, name, address)
        self._rebuilt(before)
        self._modem.radio.give_time_again()

    def arm_power_cut(self, point: str, nth: int = 1, *, comes_back: bool = False) -> None:
        """Let the power go at the nth passing of a point from now on.

        :param point: see :data:`harness_nordic.virtual.power.POINTS`.
        :param nth: 1 is the next passing.
        :param comes_back: the power returns as soon as the board is dark; else it stays dark until somebody
            switches it on.
        """
        self._points.arm(point, nth, comes_back=comes_back)

    def disarm_power_cut(self) -> None:
        """Let the power stay."""
        self._points.disarm()

    def passed_points(self, *, clear: bool = False) -> list[tuple[str, str]]:
        """Return the points that were passed, oldest first: each with what was being done."""
        passed = self._points.passed()
        if clear:
            self._points.clear()
        return passed

    def forge(self, what: str, times: int = 1) -> None:
        """Forge the next things of a kind.

        :param what: ``token-signature``, ``jwt-signature`` or ``keygen-signature``: a foreign key signs;
            ``token-uuid``: an attestation token names another device.
        :param times: how many.
        """
        self._modem.faults.forge(what, times)
