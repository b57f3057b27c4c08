"""The chain of evidence that a device is provisioned, weakest link first; each link is judged apart.

Source: pelion fact sheet, section 6. A link that board or service cannot show is unknown, never well.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import BoardFault
from harness.evidence import step
from harness_pelion.enums import DeveloperVariable, DeviceState, ExecutionMode, Item, UpdateVariable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.client import PelionClient
    from harness_pelion.client_models import Device, DeviceEvent
    from harness_pelion.driver_models import ClientLogView, HeldItem, Outcome, PelionStatus
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

UTIL, STATUS, ITEMS, LOG = "util", "status", "items", "log"
BOOTSTRAP, REGISTRATION, DIRECTORY, EVENTS = "bootstrap", "registration", "directory", "events"
#: The links in their order (pelion fact sheet, section 6).
LINKS = (UTIL, STATUS, ITEMS, LOG, BOOTSTRAP, REGISTRATION, DIRECTORY, EVENTS)

#: Links that time does not mend.
_AT_REST = frozenset({UTIL, STATUS, ITEMS})

COLLECT_SECONDS = 30.0
"""How long a device may take to be registered; the documents wait about 30 s (section 6.1)."""

CLOCKS_APART = timedelta(minutes=2)
"""How far the service's clock may be from this host's."""

USE_BOOTSTRAP = b"\x01\x00\x00\x00"
"""The constant that the utility stores: 1, 32 bits, little endian (section 2.1)."""

#: Which variable each item is made of (section 2.1).
ITEM_OF: Mapping[str, Item] = {
    DeveloperVariable.ENDPOINT_NAME: Item.ENDPOINT_NAME,
    DeveloperVariable.DEVICE_CERTIFICATE: Item.BOOTSTRAP_DEVICE_CERT,
    DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE: Item.BOOTSTRAP_SERVER_CA_CERT,
    DeveloperVariable.DEVICE_PRIVATE_KEY: Item.BOOTSTRAP_DEVICE_PRIVATE_KEY,
    DeveloperVariable.SERVER_URI: Item.BOOTSTRAP_SERVER_URI,
    DeveloperVariable.MANUFACTURER: Item.MANUFACTURER,
    DeveloperVariable.MODEL_NUMBER: Item.MODEL_NUMBER,
    DeveloperVariable.SERIAL_NUMBER: Item.SERIAL_NUMBER,
    DeveloperVariable.DEVICE_TYPE: Item.DEVICE_TYPE,
    DeveloperVariable.HARDWARE_VERSION: Item.HARDWARE_VERSION,
    DeveloperVariable.MEMORY_TOTAL_KB: Item.MEMORY_TOTAL_KB,
    UpdateVariable.CERTIFICATE: Item.UPDATE_AUTH_CERT,
    UpdateVariable.VENDOR_ID: Item.VENDOR_ID,
    UpdateVariable.CLASS_ID: Item.CLASS_ID,
}

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class Link(NamedTuple):
    """One link of the chain.

    :ivar ok: ``None``: neither board nor service can show it.
    :ivar why: why it is broken, or unknown; empty when it holds.
    """

    name: str
    ok: bool | None
    why: str = ""

    def __str__(self) -> str:
        """Say how it is."""
        state = {True: "ok", False: "broken", None: "unknown"}[self.ok]
        return f"{self.name}: {state}{f', {self.why}' if self.why else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was collected of a device; ``None`` is what nobody can show.

    :ivar developer: what the device was provisioned with; ``update``: likewise.
    :ivar outcome: how the utility ended.
    :ivar items: what the device's store holds.
    :ivar device: its entry in the directory; ``None``: it has none.
    :ivar strangers: ids of further devices of the certificate that nobody expected.
    :ivar event_details: whether the events' contents are known, so that they can be judged.
    :ivar since: when provisioning began, by this host's clock; ``None``: nobody knows.
    """

    developer: DeveloperCredentials
    update: UpdateResources
    outcome: Outcome
    status: PelionStatus | str
    items: Mapping[str, HeldItem] | None
    log: ClientLogView
    device: Device | None
    strangers: Sequence[str] = ()
    events: Sequence[DeviceEvent] = ()
    event_details: bool = True
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The chain as it was judged.

    :ivar links: all links in their order.
    :ivar facts: what they were judged by.
    """

    links: tuple[Link, ...]
    facts: Facts = field(repr=False)

    def __getitem__(self, name: str) -> Link:
        """Return a link by its name."""
        return next(link for link in self.links if link.name == name)

    def first_broken(self) -> Link | None:
        """Return the weakest link that is broken; ``None`` when none is."""
        return next((link for link in self.links if link.ok is False), None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the links that nobody could show."""
        return tuple(link.name for link in self.links if link.ok is None)

    @property
    def device(self) -> Device:
        """The device in the directory.

        :raises BoardFault: there is none.
        """
        if self.facts.device is None:
            raise BoardFault(f"the device is not in the directory: {self.first_broken()}")
        return self.facts.device


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was there before a device was provisioned, and proves nothing.

    :ivar devices: ids of devices that used the same certificate already.
    :ivar log_size: of the log of the device's client, in bytes.
    :ivar moment: when that was, by this host's clock; ``None``: nobody knows.
    """

    devices: frozenset[str] = frozenset()
    log_size: int = 0
    moment: datetime | None = None

    @classmethod
    def now(cls, board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials) -> Before:
        """Look at both ends now."""
        return cls(
            devices=frozenset(device.id for device in pelion.devices(ca_id=developer.endpoint_name)),
            log_size=board.driver.watched_log().size,
            moment=datetime.now(UTC),
        )


def collect(
    board: LeasedBoard,
    pelion: PelionClient,
    developer: DeveloperCredentials,
    update: UpdateResources,
    outcome: Outcome,
    *,
    timeout: float = COLLECT_SECONDS,
    before: Before | None = None,
) -> Evidence:
    """Collect and judge the evidence, again and again until no link is broken that time may mend.

    :param outcome: how the utility ended.
    :param timeout: seconds for that; 0 looks once.
    :param before: what was there before the device was provisioned, and proves nothing.
    :raises BoardLost: the board went away.
    """
    deadline, pause, before = time.monotonic() + timeout, _FIRST_PAUSE, before or Before()
    with step("The chain of evidence is collected"):
        status = _status(board)
        items = board.driver.items() if board.description.virtual else None
        while True:
            log = board.driver.watched_log(after=before.log_size)
            device, strangers = _device_of(log, pelion.devices(ca_id=developer.endpoint_name), before)
            evidence = judge(
                Facts(
                    developer=developer,
                    update=update,
                    outcome=outcome,
                    status=status,
                    items=items,
                    log=log,
                    device=device,
                    strangers=strangers,
                    events=() if device is None else pelion.events(device.id),
                    event_details="event-details" in pelion.capabilities,
                    since=before.moment,
                )
            )
            broken = {link.name for link in evidence.links if link.ok is False}
            left = deadline - time.monotonic()
            if not broken or broken & _AT_REST or left <= 0:
                return evidence
            threading.Event().wait(min(pause, left))  # neither log nor directory tells that it has changed
            pause = min(2 * pause, _LONGEST_PAUSE)


def _status(board: LeasedBoard) -> PelionStatus | str:
    try:
        status: PelionStatus = board.driver.status()
    except BoardFault as fault:
        return str(fault)
    return status


def _device_of(
    log: ClientLogView, devices: Sequence[Device], before: Before
) -> tuple[Device | None, list[str]]:
    """Return the entry of a board, and ids of others that nobody expected."""
    new = [device for device in devices if device.id not in before.devices]
    named = [device for device in devices if device.id == log.device_id]
    mine = named or (new[:1] if len(new) == 1 else [])
    own = mine[0] if mine else None
    return own, [device.id for device in new if own is None or device.id != own.id]


def judge(facts: Facts) -> Evidence:
    """Judge what was collected; a pure function."""
    problems = {
        UTIL: _util(facts),
        STATUS: _status_problems(facts),
        ITEMS: _items(facts),
        LOG: _log(facts),
        BOOTSTRAP: _bootstrap(facts),
        REGISTRATION: _registration(facts),
        DIRECTORY: _directory(facts),
        EVENTS: _events(facts),
    }
    unknown = {
        ITEMS: "" if facts.items is not None else "nobody reads a device's store from outside",
        EVENTS: "" if facts.event_details else "what this service's events hold is not public",
    }
    links = []
    for name in LINKS:
        if unknown.get(name):
            links.append(Link(name, None, unknown[name]))
        else:
            why = "; ".join(problems[name])
            links.append(Link(name, not why, why))
    return Evidence(tuple(links), facts)


def expected_items(developer: DeveloperCredentials, update: UpdateResources) -> dict[str, bytes]:
    """Return what the device's store has to hold after it was provisioned (section 2.1)."""
    given = {**developer.files, **update.files}
    items = {str(item): given[variable] for variable, item in ITEM_OF.items() if variable in given}
    return {str(Item.USE_BOOTSTRAP): USE_BOOTSTRAP, **items}


