"""What the driver ``mbl`` tells of a Mbed Linux device: how its utility ended, and what its client logged.

Source: pelion fact sheet, sections 2 and 6.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import BoardFault, CommandRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where the utility looks for credentials (pelion fact sheet, section 2.1).
FOLDER = "/scratch/provisioning-certs"
#: The utility itself (pelion fact sheet, section 2).
UTIL = "/opt/arm/pelion-provisioning-util"
#: Log of the service that bootstraps and registers, and how it is started anew (section 6.1).
CLIENT_LOG = "/var/log/mbl-cloud-client.log"
RESTART_CLIENT = "systemctl restart mbl-cloud-client"
#: Linux makes another id at each boot (proc(5), /proc/sys/kernel/random).
BOOT_ID = "/proc/sys/kernel/random/boot_id"

# What the utility says (pelion fact sheet, sections 2.1 and 2.2).
PROVISIONED = "Provisioning process completed without error."
CONFIGURED = "Device is configured correctly. You can connect to Pelion Cloud!"
SUCCESS, FAILURE = 0, 1

_STARTED = "mbl-cloud-client started"
_REGISTERED = "Client registered"
_UNREGISTERED = "Client unregistered"
_ERROR = "Error occurred"
_ENDPOINT_NAME = re.compile(r"Endpoint Name: ?(\S+)")
_DEVICE_ID = re.compile(r"Device Id: ?(\S+)")
_ERROR_NAME = re.compile(r"Error occurred ?: ?(\S+)")
_ERROR_CODE = re.compile(r"Error code ?: ?(-?[0-9]{1,9})")
_ERROR_DETAILS = re.compile(r"Error details ?: ?(.*)")
_SHOWN = 300


class RemoteCommandFailed(CommandRefused):
    """A command on the device ended with another status than 0.

    :ivar code: that status.
    :ivar errors: what it wrote to standard error.
    """

    def __init__(self, command: str, status: int, errors: str) -> None:
        """Keep the parts for the suite."""
        super().__init__(command, f"exit status {status}: {errors.strip()[:_SHOWN]}", status)
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How ``pelion-provisioning-util --provision`` ended.

    :ivar status: its exit status: 0 success, 1 failure, 2 wrong use.
    :ivar output: what it wrote to standard output.
    :ivar errors: what it wrote to standard error.
    """

    status: int
    output: str = ""
    errors: str = ""

    @property
    def ok(self) -> bool:
        """Whether exit status and text both say that the device is provisioned."""
        return self.status == SUCCESS and PROVISIONED in self.output

    @property
    def contradiction(self) -> str:
        """Where exit status and text do not say the same; empty when they do."""
        said = PROVISIONED in self.output
        if said == (self.status == SUCCESS):
            return ""
        return f"exit status {self.status}, and it {'says' if said else 'does not say'} {PROVISIONED!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PelionStatus:
    """What ``pelion-provisioning-util --get-pelion-status`` says.

    :ivar configured: whether the device is configured for Pelion.
    :ivar reason: why not, as ``TEXT:ITEM``; empty when it is.
    """

    configured: bool
    reason: str = ""

    @property
    def item(self) -> str:
        """The item that the reason is about; empty without one."""
        return self.reason.rpartition(":")[2] if ":" in self.reason else ""


