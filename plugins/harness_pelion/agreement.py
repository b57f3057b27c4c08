"""The shared check: directory, events, servers' log, devices and their stores say the same.

A pure function over what was collected (:mod:`harness_pelion.agreement_evidence`). It knows the service by
the pelion fact sheet (sections 2, 3 and 6) alone, not by any code of the fake or of the virtual board.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from harness_pelion.enums import DeviceState, Item
from harness_pelion.key_forms import is_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness_pelion.agreement_evidence import AccountEvidence, BoardEvidence
    from harness_pelion.client_models import Device, DeviceEvent
    from harness_pelion.resources import DeveloperCredentials

#: How the fake's servers note what they did; it is their own log, not the service's.
BOOTSTRAP_FINISHED, REGISTERED = "bootstrap finished", "registered"

#: States that a device has only once it was bootstrapped (pelion fact sheet, section 6.3).
BOOTSTRAPPED = frozenset({DeviceState.BOOTSTRAPPED, DeviceState.REGISTERED, DeviceState.DEREGISTERED})

_API_KEY = re.compile(r"ak_[A-Za-z0-9]{16,}")


def disagreements(evidence: AccountEvidence) -> list[str]:
    """Say where what was collected of an account does not agree; empty when all of it does."""
    found: list[str] = []
    for device in evidence.devices:
        found += [f"device {device.id}: {text}" for text in _device(device, evidence)]
    found += _certificates(evidence)
    for board in evidence.boards:
        found += [f"board {board.id}: {text}" for text in _board(board, evidence)]
    found += _leaks(evidence)
    return found


# Directory, events and the servers' log ------------------------------------------------------------------


def _device(device: Device, evidence: AccountEvidence) -> Iterator[str]:
    if (device.state in BOOTSTRAPPED) != (device.bootstrapped_timestamp is not None):
        yield f"{device.state.value}, and bootstrapped at {device.bootstrapped_timestamp}"
    if evidence.account_id and device.account_id != evidence.account_id:
        yield f"it is in the account {device.account_id}"
    credentials = _used(evidence, device.ca_id)
    if credentials is not None and device.device_key:
        digits = device.device_key.replace(":", "").lower()
        if digits != _digest(credentials.certificate_der):
            yield "its device_key is not the fingerprint of the certificate that ca_id names"
    if evidence.events is not None:
        yield from _events(device, evidence.events.get(device.id, ()))
    if evidence.notes is not None:
        yield from _notes(device, evidence)


def _events(device: Device, events: Sequence[DeviceEvent]) -> Iterator[str]:
    states = [event.state for event in events if event.state_change and event.state]
    if not states:
        if device.state in BOOTSTRAPPED:
            yield f"{device.state.value}, and no event tells how it came to that"
        return
    if DeviceState.BOOTSTRAPPED not in _before(DeviceState.REGISTERED, states):
        if DeviceState.REGISTERED in states:
            yield "an event tells that it was registered, and none before that it was bootstrapped"
        else:
            yield f"{device.state.value}, and no event tells that it was bootstrapped"
    if states[-1] != device.state.value:
        yield f"{device.state.value}, and its last event brought it to {states[-1]}"


def _notes(device: Device, evidence: AccountEvidence) -> Iterator[str]:
    """Compare with what the servers noted, which nothing but a protocol's end makes them note."""
    notes = [note for note in evidence.notes or () if note.details.get("device_id") == device.id]
    whats = [note.what for note in notes]
    if device.state in BOOTSTRAPPED and BOOTSTRAP_FINISHED not in _before(REGISTERED, whats):
        when = " before they registered it" if REGISTERED in whats else ""
        yield f"{device.state.value}, and the servers finished no bootstrap{when}"
    if device.state is DeviceState.REGISTERED and REGISTERED not in whats:
        yield "registered, and the servers registered it never"
    endpoints = {note.details.get("endpoint") for note in notes if note.what == BOOTSTRAP_FINISHED}
    if endpoints and device.ca_id not in endpoints:
        yield f"its ca_id is {device.ca_id}, and it bootstrapped as {_names(endpoints)}"
    if evidence.events is None:
        return
    states = Counter(event.state for event in evidence.events.get(device.id, ()) if event.state_change)
    counted = Counter(whats)
    for state, what in (
        (DeviceState.BOOTSTRAPPED, BOOTSTRAP_FINISHED),
        (DeviceState.REGISTERED, REGISTERED),
    ):
        if states[state.value] != counted[what]:
            yield f"{states[state.value]} events of {state.value}, and the servers noted {counted[what]}"


def _before(what: str, series: Sequence[str]) -> Sequence[str]:
    """Return what comes before the first of something; all where there is none."""
    return series[: series.index(what)] if what in series else series


def _certificates(evidence: AccountEvidence) -> Iterator[str]:
    users = Counter(device.ca_id for device in evidence.devices)
    for identifier, count in users.items():
        if identifier not in evidence.certificates:
            yield f"devices use the certificate {identifier}, which is not one of the test's"
        if count > evidence.most_devices:
            yield f"{count} devices use the certificate {identifier}, and {evidence.most_devices} may"


# The boards ----------------------------------------------------------------------------------------------


def _board(board: BoardEvidence, evidence: AccountEvidence) -> Iterator[str]:
    if board.folder:
        yield "its temporary folder is still there"
    if board.configured is None:
        yield "its utility contradicts itself"
    yield from _client(board, evidence)
    if board.items is not None:
        yield from _store(board, evidence)


def _client(board: BoardEvidence, evidence: AccountEvidence) -> Iterator[str]:
    log = board.log
    device = next((each for each in evidence.devices if each.id == log.device_id), None)
    if log.registered and not log.device_id:
        yield "its client says that it is registered, and not as whom"
    if device is None:
        return
    registered = device.state is DeviceState.REGISTERED
    if log.registered and not registered and not evidence.clock_shifted:
        yield f"its client says that it is registered, and the directory that it is {device.state.value}"
    if log.unregistered and registered:
        yield "its client says that it is not registered any more, and the directory that it is"
    if log.registered and log.endpoint_name not in {device.ca_id, device.id}:
        yield f"its client registered as {log.endpoint_name}, with the certificate {device.ca_id}"


def _store(board: BoardEvidence, evidence: AccountEvidence) -> Iterator[str]:
    """Say which credentials in its store are not of one set: a claim to be configured is wrong then."""
    held = {name: item.sha256 for name, item in (board.items or {}).items()}
    if not board.configured:
        return
    endpoint = held.get(Item.ENDPOINT_NAME)
    own = next(
        (each for each in evidence.credentials if _digest(each.endpoint_name.encode()) == endpoint), None
    )
    if own is None:
        return
    for item, content in (
        (Item.BOOTSTRAP_DEVICE_CERT, own.certificate_der),
        (Item.BOOTSTRAP_DEVICE_PRIVATE_KEY, own.private_key_der),
    ):
        if held.get(item) != _digest(content):
            yield f"configured as {own.endpoint_name}, and its {item} is of another certificate"


# Keys ----------------------------------------------------------------------------------------------------


def _leaks(evidence: AccountEvidence) -> Iterator[str]:
    for where, text in evidence.texts.items():
        if any(is_in(each.private_key_der, text) for each in evidence.credentials):
            yield f"{where} has a private key in it"
        if _API_KEY.search(text):
            yield f"{where} has an API key in it"


def _used(evidence: AccountEvidence, certificate_id: str) -> DeveloperCredentials | None:
    return next((each for each in evidence.credentials if each.endpoint_name == certificate_id), None)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _names(values: set[object]) -> str:
    return ", ".join(sorted(map(str, values)))