# The links -----------------------------------------------------------------------------------------------


def _util(facts: Facts) -> Iterator[str]:
    outcome = facts.outcome
    if outcome.contradiction:
        yield outcome.contradiction
    elif not outcome.ok:
        yield f"exit status {outcome.status}: {outcome.errors.strip()[:300]}"


def _status_problems(facts: Facts) -> Iterator[str]:
    if isinstance(facts.status, str):
        yield facts.status
    elif not facts.status.configured:
        yield facts.status.reason


def _items(facts: Facts) -> Iterator[str]:
    held = facts.items or {}
    for name, content in expected_items(facts.developer, facts.update).items():
        if name not in held:
            yield f"{name} is missing"
        elif held[name].sha256 != hashlib.sha256(content).hexdigest():
            yield f"{name} is another than was given"


def _log(facts: Facts) -> Iterator[str]:
    log = facts.log
    if not log.registered:
        yield f"the client does not say that it is registered; errors: {_said(log)}"
    elif not log.device_id:
        yield "the client says that it is registered, and names no device id"
    elif log.endpoint_name not in {facts.developer.endpoint_name, log.device_id}:
        yield f"the client says that its endpoint name is {log.endpoint_name!r}"


def _said(log: ClientLogView) -> str:
    return "; ".join(map(str, log.errors[-3:])) or "none"


