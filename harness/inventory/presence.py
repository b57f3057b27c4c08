"""Which of a session's boards are there: lost, returned and late ones, by who they are.

A board is recognised by its USB serial number as long as that is its alone. Where it has none, or another
device with the same one was ever seen, the board is asked: neither its place nor the name of its tty says
who it is. Pure: what happens on USB and what boards answer is told, and the changes are returned; nothing is
opened, and no clock is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.attached import survey_host
from harness.inventory.board import USB_LOCATION
from harness.inventory.board_news import Ask, Joined, Lost, Refused, Returned
from harness.inventory.identity import confirm, identities_of
from harness.inventory.plugged_in import Device, Member, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.inventory.board import Board
    from harness.inventory.board_news import Change
    from harness.inventory.identity import Answer
    from harness.inventory.plugged_in import Key
    from harness.inventory.profiles import Profile
    from harness.inventory.serial_ports import SerialPort
    from harness.rig import Rig


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
        self._members = {board.id: Member(board) for board in boards}
        self._devices: dict[Key, Device] = {}
        self._key_of: dict[str, Key] = {}
        self._questions: dict[int, tuple[Device, Board]] = {}
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
                if self._was_at(member, device) and member.learn(device):
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
            if (known.key, before.interface) == (key_of(port), port.interface):
                known.ports[port.device] = port
                return []
            changes += self.port_removed(port.device)  # its going was missed
        device = self._place(port)
        if device.serial in self._shared:
            changes += self._doubt(device.serial)
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

    def answered(self, number: int, answer: Answer) -> list[Change]:
        """Take what became of a question.

        :param number: the question's number (:class:`Ask`).
        :param answer: what the candidate said.
        """
        device, candidate = self._questions.pop(number, (None, None))
        if device is None or candidate is None:
            return []
        device.question = None
        members = [member for member in self._members.values() if member.at == device.key]
        if members:
            return self._confirm(device, members, answer.identity)
        if answer.identity is not None:
            return [self._named(device, replace(answer, board=candidate), answer.identity)]
        if answer.problem is None and self._may_join(device) and not self._is_shared(device.serial):
            return [self._join(device, answer)]
        serial = device.serial
        why = f"its serial number {serial} is not its alone" if serial else "it shows no serial number"
        return [Refused(candidate, answer.problem or f"{why}, and nobody can ask it who it is")]

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

    def _place(self, port: SerialPort) -> Device:
        """Add a port to its device; a serial number that shows on two devices is nobody's alone any more."""
        key = key_of(port)
        serial = key[0]
        if serial and any(other[0] == serial and other != key for other in self._devices):
            self._shared.add(serial)
        device = self._devices.setdefault(key, Device(key, late=self._listed))
        device.ports[port.device] = port
        self._key_of[port.device] = key
        return device

    def _is_shared(self, serial: str | None) -> bool:
        return serial is None or serial in self._shared

    def _may_join(self, device: Device) -> bool:
        return self._late and device.late

    def _look_around(self) -> list[Change]:
        return [change for device in tuple(self._devices.values()) for change in self._look_at(device)]

    def _look_at(self, device: Device) -> list[Change]:
        """Say who a device is that is nobody yet, or that it has to be asked."""
        if device.question is not None or any(member.at == device.key for member in self._members.values()):
            return []
        if device.answer is not None:
            recognised = self._recognise(device)
            return [] if recognised is None else [recognised]
        if not self._is_shared(device.serial):
            mine = [member for member in self._away() if member.serial == device.serial]
            device.by_serial = bool(mine)
            if mine:
                return [change for member in mine if (change := self._return(member, device)) is not None]
        else:
            for member in filter(lambda one: self._could_be(one, device), self._away()):
                moved = member.moved_to(device, self._described(device))
                if moved is not None:
                    return [self._ask(device, self._candidate(device, moved))]
        described = self._described(device) if self._may_join(device) else None
        if described is None or not self._is_complete(described):
            return []
        return [self._ask(device, self._candidate(device, described))]

    def _confirm(self, device: Device, members: Sequence[Member], identity: str | None) -> list[Change]:
        """Give up what was recognised by its serial number and says that it is another."""
        wrong = [member for member in members if identity not in {None, member.board.identity}]
        if not wrong:
            return []
        device.answer = identity
        reason = f"what shows its serial number is {identity}"
        lost: list[Change] = [self._lose(member, reason) for member in wrong]
        return [*lost, *self._look_around()]

    def _named(self, device: Device, answer: Answer, identity: str) -> Change:
        """Say what follows from who a device says that it is."""
        device.answer = identity
        recognised = self._recognise(device)
        if recognised is not None:
            return recognised
        other = next((one.board for one in self._members.values() if one.board.identity == identity), None)
        if other is not None:
            return Refused(answer.board, f"says that it is {identity}, which is {other.id}")
        if self._may_join(device):
            return self._join(device, answer)
        return Refused(answer.board, f"is {identity}, which is none of this session's boards")

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

    def _away(self) -> Iterator[Member]:
        return (member for member in self._members.values() if member.away)

    def _was_at(self, member: Member, device: Device) -> bool:
        """Say whether a board was found at a device: by its serial number, or by its place."""
        if not self._is_shared(member.serial):
            return member.serial == device.serial
        location = member.board.properties.get(USB_LOCATION, device.place)
        return member.serial in {None, device.serial} and location == device.place

    def _could_be(self, member: Member, device: Device) -> bool:
        """Say whether a device of a shared serial number, or of none, may be a board that is away."""
        if member.serial != device.serial:
            return False
        if not member.on_usb:
            return any(path in device.ports for path in member.paths.values())
        described = self._described(device)
        return described is None or described.kind == member.board.kind

    def _described(self, device: Device) -> Board | None:
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

    def _candidate(self, device: Device, board: Board) -> Board:
        """Call a board that is not told apart yet by what it shows, and by nobody's name."""
        if not self._is_shared(device.serial):
            return board
        return replace(
            board, id=f"{device.serial or board.kind}@{device.place}", identity=None, ambiguous=True
        )

    # -- changes --------------------------------------------------------------------------------------------

    def _ask(self, device: Device, candidate: Board) -> Ask:
        self._asked += 1
        device.question = self._asked
        self._questions[self._asked] = (device, candidate)
        return Ask(self._asked, candidate)

    def _withdraw(self, device: Device) -> None:
        if device.question is not None:
            self._questions.pop(device.question, None)
            device.question = None

    def _lose(self, member: Member, reason: str) -> Lost:
        member.away, member.at = True, None
        return Lost(member.board.id, reason)

    def _return(self, member: Member, device: Device) -> Returned | None:
        moved = member.moved_to(device, self._described(device))
        if moved is None:
            return None
        member.board, member.away, member.at = moved, False, device.key
        member.learn(device)
        return Returned(moved)

    def _recognise(self, device: Device) -> Returned | None:
        """Take a device for the lost board that it says it is."""
        mine = (member for member in self._away() if member.board.identity == device.answer)
        member = next(mine, None)
        return None if member is None else self._return(member, device)

    def _join(self, device: Device, answer: Answer) -> Change:
        """Take a late board into the session, as it would have been found at the session's begin."""
        known = {
            member.at: member.board.identity for member in self._members.values() if member.at is not None
        }
        said = {key[1]: identity for key, identity in known.items() if identity is not None}
        try:
            survey = survey_host(
                self._profiles,
                [port for one in self._devices.values() for port in one.ports.values()],
                self._rig,
                said | identities_of([answer]),
            )
            confirmed = confirm([answer], survey)
        except UsageError as error:
            return Refused(answer.board, str(error))
        if not confirmed.boards:
            return Refused(*confirmed.refused[0])
        (board,) = confirmed.boards
        if self._is_shared(device.serial):
            known_as = answer.identity if board.id in {device.serial, answer.board.id} else board.id
            board = replace(board, id=known_as or board.id, ambiguous=True)
        if board.id in self._members:
            return Refused(answer.board, f"is called {board.id}, as another board of this session is")
        member = self._members[board.id] = Member(board, at=device.key)
        member.learn(device)
        return Joined(board)
