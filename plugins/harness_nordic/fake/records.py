"""What the fake remembers of factories, teams and devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.clock import timestamp
from harness_nordic.fake.tokens import key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from harness_nordic.enums import DeviceType, Role
    from harness_nordic.fake.command_queue import CommandQueue
    from harness_nordic.fake.onboarding import Onboarding
    from harness_nordic.fake.tags import TeamTags


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryRecord:
    """What the Identity Service knows of a device (nrfcloud fact sheet, section 4.3).

    :ivar key_id: the ``kid`` of the identity key.
    """

    id: str
    public_key: ec.EllipticCurvePublicKey
    imei: str
    device_type: DeviceType
    firmware_id: str
    key_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the key id once: every fetch compares it."""
        object.__setattr__(self, "key_id", key_id(self.public_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who may use the management API.

    :ivar owner_id: UUID of the team.
    """

    api_key: str = field(repr=False)
    owner_id: str
    role: Role


@dataclass(slots=True, kw_only=True)
class ClaimedDevice:
    """A device that a team owns (nrfcloud fact sheet, section 2.5).

    :ivar number: counts claims; the order of lists.
    :ivar tag_ids: ids of its tags, also of such as are deleted meanwhile.
    :ivar rules: ids of the rules that were applied since the claim.
    :ivar onboardings: what is to become of it in device management when a command succeeds, by the id of
        that command.
    """

    factory: FactoryRecord
    number: int
    owner_id: str
    firmware_id: str
    tag_ids: tuple[str, ...]
    team_tags: TeamTags
    claimed_at: str
    queue: CommandQueue
    blocked: bool = False
    rules: set[str] = field(default_factory=set)
    onboardings: list[tuple[str, Onboarding]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The device UUID."""
        return self.factory.id

    @property
    def type_name(self) -> str:
        """The device type as the API writes it, for example ``nrf9160_SICA``."""
        return self.factory.device_type.name.replace("NRF", "nrf", 1)

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of its tags as they are now."""
        return tuple(tag.name for tag in self.team_tags.held(self.tag_ids))

    @property
    def status(self) -> DeviceStatus:
        """A block hides the status of the queue, which comes to light again after it."""
        return DeviceStatus.BLOCKED if self.blocked else self.queue.device_status

    def to_json(self) -> dict[str, Any]:
        """Return the device object of the API."""
        return {
            "id": self.id,
            "deviceType": self.type_name,
            "firmwareId": self.firmware_id,
            "imei": self.factory.imei,
            "ownerId": self.owner_id,
            "ownershipStatus": "IDENTIFIED",
            "tags": list(self.tags),
            "status": self.status.value,
            "claimedAt": self.claimed_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """One request of a device, for suites to see what the board really did.

    :ivar seconds: when, since the epoch.
    :ivar status: of the answer; 0 when the connection was closed without one.
    :ivar ids: correlation ids of the commands that were served or reported.
    :ivar fault: kind of the fault that struck it, if one did.
    """

    seconds: float
    method: str
    path: str
    query: str
    status: int
    ids: tuple[str, ...]
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "time": timestamp(self.seconds),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "ids": list(self.ids),
            "fault": self.fault,
        }
