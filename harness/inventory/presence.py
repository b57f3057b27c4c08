"""Which of a session's boards are there: lost, returned and late ones, by who they are.

A board is recognised by its USB serial number as long as that is its alone. Where it has none, or another
device with the same one was ever seen, the board is asked: neither its place nor the name of its tty says
who it is. Pure: what happens on USB and what boards answer is told, and the changes are returned; nothing is
opened, and no clock is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.attached import survey_host
from harness.inventory.board import USB_LOCATION, USB_SERIAL
from harness.inventory.board_news import Ask, Joined, Lost, Refused, Returned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.inventory.board import Board
    from harness.inventory.board_news import Change
    from harness.inventory.profiles import Profile
    from harness.inventory.serial_ports import SerialPort
    from harness.rig import Rig


#: A USB device: its serial number, and its location; that of a port that is not on USB is its path.
Key = tuple[str | None, str]


@dataclass(slots=True)
class _Device:
    """What is plugged in at one place.

    :ivar ports: its ports by path.
    :ivar late: it came after the session began.
    :ivar question: number of the question that it was asked and has not answered.
    :ivar answer: who it said that it is.
    :ivar by_serial: it was taken for a board that had been away, by its serial number alone.
    """

    key: Key
    late: bool
    ports: dict[str, SerialPort] = field(default_factory=dict)
    question: int | None = None
    answer: str | None = None
    by_serial: bool = False

    @property
    def place(self) -> str:
        return self.key[1]


@dataclass(slots=True)
class _Member:
    """One board of the session.

    :ivar board: what was last known of it.
    :ivar interfaces: the USB interface of each role's port, as soon as its ports were seen.
    :ivar away: it is lost.
    :ivar at: the device that it is, when that was seen.
    """

    board: Board
    interfaces: dict[str, int | None] | None = None
    away: bool = False
    at: Key | None = None

    @property
    def serial(self) -> str | None:
        return self.board.properties.get(USB_SERIAL) or None

    @property
    def paths(self) -> dict[str, str]:
        """Its endpoints that are devices of this host, by role."""
        return {role: one.url for role, one in self.board.endpoints.items() if "://" not in one.url}

    @property
    def on_usb(self) -> bool:
        return USB_SERIAL in self.board.properties or USB_LOCATION in self.board.properties


class Presence:
    """The boards of one session and the devices on USB.

    :param boards: the session's boards, which are known to be who they are.
    :param profiles: profiles by name.
    :param rig: the rig file, if there is one.
    :param late: boards that are plugged in after :meth:`listed` may join.
    """

    def __init__(
        self, boards: Sequence[Board], profiles: Mapping[str, Profile], rig: Rig | None, *, late: bool
    ) -> None:
        """Know the boards; none is lost before :meth:`listed` says what is there."""
        self._profiles = profiles
        self._rig = rig
        self._late = late
        self._members = {board.id: _Member(board) for board in boards}
        self._devices: dict[Key, _Device] = {}
        self._key_of: dict[str, Key] = {}
        self._questions: dict[int, tuple[_Device, Board]] = {}
        self._asked = 0
        self._listed = False
        #: Serial numbers that were seen on more than one device, or that boards are known to share.
        self._shared: set[str] = {
            member.serial for member in self._members.values() if member.serial and member.board.ambiguous
        }

    @property
    def boards(self) -> tuple[Board, ...]:
        """The session's boards as they were last known, lost ones too."""
        return tuple(member.board for member in self._members.values())

    @property
    def lost(self) -> frozenset[str]:
        """Identities of the boards that are away."""
        return frozenset(board_id for board_id, member in self._members.items() if member.away)

    @property
    def open_questions(self) -> frozenset[int]:
        """Numbers of the questions whose answers still count."""
        return frozenset(self._questions)

    def listed(self, ports: Iterable[SerialPort]) -> list[Change]:
        """Take the first list of what is there: boards that are not where they were found are lost.

        :param ports: the host's serial ports.
        """
        for port in ports:
            self._place(port)
        self._listed = True
        for member in self._members.values():
            for device in self._devices.values():
                if member.serial in {None, device.key[0]} and self._found_at(member, device):
                    member.at = device.key
        gone = [member for member in self._members.values() if member.at is None and member.on_usb]
        changes: list[Change] = []
        for member in gone:
            member.away = True
            changes.append(Lost(member.board.id, "it is not where it was found"))
        return [*changes, *self._look_around()]

    def port_added(self, port: SerialPort) -> list[Change]:
        """Take that a port is there, also one that was told before.

        :param port: the port.
        """
        known = self._devices.get(self._key_of.get(port.device, (None, "")))
        changes: list[Change] = []
        if known is not None:
            before = known.ports[port.device]
            if (known.key, before.interface) == (_key(port), port.interface):
                known.ports[port.device] = port
                return []
            changes += self.port_removed(port.device)  # its going was missed
        device = self._place(port)
        if device.key[0] in self._shared:
            changes += self._doubt(device.key[0])
        return [*changes, *self._look_at(device)]

    def port_removed(self, path: str) -> list[Change]:
        """Take that a port is gone.

        :param path: its device path.
        """
        key = self._key_of.pop(path, None)
        if key is None:
            return []
        device = self._devices[key]
        interface = device.ports.pop(path).interface
        if not device.ports:
            del self._devices[key]
        lost = [
            member
            for member in self._members.values()
            if member.at == key and interface in (member.interfaces or {}).values()
        ]
        if lost or not device.ports or not any(member.at == key for member in self._members.values()):
            # Whatever comes here next is another device until it says who it is.
            self._withdraw(device)
            device.answer, device.by_serial = None, False
        changes: list[Change] = [self._lose(member, f"{path} went away") for member in lost]
        return [*changes, *self._look_around()] if lost else changes

    def answered(self, number: int, identity: str | None, problem: str | None = None) -> list[Change]:
        """Take the answer to a question.

        :param number: the question's number (:class:`Ask`).
        :param identity: who the board says it is; ``None`` when it did not say.
        :param problem: why it did not say; ``None`` when nobody speaks its dialect, so that nobody asked.
        """
        device, candidate = self._questions.pop(number, (None, None))
        if device is None or candidate is None:
            return []
        device.question = None
        members = [member for member in self._members.values() if member.at == device.key]
        if members:
            return self._confirm(device, members, identity)
        if identity is not None:
            return [self._named(device, candidate, identity)]
        if problem is None and self._may_join(device) and not self._is_shared(device.key[0]):
            return [self._join(device, candidate)]
        serial = device.key[0]
        why = f"its serial number {serial} is not its alone" if serial else "it shows no serial number"
        return [Refused(candidate, problem or f"{why}, and nobody can ask it who it is")]

    def forget(self, board_id: str) -> list[Change]:
        """Take that the session gives a board up: it is told of no more until it is plugged in again.

        :param board_id: its identity.
        """
        member = self._members.pop(board_id, None)
        device = self._devices.get(member.at) if member is not None and member.at is not None else None
        if device is not None:
            device.late = False
        return []

    # -- devices --------------------------------------------------------------------------------------------

    def _place(self, port: SerialPort) -> _Device:
        """Add a port to its device; a serial number that shows on two devices is nobody's alone any more."""
        key = _key(port)
        serial = key[0]
        if serial and any(other[0] == serial and other != key for other in self._devices):
            self._shared.add(serial)
        device = self._devices.setdefault(key, _Device(key, late=self._listed))
        device.ports[port.device] = port
        self._key_of[port.device] = key
        return device

    def _is_shared(self, serial: str | None) -> bool:
        return serial is None or serial in self._shared

    def _may_join(self, device: _Device) -> bool:
        return self._late and device.late

    def _look_around(self) -> list[Change]:
        return [change for device in tuple(self._devices.values()) for change in self._look_at(device)]

    def _look_at(self, device: _Device) -> list[Change]:
        """Say who a device is that is nobody yet, or that it has to be asked."""
        if device.question is not None or any(member.at == device.key for member in self._members.values()):
            return []
        if device.answer is not None:
            recognised = self._recognise(device)
            return [] if recognised is None else [recognised]
        if not self._is_shared(device.key[0]):
            mine = [member for member in self._away() if member.serial == device.key[0]]
            device.by_serial = bool(mine)
            if mine:
                return [change for member in mine if (change := self._return(member, device)) is not None]
        else:
            for member in self._away():
                moved = self._moved(member, device) if self._could_be(member, device) else None
                if moved is not None:
                    return [self._ask(device, self._candidate(device, moved))]
        described = self._described(device) if self._may_join(device) else None
        if described is None or not self._is_complete(described):
            return []
        return [self._ask(device, self._candidate(device, described))]

    def _confirm(self, device: _Device, members: Sequence[_Member], identity: str | None) -> list[Change]:
        """Give up what was recognised by its serial number and says that it is another."""
        wrong = [member for member in members if identity not in {None, member.board.identity}]
        if not wrong:
            return []
        device.answer = identity
        reason = f"what shows its serial number is {identity}"
        lost: list[Change] = [self._lose(member, reason) for member in wrong]
        return [*lost, *self._look_around()]

    def _named(self, device: _Device, candidate: Board, identity: str) -> Change:
        """Say what follows from who a device says that it is."""
        device.answer = identity
        recognised = self._recognise(device)
        if recognised is not None:
            return recognised
        candidate = replace(candidate, identity=identity)
        other = next((one.board for one in self._members.values() if one.board.identity == identity), None)
        if other is not None:
            return Refused(candidate, f"says that it is {identity}, which is {other.id}")
        if self._may_join(device):
            return self._join(device, candidate)
        return Refused(candidate, f"is {identity}, which is none of this session's boards")

    def _doubt(self, serial: str | None) -> list[Change]:
        """Ask whoever was recognised by a serial number that turns out to be shared."""
        return [
            self._ask(device, member.board)
            for member in self._members.values()
            if member.at is not None and member.at[0] == serial and member.board.identity is not None
            for device in [self._devices[member.at]]
            if device.by_serial and device.question is None
        ]

    # -- boards ---------------------------------------------------------------------------------------------

    def _away(self) -> Iterator[_Member]:
        return (member for member in self._members.values() if member.away)

    def _found_at(self, member: _Member, device: _Device) -> bool:
        """Say whether a device has the ports by which a board was found, and learn which they are."""
        by_name = {name: port for port in device.ports.values() for name in (port.device, *port.links)}
        if not member.paths or not all(path in by_name for path in member.paths.values()):
            return False
        location = member.board.properties.get(USB_LOCATION)
        if self._is_shared(member.serial) and location is not None and location != device.place:
            return False
        member.interfaces = {role: by_name[path].interface for role, path in member.paths.items()}
        return True

    def _could_be(self, member: _Member, device: _Device) -> bool:
        """Say whether a device of a shared serial number, or of none, may be a board that is away."""
        if member.serial != device.key[0]:
            return False
        if not member.on_usb:
            return any(path in device.ports for path in member.paths.values())
        described = self._described(device)
        return described is None or described.kind == member.board.kind

    def _moved(self, member: _Member, device: _Device) -> Board | None:
        """Describe a board at another device; ``None`` as long as not all of its ports are there."""
        if member.interfaces is None:
            described = self._described(device)
            urls = {role: one.url for role, one in described.endpoints.items()} if described else {}
        else:
            by_interface = {port.interface: port.device for port in device.ports.values()}
            urls = {
                role: by_interface[interface]
                for role, interface in member.interfaces.items()
                if interface in by_interface
            }
        if not member.paths.keys() <= urls.keys():
            return None
        endpoints = {role: replace(member.board.endpoints[role], url=urls[role]) for role in member.paths}
        seen = {USB_SERIAL: device.key[0], USB_LOCATION: device.place if _on_usb(device) else None}
        return replace(
            member.board,
            endpoints={**member.board.endpoints, **endpoints},
            properties={**member.board.properties, **{key: value for key, value in seen.items() if value}},
        )

    def _described(self, device: _Device) -> Board | None:
        """Say what board profiles and rig file make of a device."""
        try:
            found = survey_host(self._profiles, list(device.ports.values()), self._rig).boards
        except UsageError:  # it fits two profiles, or two boards of the rig file: nobody's
            return None
        return next(
            (one for one in found if any(end.url in device.ports for end in one.endpoints.values())), None
        )

    def _is_complete(self, described: Board) -> bool:
        profile = self._profiles.get(described.kind)
        return profile is None or profile.endpoints.keys() <= described.endpoints.keys()

    def _candidate(self, device: _Device, board: Board) -> Board:
        """Call a board that is not told apart yet by what it shows, and by nobody's name."""
        if not self._is_shared(device.key[0]):
            return board
        return replace(
            board, id=f"{device.key[0] or board.kind}@{device.place}", identity=None, ambiguous=True
        )

    # -- changes --------------------------------------------------------------------------------------------

    def _ask(self, device: _Device, candidate: Board) -> Ask:
        self._asked += 1
        device.question = self._asked
        self._questions[self._asked] = (device, candidate)
        return Ask(self._asked, candidate)

    def _withdraw(self, device: _Device) -> None:
        if device.question is not None:
            self._questions.pop(device.question, None)
            device.question = None

    def _lose(self, member: _Member, reason: str) -> Lost:
        member.away, member.at = True, None
        return Lost(member.board.id, reason)

    def _return(self, member: _Member, device: _Device) -> Returned | None:
        moved = self._moved(member, device)
        if moved is None:
            return None
        member.board, member.away, member.at = moved, False, device.key
        self._found_at(member, device)
        return Returned(moved)

    def _recognise(self, device: _Device) -> Returned | None:
        """Take a device for the lost board that it says it is."""
        mine = (member for member in self._away() if member.board.identity == device.answer)
        member = next(mine, None)
        return None if member is None else self._return(member, device)

    def _join(self, device: _Device, board: Board) -> Joined:
        if board.id in self._members:  # provisional names say where a board was once
            board = replace(board, id=board.identity or board.id)
        member = self._members[board.id] = _Member(board, at=device.key)
        self._found_at(member, device)
        return Joined(board)


def _key(port: SerialPort) -> Key:
    return (port.serial_number or None, port.location or port.device)


def _on_usb(device: _Device) -> bool:
    return device.place not in device.ports
