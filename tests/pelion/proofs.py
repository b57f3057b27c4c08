"""A device that is provisioned, as both ends tell of it: tests of the judges begin with it and damage it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness_pelion.agreement_evidence import AccountEvidence, BoardEvidence
from harness_pelion.client_models import Device, DeviceEvent, LogEntry
from harness_pelion.driver_models import HeldItem, Outcome, PelionStatus, read_client_log
from harness_pelion.enums import DeveloperVariable, DeviceState, UpdateVariable
from harness_pelion.evidence import Facts
from harness_pelion.resources import DeveloperCredentials, UpdateResources

if TYPE_CHECKING:
    from harness_pelion.driver_models import ClientLogView

ACCOUNT, CERTIFICATE, DEVICE = "a" * 32, "c" * 32, "d" * 32
OTHER = "e" * 32
VENDOR = bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe")
CLASS = bytes.fromhex("4d131344feab5a2e84a20dccdd905f35")
KEY = bytes(range(138))

#: The items of the device's store and the literal contents that they must have (fact sheet, section 2.1).
CONTENTS: dict[str, bytes] = {
    "mbed.UseBootstrap": b"\x01\x00\x00\x00",
    "mbed.EndpointName": CERTIFICATE.encode(),
    "mbed.BootstrapDeviceCert": b"certificate",
    "mbed.BootstrapServerCACert": b"authority",
    "mbed.BootstrapDevicePrivateKey": KEY,
    "mbed.BootstrapServerURI": b"coaps://127.0.0.1:5684?aid=a",
    "mbed.Manufacturer": b"dev_manufacturer",
    "mbed.ModelNumber": b"dev_model_num",
    "mbed.SerialNumber": b"0",
    "mbed.DeviceType": b"dev_device_type",
    "mbed.HardwareVersion": b"dev_hardware_version",
    "mbed.MemoryTotalKB": b"0",
    "mbed.UpdateAuthCert": b"update certificate",
    "mbed.VendorId": VENDOR,
    "mbed.ClassId": CLASS,
}

LOG = f"""\
2026-11-22T00:00:00Z [INFO][mbl]: mbl-cloud-client started
2026-11-22T00:00:01Z [INFO][mbl]: Client registered
2026-11-22T00:00:01Z [INFO][mbl]: Endpoint Name: {CERTIFICATE}
2026-11-22T00:00:01Z [INFO][mbl]: Device Id: {DEVICE}
"""


def developer(**changes: bytes) -> DeveloperCredentials:
    """Return the developer's credentials, by names of :class:`~harness_pelion.enums.DeveloperVariable`."""
    files: dict[str, bytes] = {
        DeveloperVariable.ENDPOINT_NAME: CERTIFICATE.encode(),
        DeveloperVariable.ACCOUNT_ID: ACCOUNT.encode(),
        DeveloperVariable.SERVER_URI: b"coaps://127.0.0.1:5684?aid=a",
        DeveloperVariable.DEVICE_CERTIFICATE: b"certificate",
        DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE: b"authority",
        DeveloperVariable.DEVICE_PRIVATE_KEY: KEY,
        DeveloperVariable.MANUFACTURER: b"dev_manufacturer",
        DeveloperVariable.MODEL_NUMBER: b"dev_model_num",
        DeveloperVariable.SERIAL_NUMBER: b"0",
        DeveloperVariable.DEVICE_TYPE: b"dev_device_type",
        DeveloperVariable.HARDWARE_VERSION: b"dev_hardware_version",
        DeveloperVariable.MEMORY_TOTAL_KB: b"0",
    }
    files |= {DeveloperVariable[name]: content for name, content in changes.items()}
    return DeveloperCredentials("dev", files)


def update() -> UpdateResources:
    """Return the update resources."""
    return UpdateResources(
        "update",
        {
            UpdateVariable.VENDOR_ID: VENDOR,
            UpdateVariable.CLASS_ID: CLASS,
            UpdateVariable.FINGERPRINT: b"f" * 32,
            UpdateVariable.CERTIFICATE: b"update certificate",
        },
    )


def held(**changes: bytes | None) -> dict[str, HeldItem]:
    """Return what the store holds, by names without ``mbed.``; ``None`` leaves an item out."""
    contents: dict[str, bytes | None] = {
        **CONTENTS,
        **{f"mbed.{name}": content for name, content in changes.items()},
    }
    return {
        name: HeldItem(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
        if content is not None
    }


def log(text: str = LOG) -> ClientLogView:
    """Return what the client's log says."""
    return read_client_log(text.encode())


def device(**changes: Any) -> Device:
    """Return the entry in the directory."""
    fields = {
        "id": DEVICE,
        "account_id": ACCOUNT,
        "endpoint_name": CERTIFICATE,
        "endpoint_type": "default",
        "state": DeviceState.REGISTERED,
        "device_key": hashlib.sha256(b"certificate").digest().hex(":"),
        "ca_id": CERTIFICATE,
        "device_execution_mode": 1,
        "vendor_id": "fa6b4a53d5ad5fdfbe9de663e4d41ffe",
        "device_class": "4d131344feab5a2e84a20dccdd905f35",
        "bootstrapped_timestamp": "2026-11-22T00:00:00.500Z",
    }
    return Device.model_validate({**fields, **changes})


def events(*states: str) -> tuple[DeviceEvent, ...]:
    """Return events that brought the device to states, a second apart."""
    return tuple(
        DeviceEvent.model_validate(
            {
                "id": f"event{number}",
                "device_id": DEVICE,
                "date_time": datetime(2026, 11, 22, 0, 0, number, tzinfo=UTC),
                "state_change": state != "",
                "changes": {"state": state} if state else {},
            }
        )
        for number, state in enumerate(states or ("", "bootstrapped", "registered"))
    )


def notes(*whats: str, **details: str) -> tuple[LogEntry, ...]:
    """Return the servers' notes of the device."""
    return tuple(
        LogEntry.model_validate(
            {
                "at": "2026-11-22T00:00:00Z",
                "what": what,
                "device_id": DEVICE,
                **({"endpoint": CERTIFICATE} if what == "bootstrap finished" else {}),
                **details,
            }
        )
        for what in whats or ("bootstrap began", "bootstrap finished", "registered")
    )


def facts(**changes: Any) -> Facts:
    """Return all that is collected of a device that is provisioned."""
    known: dict[str, Any] = {
        "developer": developer(),
        "update": update(),
        "outcome": Outcome(
            status=0, output="Provisioning device.\nProvisioning process completed without error.\n"
        ),
        "status": PelionStatus(configured=True),
        "items": held(),
        "log": log(),
        "device": device(),
        "events": events(),
        "since": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Facts(**{**known, **changes})


def board(**changes: Any) -> BoardEvidence:
    """Return what the board says of itself."""
    known: dict[str, Any] = {"id": "mbl", "configured": True, "log": log(), "items": held()}
    return BoardEvidence(**{**known, **changes})


def account(**changes: Any) -> AccountEvidence:
    """Return all that the shared check looks at."""
    known: dict[str, Any] = {
        "account_id": ACCOUNT,
        "certificates": frozenset({CERTIFICATE}),
        "credentials": (developer(),),
        "devices": (device(),),
        "events": {DEVICE: events()},
        "notes": notes(),
        "boards": (board(),),
        "texts": {"the client's log of board mbl": LOG},
    }
    return AccountEvidence(**{**known, **changes})