def judge_status(status: int, output: str, errors: str) -> PelionStatus:
    """Judge how ``--get-pelion-status`` ended: exit status and text have to say the same.

    :raises BoardFault: they do not, or the status is neither 0 nor 1.
    """
    said = CONFIGURED in output
    reason = errors.strip()
    if status == SUCCESS and said and not reason:
        return PelionStatus(configured=True)
    if status == FAILURE and not said and reason:
        return PelionStatus(configured=False, reason=reason)
    raise BoardFault(
        f"{UTIL} --get-pelion-status contradicts itself: exit status {status}, standard output"
        f" {output[:_SHOWN]!r}, standard error {errors[:_SHOWN]!r}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientError:
    """An error that the device's client logged.

    :ivar name: for example ``ConnectBootstrapFailed``.
    :ivar code: its number; ``None`` where the log has none.
    """

    name: str
    code: int | None = None
    details: str = ""

    def __str__(self) -> str:
        """Say all of it."""
        return f"{self.name} ({self.code}): {self.details}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLogView:
    """What the log of the device's client says.

    :ivar registered: whether the last that happened in it was a registration.
    :ivar unregistered: whether it was the end of one, by the device itself.
    :ivar starting: whether it was a start of the client, which has not come to anything yet.
    :ivar started_at: where the line of the last start begins, in bytes of the whole log; ``None``: no start.
    :ivar endpoint_name: that the client named when it registered last; empty when it never did.
    :ivar device_id: likewise the id that the service gave it.
    :ivar errors: all errors, oldest first.
    :ivar registrations: how often it registered.
    :ivar size: length of the whole log in bytes, to look only at what comes after.
    :ivar text: what was looked at.
    """

    registered: bool = False
    unregistered: bool = False
    starting: bool = False
    started_at: int | None = None
    endpoint_name: str = ""
    device_id: str = ""
    errors: tuple[ClientError, ...] = ()
    registrations: int = 0
    size: int = 0
    text: str = field(default="", repr=False)

    @property
    def at_rest(self) -> bool:
        """Whether the client has come to something since it was started last."""
        return not self.starting


def read_client_log(content: bytes, *, after: int = 0) -> ClientLogView:
    """Read the log of the device's client.

    :param after: how much of it was there before and does not count, in bytes. A log that is shorter was
        begun anew: all of it counts.
    """
    begin = after if after <= len(content) else 0
    text = content[begin:].decode("utf-8", "backslashreplace")
    last, registrations, endpoint, device = "", 0, "", ""
    errors: list[ClientError] = []
    for line in text.splitlines():
        happened = next((each for each in (_REGISTERED, _UNREGISTERED, _STARTED) if each in line), "")
        last = happened or last
        if happened:
            registrations += happened == _REGISTERED
        elif found := _ERROR_NAME.search(line):
            last = _ERROR
            errors.append(ClientError(name=found[1]))
        elif found := _ENDPOINT_NAME.search(line):
            endpoint = found[1]
        elif found := _DEVICE_ID.search(line):
            device = found[1]
        elif errors:
            errors[-1] = _completed(errors[-1], line)
    return ClientLogView(
        registered=last == _REGISTERED,
        unregistered=last == _UNREGISTERED,
        starting=last == _STARTED,
        started_at=_last_start(content, begin),
        endpoint_name=endpoint,
        device_id=device,
        errors=tuple(errors),
        registrations=registrations,
        size=len(content),
        text=text,
    )


def _last_start(content: bytes, begin: int) -> int | None:
    found = content.rfind(_STARTED.encode(), begin)
    return None if found < 0 else max(begin, content.rfind(b"\n", begin, found) + 1)


def _completed(error: ClientError, line: str) -> ClientError:
    """Add to an error what a further line says of it."""
    if error.code is None and (found := _ERROR_CODE.search(line)):
        return ClientError(name=error.name, code=int(found[1]), details=error.details)
    if not error.details and (found := _ERROR_DETAILS.search(line)):
        return ClientError(name=error.name, code=error.code, details=found[1].strip())
    return error


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldItem:
    """An item in the device's key and configuration store, as a virtual board tells it.

    :ivar size: in bytes.
    :ivar sha256: lower-case digest of its content.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSnapshot:
    """What a provisioning may change on a device; two equal ones mean that nothing was changed.

    :ivar configured: whether the device says that it is configured.
    :ivar reason: why not.
    :ivar folder: whether the temporary folder is there.
    :ivar items: by name; ``None`` on hardware, whose store nobody reads from outside.
    """

    configured: bool
    reason: str
    folder: bool
    items: Mapping[str, HeldItem] | None = None