def _bootstrap(facts: Facts) -> Iterator[str]:
    device = facts.device
    if facts.strangers:
        yield f"further devices bootstrapped with the same certificate: {', '.join(facts.strangers)}"
    if device is None:
        yield "no device bootstrapped with the certificate"
        return
    if device.ca_id != facts.developer.endpoint_name:
        yield f"the device bootstrapped with the certificate {device.ca_id}"
    moment = device.bootstrapped_timestamp
    if moment is None:
        yield "the service does not know when the device bootstrapped"
    elif facts.since is not None and moment < facts.since - CLOCKS_APART:
        yield f"the device bootstrapped {moment.isoformat()}, before it was provisioned"


def _registration(facts: Facts) -> Iterator[str]:
    device, log = facts.device, facts.log
    if device is None:
        yield "no device to be registered"
    elif device.state is not DeviceState.REGISTERED:
        yield f"the device is {device.state.value}"
    elif log.device_id and log.device_id != device.id:
        yield f"the device says that it is {log.device_id}, the directory has {device.id}"


def _directory(facts: Facts) -> Iterator[str]:
    device = facts.device
    if device is None:
        yield "no entry"
        return
    vendor, class_id = (
        facts.update.files.get(variable, b"").hex()
        for variable in (UpdateVariable.VENDOR_ID, UpdateVariable.CLASS_ID)
    )
    for what, said, wanted in (
        ("account", device.account_id, facts.developer.account_id),
        ("device_execution_mode", device.device_execution_mode, int(ExecutionMode.DEVELOPMENT)),
        ("vendor_id", device.vendor_id, vendor),
        ("device_class", device.device_class, class_id),
    ):
        if said != wanted:
            yield f"{what} is {said!r}, not {wanted!r}"
    if device.endpoint_name not in {facts.developer.endpoint_name, device.id}:
        yield f"endpoint_name is {device.endpoint_name!r}, not {facts.developer.endpoint_name!r}"
    if device.device_key and _digits(device.device_key) != _fingerprint(facts.developer):
        yield "device_key is not the fingerprint of the certificate"


def _fingerprint(developer: DeveloperCredentials) -> str:
    return hashlib.sha256(developer.certificate_der).hexdigest()


def _digits(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()


def _events(facts: Facts) -> Iterator[str]:
    if facts.device is None:
        yield "no device that events are about"
        return
    states = [event.state for event in facts.events if event.state_change]
    registered = next((at for at, state in enumerate(states) if state == DeviceState.REGISTERED), None)
    bootstrapped = next((at for at, state in enumerate(states) if state == DeviceState.BOOTSTRAPPED), None)
    if bootstrapped is None:
        yield "no event of a bootstrap"
    if registered is None:
        yield "no event of a registration"
    elif bootstrapped is not None and bootstrapped > registered:
        yield "the registration is told before the bootstrap"
