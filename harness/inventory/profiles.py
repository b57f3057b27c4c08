"""Board profiles: what is known of a kind of board, one TOML file a kind.

The keys are those of :class:`Profile` and its parts; ``docs/reference/profiles.md`` explains them to
people. A file that does not fit is refused with its name, the key, the value and what was expected.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from harness.errors import UsageError
from harness.inventory.board import Endpoint
from harness.toml_files import Part, first_mistake, nearest, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.inventory.serial_ports import SerialPort

Text = Annotated[str, Field(min_length=1)]
# One prefix more than makes up for any number of other keys.
_KEYS = 64
Name = Annotated[str, Field(min_length=1, pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


class UsbMatch(Part):
    """How a board of this kind shows up on USB; every key that is there has to fit.

    In the patterns ``*`` stands for any text, ``?`` for any character and ``[...]`` for one of some.

    :ivar vid: USB vendor id; ``None``: any.
    :ivar pid: USB product id; ``None``: any.
    :ivar serial_prefixes: the serial number begins with one of these; empty: any, and none.
    :ivar manufacturer: pattern of the manufacturer's name; ``None``: any.
    :ivar product: pattern of the product's name; ``None``: any.
    :ivar properties: patterns of what udev says of one of the ports, by property.
    :ivar ancestors: patterns of what udev and sysfs say of one of the devices above a port, by property.
    """

    vid: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    pid: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    serial_prefixes: list[Text] = Field(default_factory=list)
    manufacturer: Text | None = None
    product: Text | None = None
    properties: dict[Text, Text] = Field(default_factory=dict)
    ancestors: dict[Text, Text] = Field(default_factory=dict)

    def strength(self, port: SerialPort) -> int:
        """Say how closely a port fits: 0 not at all, more for a longer match.

        The longest prefix of the serial number counts before the number of the other keys.

        :param port: the port.
        """
        judged = self.judge(port)
        if not all(judged.values()):
            return 0
        serial = port.serial_number or ""
        matched = max((len(one) for one in self.serial_prefixes if serial.startswith(one)), default=0)
        patterns = max(0, len(self.properties) - 1) + max(0, len(self.ancestors) - 1)
        named = len(judged) - bool(self.serial_prefixes) + patterns
        return matched * _KEYS + min(named, _KEYS - 1)

    def judge(self, port: SerialPort) -> dict[str, bool]:
        """Say of each key that is there whether it fits.

        :param port: the port.
        """
        judged = {}
        if self.vid is not None:
            judged["vid"] = port.vid == self.vid
        if self.pid is not None:
            judged["pid"] = port.pid == self.pid
        if self.serial_prefixes:
            judged["serial_prefixes"] = (port.serial_number or "").startswith(tuple(self.serial_prefixes))
        if self.manufacturer is not None:
            judged["manufacturer"] = _like(self.manufacturer, port.manufacturer)
        if self.product is not None:
            judged["product"] = _like(self.product, port.product)
        if self.properties:
            judged["properties"] = _all_like(self.properties, port.properties)
        if self.ancestors:
            judged["ancestors"] = any(_all_like(self.ancestors, one) for one in port.ancestors)
        return judged


def _like(pattern: str, text: str | None) -> bool:
    return text is not None and fnmatchcase(text, pattern)


def _all_like(patterns: Mapping[str, str], facts: Mapping[str, str]) -> bool:
    return all(_like(pattern, facts.get(name)) for name, pattern in patterns.items())


class EndpointProfile(Part):
    """One serial endpoint of a kind of board.

    :ivar interface: number of its USB interface (``bInterfaceNumber``): no position, for the interfaces of
        other functions lie between those of serial ports.
    :ivar discipline: line discipline that is spoken, for example ``at-host``.
    :ivar baud: line speed in bits per second.
    :ivar rtscts: hardware flow control.
    :ivar dtr: state of DTR to set before opening; ``None`` leaves the line alone.
    :ivar rts: state of RTS to set before opening; ``None`` leaves the line alone.
    """

    interface: Annotated[int, Field(ge=0, le=255)]
    discipline: Name = "raw"
    baud: Annotated[int, Field(ge=50, le=12_000_000)] = 115200
    rtscts: bool = False
    dtr: bool | None = None
    rts: bool | None = None


class Buffers(Part):
    """Sizes of the buffers that the board's agent tells its service, in bytes.

    :ivar rx: largest reply that the board can take.
    :ivar tx: largest report that the board can send.
    """

    rx: Annotated[int, Field(ge=128, le=1_048_576)]
    tx: Annotated[int, Field(ge=128, le=1_048_576)]


class Profile(Part):
    """The description of a kind of board.

    :ivar name: name of the kind: the file's name without ``.toml``.
    :ivar title: the product's name, for people.
    :ivar vendor: who makes it.
    :ivar driver: name of the driver that speaks its dialect.
    :ivar capabilities: what tests may ask for by ``needs=``.
    :ivar usb: how it shows up on USB; any entry may match. Empty for a virtual board.
    :ivar endpoints: its serial endpoints by role.
    :ivar buffers: sizes of its agent's buffers, when it has an agent.
    :ivar virtual: hosted by the virtual bench, never found on USB.
    :ivar twin_of: name of the profile of the hardware that a virtual board stands for.
    """

    name: Name
    title: Annotated[str, Field(min_length=1)]
    vendor: Annotated[str, Field(min_length=1)]
    driver: Name
    capabilities: list[Name] = Field(default_factory=list)
    usb: list[UsbMatch] = Field(default_factory=list)
    endpoints: Annotated[dict[Name, EndpointProfile], Field(min_length=1)]
    buffers: Buffers | None = None
    virtual: bool = False
    twin_of: Name | None = None

    def endpoint(self, role: str, url: str) -> Endpoint:
        """Describe an endpoint of a board of this kind.

        :param role: its role.
        :param url: where it is: a pyserial URL or a device path.
        :raises UsageError: boards of this kind have no endpoint of that role.
        """
        known = self.endpoints.get(role)
        if known is None:
            raise UsageError(
                f"profile {self.name} has no endpoint of this role",
                key="endpoints",
                value=role,
                expected=" or ".join(sorted(self.endpoints)),
            )
        return Endpoint(
            role=role,
            url=url,
            baud=known.baud,
            discipline=known.discipline,
            rtscts=known.rtscts,
            dtr=known.dtr,
            rts=known.rts,
        )

    def strength(self, port: SerialPort) -> int:
        """Say how closely a USB serial port fits this kind: 0 not at all, more for a longer match."""
        return max((match.strength(port) for match in self.usb), default=0)

    @property
    def properties(self) -> dict[str, str]:
        """Facts of the kind for :class:`~harness.inventory.board.Board`."""
        facts = {"title": self.title, "vendor": self.vendor}
        if self.buffers is not None:
            facts |= {"rx_buffer": str(self.buffers.rx), "tx_buffer": str(self.buffers.tx)}
        return facts


def load_profiles(paths: Iterable[Path], *, complete: bool = True) -> dict[str, Profile]:
    """Read profiles.

    :param paths: files, or directories whose ``*.toml`` files are all read.
    :param complete: these are all profiles there are, so that whatever one names has to be among them.
    :return: profiles by name, sorted.
    :raises UsageError: a file cannot be read or does not fit, or two files describe one kind.
    """
    sources: dict[str, Path] = {}
    profiles: dict[str, Profile] = {}
    for path in paths:
        for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            profile = load_profile(file)
            if profile.name in sources and sources[profile.name].resolve() != file.resolve():
                raise UsageError(
                    "two files describe one kind of board",
                    file=file,
                    key="name",
                    value=profile.name,
                    expected=f"another file name; {sources[profile.name]} has this one",
                )
            sources[profile.name] = file
            profiles[profile.name] = profile
    if complete:
        _check_twins(profiles, sources)
    return dict(sorted(profiles.items()))


def load_profile(file: Path) -> Profile:
    """Read one profile.

    :param file: a TOML file; its name without ``.toml`` is the kind's name.
    :raises UsageError: it cannot be read or does not fit.
    """
    data = read_toml(file)
    if "name" in data:
        raise UsageError("unknown key", file=file, key="name", expected="no such key; the file's name counts")
    try:
        profile = Profile.model_validate({**data, "name": file.stem})
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        if detail["loc"] == ("name",) and len(error.errors()) == 1:
            raise UsageError(
                "the file's name is the kind's name and does not fit",
                file=file,
                value=file.stem,
                expected="lower case letters, digits, '-', '_' and '.'",
            ) from error
        raise first_mistake(file, error, Profile, hidden={"name"}) from error
    _check_profile(file, profile)
    return profile


def _check_profile(file: Path, profile: Profile) -> None:
    seen: dict[int, str] = {}
    for role, endpoint in profile.endpoints.items():
        if endpoint.interface in seen:
            raise UsageError(
                f"is the interface of {seen[endpoint.interface]!r} already",
                file=file,
                key=f"endpoints.{role}.interface",
                value=endpoint.interface,
                expected="one interface a role",
            )
        seen[endpoint.interface] = role
    if profile.virtual and profile.usb:
        raise UsageError("a virtual board is not on USB", file=file, key="usb", expected="no [[usb]]")
    if profile.twin_of and not profile.virtual:
        raise UsageError(
            "only a virtual board is a twin", file=file, key="virtual", expected="virtual = true"
        )


def _check_twins(profiles: dict[str, Profile], sources: dict[str, Path]) -> None:
    for profile in profiles.values():
        if profile.twin_of is not None and profile.twin_of not in profiles:
            raise UsageError(
                "no such profile",
                file=sources[profile.name],
                key="twin_of",
                value=profile.twin_of,
                expected=nearest(profile.twin_of, profiles) or "the name of a profile",
            )
