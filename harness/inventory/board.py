"""A board as the inventory knows it: data only, safe to hand to another process."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

#: Capability of every virtual board and of no other: its bench controls it (``board.virtual``).
VIRTUAL = "virtual"
#: Capability of a board on which a test may change what nobody can put back: of every virtual one, and with
#: ``--allow-destructive`` of attached ones.
DESTRUCTIVE = "destructive"
#: Property of a board that is found on USB: its serial number there.
USB_SERIAL = "usb_serial"
#: Property of a board that is found on USB: the chain of hub ports that leads to it, for example ``1-1.2``.
USB_LOCATION = "usb_location"
GRANTED = frozenset({VIRTUAL, DESTRUCTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One way to talk to a board.

    :ivar role: what it is for: ``console``, ``trace``, ...
    :ivar url: any pyserial URL or device path; for other transports an address of their own scheme.
    :ivar baud: line speed in bits per second.
    :ivar discipline: the line discipline spoken, for example ``at-host``.
    :ivar rtscts: hardware flow control.
    :ivar dtr: state of DTR to set before opening; ``None`` leaves the line alone.
    :ivar rts: state of RTS to set before opening; ``None`` leaves the line alone.
    :ivar interface: number of the USB interface that it is on, of a board that was moved; ``None``: the
        board's :attr:`Board.ports` say it.
    """

    role: str
    url: str
    baud: int = 115200
    discipline: str = "raw"
    rtscts: bool = False
    dtr: bool | None = None
    rts: bool | None = None
    interface: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One physical or virtual device under test.

    :ivar id: what it is called: unique on the host and stable over replugging (the rig file's name, a probe's
        serial number, or the name that the virtual bench gave). Of an ambiguous board that was not asked yet
        it is provisional and says where the board is.
    :ivar kind: name of its profile.
    :ivar kind_named: the rig file names that profile, whatever kind the board looks like on USB.
    :ivar driver: name of the driver that speaks its dialect.
    :ivar capabilities: what tests may ask for by ``needs=``.
    :ivar endpoints: by role.
    :ivar bench: control socket of the virtual bench that hosts it; ``None`` for hardware.
    :ivar properties: facts that are no secret, for example ``{"imei": "..."}``.
    :ivar control: tables that the rig file has for plugins that switch its power or write its firmware.
    :ivar ssh: where it is reached by SSH: fields of :class:`harness.ssh.SshAddress`; ``None``: nobody knows,
        or the board is virtual and says so itself.
    :ivar identity: who the board said it is when it was asked in its own dialect; until it was asked, who the
        rig file says it is; ``None`` when nobody knows.
    :ivar confirmed: the board was asked in this session, and it said so itself.
    :ivar ambiguous: its USB serial number is missing or not unique on the host: only asking tells who it is.
    :ivar ports: the interface number of each serial port of its USB device, by device path, whether or not
        an endpoint uses it.
    """

    id: str
    kind: str
    driver: str
    capabilities: frozenset[str] = frozenset()
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    bench: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    control: dict[str, dict[str, Any]] = field(default_factory=dict)
    ssh: dict[str, Any] | None = None
    identity: str | None = None
    confirmed: bool = False
    ambiguous: bool = False
    kind_named: bool = False
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def ways(self) -> list[str]:
        """How it is reached, for people: each serial endpoint by role, and SSH."""
        ways = [f"{role} {endpoint.url}" for role, endpoint in sorted(self.endpoints.items())]
        return ways if self.ssh is None else [*ways, f"ssh {self.ssh['host']}"]

    @property
    def hardware_identity(self) -> str:
        """What two sessions call the board alike, whatever each one's rig file calls it.

        Of an ambiguous board it is who the board is once that is known, and where it is until then.
        """
        if self.virtual:
            return self.id
        if not self.ambiguous:
            return self.properties.get(USB_SERIAL, self.id)
        return self.identity if self.confirmed and self.identity else self.hardware_place

    @property
    def hardware_place(self) -> str:
        """What two sessions call the USB device alike as long as nobody unplugs it."""
        parts = (self.properties.get(USB_SERIAL), self.properties.get(USB_LOCATION))
        return "@".join(filter(None, parts)) or self.id

    @property
    def known_as(self) -> tuple[Board, ...]:
        """The board under each name by which a session may know it; the name that lasts at the end.

        Whether its serial number is its alone depends on what else is plugged in: a session that began
        before a twin came, or after one went, calls a board otherwise. Where it is, all of them see alike.
        """
        return (self,) if self.virtual else (replace(self, ambiguous=True, confirmed=False), self)

    @property
    def ambiguity(self) -> str | None:
        """Why its serial number does not tell who it is; ``None`` where it does."""
        if not self.ambiguous:
            return None
        serial = self.properties.get(USB_SERIAL)
        return f"its USB serial number {serial} is not unique" if serial else "it has no USB serial number"

    @property
    def virtual(self) -> bool:
        """Whether the board is hosted by a virtual bench."""
        return self.bench is not None

    def granted(self, *, allow_destructive: bool) -> Board:
        """Return the board with the capabilities that no profile gives, but the way that it is used.

        :param allow_destructive: whether tests may change on hardware what nobody can put back.
        """
        given = GRANTED if self.virtual else {DESTRUCTIVE} if allow_destructive else set()
        return replace(self, capabilities=self.capabilities - GRANTED | given)

    def to_json(self) -> dict[str, Any]:
        """Return plain data from which :meth:`from_json` makes an equal board."""
        data = asdict(self)
        data["capabilities"] = sorted(self.capabilities)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Board:
        """Make the board that :meth:`to_json` described."""
        endpoints = {role: Endpoint(**endpoint) for role, endpoint in data["endpoints"].items()}
        return cls(**{**data, "capabilities": frozenset(data["capabilities"]), "endpoints": endpoints})
