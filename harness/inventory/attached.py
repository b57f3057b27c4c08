"""What is attached to this host, by what is on USB and what the rig file says.

Boards that are there, boards of the rig file that are not, and ports that are nobody's. Pure but for asking
which device a path leads to; nothing is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.rig_boards import BoardOfRig
from harness.inventory.rig_matching import Matching, match_entries
from harness.inventory.serial_ports import natural
from harness.inventory.strangers import stranger
from harness.inventory.usb_devices import (
    board_on_usb,
    device_behind,
    fitting_profile,
    shared_serials,
    usb_devices,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.inventory.board import Board
    from harness.inventory.profiles import Profile, UsbMatch
    from harness.inventory.serial_ports import SerialPort
    from harness.inventory.strangers import Stranger
    from harness.inventory.usb_devices import UsbDevice
    from harness.rig import Rig, RigBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentBoard:
    """A board of the rig file that is not there.

    :ivar board: the board as far as it is known; an endpoint that is only found on USB is missing.
    :ivar reason: what was looked for in vain.
    """

    board: Board
    reason: str


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


def survey_host(
    profiles: Mapping[str, Profile],
    ports: Iterable[SerialPort],
    rig: Rig | None,
    identities: Mapping[str, str] | None = None,
) -> Survey:
    """Find the boards of this host.

    A board of the rig file that is on USB too is one board: what the file says of it counts.

    :param profiles: profiles by name.
    :param ports: the host's serial ports.
    :param rig: the rig file, if there is one.
    :param identities: who was asked and what it said, by place
        (:func:`harness.inventory.identity.identities_of`).
    :raises UsageError: the rig file names a profile that there is not, or it does not say which of several
        profiles a board has; or two profiles fit a board equally well.
    """
    ports, identities = list(ports), identities or {}
    devices = usb_devices(ports)
    matching = _matched(rig, devices, identities, profiles)
    owned = {device.place for device in matching.devices.values()}
    fitting = [
        (device, fitting_profile(profiles, device.ports)) for device in devices if device.place not in owned
    ]
    by_profile = [(device, profile) for device, profile in fitting if profile is not None]
    mine = [*matching.devices.values(), *(device for device, _ in by_profile)]
    shared = shared_serials(mine, [entry.usb_serial for entry in rig.boards] if rig is not None else ())

    places = {one.place for one in mine}
    boards: list[Board] = []
    absent: list[AbsentBoard] = []
    for number, entry in enumerate(rig.boards if rig is not None else ()):
        assert rig is not None  # noqa: S101 - it has boards; tells mypy so
        device = matching.devices.get(number)
        others = places - {device.place if device is not None else ""}
        described = BoardOfRig(
            rig,
            number,
            profiles,
            device,
            shared,
            said=None if device is None else identities.get(device.place),
            stale={
                end.url for end in entry.endpoints.values() if end.url and matching.place(end.url) in others
            },
        )
        board, reason = described.board(), described.missing(matching.missing.get(number))
        if reason is None:
            boards.append(board)
        else:
            absent.append(AbsentBoard(board=board, reason=reason))
    taken = {one.board.id for one in absent}
    boards += [_unlisted(profile, device, shared, identities, taken) for device, profile in by_profile]
    used = {port.device for device in mine for port in device.ports}
    used |= _refuse_shared(boards, rig, {port.device for port in ports})
    return Survey(
        boards=tuple(sorted(boards, key=lambda board: board.id)),
        absent=tuple(absent),
        strangers=tuple(
            stranger(profiles.values(), port)
            for port in sorted(ports, key=lambda port: natural(port.device))
            if port.device not in used
        ),
        looked_for=tuple(
            f"{profile.title} ({' or '.join(map(_in_words, profile.usb))})"
            for profile in profiles.values()
            if profile.usb
        ),
    )


def _matched(
    rig: Rig | None,
    devices: Sequence[UsbDevice],
    identities: Mapping[str, str],
    profiles: Mapping[str, Profile],
) -> Matching:
    """Tell which device is which board of the rig file."""

    def fits(entry: RigBoard, device: UsbDevice) -> bool:
        kinds = [profile for name, profile in profiles.items() if entry.profile in {None, name}]
        return fitting_profile({kind.name: kind for kind in kinds}, device.ports) is not None

    return match_entries(rig, devices, identities, fits)


def _unlisted(
    profile: Profile,
    device: UsbDevice,
    shared: frozenset[str],
    identities: Mapping[str, str],
    taken: set[str],
) -> Board:
    """Return the board of a device that no entry of the rig file has.

    It is called by what it said where its serial number does not tell, or is the name of another board of
    the file, which it says that it is not.
    """
    board = board_on_usb(profile, device, shared)
    said = identities.get(device.place)
    if said is not None and (board.ambiguous or board.id in taken):
        return replace(board, id=said, identity=said)
    return board


def _refuse_shared(boards: Iterable[Board], rig: Rig | None, devices: Collection[str]) -> set[str]:
    """Refuse two boards with one identity or one endpoint; return the devices of their endpoints.

    :param devices: the devices of the host's ports.
    :raises UsageError: there are two.
    """
    seen: dict[str, str] = {}
    used: set[str] = set()
    for board in boards:
        own = {device_behind(endpoint.url, devices) for endpoint in board.endpoints.values()}
        for claim in (board.id, *(f"endpoint {device}" for device in own)):
            if claim in seen:
                raise UsageError(
                    f"belongs to two boards, {seen[claim]} and {board.id}",
                    file=rig.file if rig is not None else None,
                    key="board",
                    value=claim,
                    expected="each serial number, identity and endpoint in one board",
                )
            seen[claim] = board.id
        used |= own
    return used


def _in_words(match: UsbMatch) -> str:
    ids = ":".join("*" if number is None else f"{number:04x}" for number in (match.vid, match.pid))
    serials = " or ".join(f"{prefix}..." for prefix in match.serial_prefixes)
    patterns = {"manufacturer": match.manufacturer, "product": match.product}
    patterns |= match.properties | match.ancestors
    more = "".join(f" and {name} {pattern}" for name, pattern in patterns.items() if pattern is not None)
    return f"USB {ids}{f' with serial number {serials}' if serials else ''}{more}"
