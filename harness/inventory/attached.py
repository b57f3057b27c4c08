"""What is attached to this host, by what is on USB and what the rig file says.

Boards that are there, boards of the rig file that are not, and ports that are nobody's. Pure but for asking
which device a path leads to; nothing is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.board import USB_SERIAL, Board, Endpoint
from harness.inventory.serial_ports import board_on_ports, by_serial_number, fitting_profile
from harness.toml_files import dotted, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.inventory.profiles import Profile, UsbMatch
    from harness.inventory.serial_ports import SerialPort
    from harness.rig import Rig, RigBoard, RigEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentBoard:
    """A board of the rig file that is not there.

    :ivar board: the board as far as it is known; an endpoint that is only found on USB is missing.
    :ivar reason: what was looked for in vain.
    """

    board: Board
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A serial port that belongs to no board.

    :ivar device: its path.
    :ivar usb: vendor id, product id and serial number; ``None`` when it is not on USB.
    :ivar product: what the device calls itself.
    :ivar reason: why no profile fits.
    """

    device: str
    usb: str | None
    product: str | None
    reason: str

    def __str__(self) -> str:
        """Say it for a person."""
        known = " ".join(filter(None, (self.usb, self.product)))
        return f"{self.device}{f' ({known})' if known else ''}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is attached to this host.

    :ivar boards: the boards that are there, in the order of their identities.
    :ivar absent: boards of the rig file that are not.
    :ivar strangers: ports that belong to no board.
    :ivar looked_for: what was looked for on USB, for people.
    """

    boards: tuple[Board, ...]
    absent: tuple[AbsentBoard, ...]
    strangers: tuple[Stranger, ...]
    looked_for: tuple[str, ...]


def survey_host(profiles: Mapping[str, Profile], ports: Iterable[SerialPort], rig: Rig | None) -> Survey:
    """Find the boards of this host.

    A board of the rig file that is on USB too is one board: what the file says of it counts.

    :param profiles: profiles by name.
    :param ports: the host's serial ports.
    :param rig: the rig file, if there is one.
    :raises UsageError: the rig file names a profile that there is not, or it does not say which of several
        profiles a board has; or two profiles fit a board equally well.
    """
    ports = list(ports)
    groups = by_serial_number(ports)
    boards: list[Board] = []
    absent: list[AbsentBoard] = []
    for number, entry in enumerate(rig.boards if rig is not None else ()):
        assert rig is not None  # noqa: S101 - it has boards; tells mypy so
        described = _RigBoard(rig, number, entry, profiles, groups)
        if described.serial in groups or described.missing is None:
            boards.append(described.board())
        else:
            absent.append(AbsentBoard(board=described.board(), reason=described.missing))
        groups.pop(described.serial or "", None)
    for serial, group in groups.items():
        profile = fitting_profile(profiles, group[0])
        if profile is not None:
            boards.append(board_on_ports(profile, serial, group))
    _refuse_shared(boards, rig)
    used = {_real(endpoint.url) for board in boards for endpoint in board.endpoints.values()}
    known_serials = {board.properties.get(USB_SERIAL) for board in boards}
    return Survey(
        boards=tuple(sorted(boards, key=lambda board: board.id)),
        absent=tuple(absent),
        strangers=tuple(
            _stranger(profiles.values(), port)
            for port in sorted(ports, key=lambda port: port.device)
            if _real(port.device) not in used
            and (not port.serial_number or port.serial_number not in known_serials)
        ),
        looked_for=tuple(
            f"{profile.title} ({' or '.join(map(_in_words, profile.usb))})"
            for profile in profiles.values()
            if profile.usb
        ),
    )


class _RigBoard:
    """One board of the rig file, joined with its profile and with what is on USB."""

    def __init__(
        self,
        rig: Rig,
        number: int,
        entry: RigBoard,
        profiles: Mapping[str, Profile],
        groups: Mapping[str, Sequence[SerialPort]],
    ) -> None:
        self._rig = rig
        self._where = dotted(("board", number))
        self._entry = entry
        self._profiles = profiles
        self.serial = entry.usb_serial or self._serial_of_endpoints(groups)
        self._group = groups.get(self.serial or "", ())

    def _serial_of_endpoints(self, groups: Mapping[str, Sequence[SerialPort]]) -> str | None:
        """Tell which board on USB has a port that the entry names; that board is this one."""
        named = {_real(endpoint.url) for endpoint in self._entry.endpoints.values() if endpoint.url}
        return next(
            (
                serial
                for serial, group in groups.items()
                if any(_real(port.device) in named for port in group)
            ),
            None,
        )

    @property
    def missing(self) -> str | None:
        """What of the board is not there."""
        if self._entry.usb_serial is not None and not self._group:
            return f"no serial port has the USB serial number {self._entry.usb_serial}"
        urls = [endpoint.url for endpoint in self._entry.endpoints.values() if endpoint.url]
        paths = [url for url in urls if "://" not in url]
        gone = [path for path in paths if not Path(path).exists()]
        return f"there is no {gone[0]}" if gone else None

    def board(self) -> Board:
        """Join everything; of an absent board that nobody knows the kind of, not much is known.

        :raises UsageError: the profile that is named does not exist, or none is named and none fits.
        """
        entry, profile = self._entry, self._profile()
        board = Board(id=entry.name, kind="unknown", driver="unknown")
        if profile is not None:
            board = replace(
                board_on_ports(profile, "", self._group), id=entry.name, properties=profile.properties
            )
        on_usb = {} if self.serial is None else {USB_SERIAL: self.serial}
        endpoints = {
            role: _endpoint(profile, role, table, url)
            for role, table in entry.endpoints.items()
            if (url := table.url or self._device(board, role, table)) is not None
        }
        return replace(
            board,
            capabilities=(board.capabilities | set(entry.capabilities.add)) - set(entry.capabilities.remove),
            endpoints={**board.endpoints, **endpoints},
            properties={**board.properties, **entry.properties, **on_usb},
            control={name: dict(table) for name, table in entry.control.items()},
            identity=entry.identity,
        )

    @staticmethod
    def _device(board: Board, role: str, table: RigEndpoint) -> str | None:
        """Return the port of an endpoint of which the file does not say the URL."""
        if table.interface is not None:
            return next((port for port, number in board.ports.items() if number == table.interface), None)
        return board.endpoints[role].url if role in board.endpoints else None

    def _profile(self) -> Profile | None:
        """Return the board's profile; ``None`` for one that is absent and of no kind that anybody named.

        :raises UsageError: there is no such profile, or none fits.
        """
        named = self._entry.profile
        if named is None:
            fitting = fitting_profile(self._profiles, self._group[0]) if self._group else None
            if fitting is None and self._group:
                raise self._error(
                    "no profile fits the ports of this board", "profile", None, "the name of its profile"
                )
            return fitting
        if named not in self._profiles:
            raise self._error(
                "no such profile", "profile", named, nearest(named, self._profiles) or "the name of a profile"
            )
        profile = self._profiles[named]
        if profile.virtual:
            raise self._error(
                "is a kind of virtual board, and a rig file describes hardware",
                "profile",
                named,
                f"{profile.twin_of or 'a kind of hardware'} (virtual boards: --bench virtual=SOCKET)",
            )
        return profile

    def _error(self, message: str, key: str, value: str | None, expected: str) -> UsageError:
        return UsageError(
            message, file=self._rig.file, key=f"{self._where}.{key}", value=value, expected=expected
        )


def _endpoint(profile: Profile | None, role: str, table: RigEndpoint, url: str) -> Endpoint:
    """Describe an endpoint: what the file says counts, then the profile."""
    known = profile is not None and role in profile.endpoints
    base = profile.endpoint(role, url) if known and profile else Endpoint(role=role, url=url)
    return replace(base, **table.model_dump(exclude={"url", "interface"}, exclude_none=True))


def _real(path: str) -> str:
    """Return the device behind a path, so that a link and its target are one; a URL stays as it is."""
    return path if "://" in path else str(Path(path).resolve())


def _refuse_shared(boards: Iterable[Board], rig: Rig | None) -> None:
    """Refuse two boards with one identity or one endpoint."""
    seen: dict[str, str] = {}
    for board in boards:
        claims = {board.id, *(f"endpoint {_real(endpoint.url)}" for endpoint in board.endpoints.values())}
        for claim in claims:
            if claim in seen:
                raise UsageError(
                    f"belongs to two boards, {seen[claim]} and {board.id}",
                    file=rig.file if rig is not None else None,
                    key="board",
                    value=claim,
                    expected="each serial number, identity and endpoint in one board",
                )
            seen[claim] = board.id


def _stranger(profiles: Iterable[Profile], port: SerialPort) -> Stranger:
    usb = None
    if port.vid is not None and port.pid is not None:
        usb = f"{port.vid:04x}:{port.pid:04x}" + (f" {port.serial_number}" if port.serial_number else "")
    return Stranger(device=port.device, usb=usb, product=port.product, reason=_why_not(profiles, port))


def _why_not(profiles: Iterable[Profile], port: SerialPort) -> str:
    """Say why no profile fits a port; the match that comes nearest says it."""
    if port.vid is None:
        return "is not on USB"
    if not port.serial_number:
        return "shows no serial number, by which boards are told apart"
    matches = [(profile, match) for profile in profiles for match in profile.usb]
    same_maker = [pair for pair in matches if pair[1].vid in {None, port.vid}]
    if not same_maker:
        return f"no profile has the vendor id {port.vid:04x}"
    same_product = [profile for profile, match in same_maker if match.pid in {None, port.pid}]
    if not same_product:
        return f"no profile has the product id {port.pid:04x} of the vendor {port.vid:04x}"
    titles = dict.fromkeys(profile.title for profile in same_product)
    return f"its serial number begins as that of none of {', '.join(titles)}"


def _in_words(match: UsbMatch) -> str:
    ids = ":".join("*" if number is None else f"{number:04x}" for number in (match.vid, match.pid))
    serials = " or ".join(f"{prefix}..." for prefix in match.serial_prefixes)
    return f"USB {ids} with serial number {serials}" if serials else f"USB {ids}"
