"""Presence against a toy model: whatever is plugged where, under whatever names, nobody is mistaken.

The model knows which board really is behind each tty, and looks at no serial number, location or name to say
who is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from harness.inventory.attached import survey_host
from harness.inventory.board_news import Ask, Joined, Lost, Refused, Returned
from harness.inventory.identity import Answer
from harness.inventory.presence import Presence
from harness.inventory.profiles import Profile
from harness.inventory.serial_ports import SerialPort

if TYPE_CHECKING:
    from harness.inventory.board import Board
    from harness.inventory.board_news import Change

PLACES = [f"1-1.{number}" for number in range(1, 6)]
NAMES = [f"/dev/ttyACM{number}" for number in range(11)]
#: Things among which one is easily mistaken for another.
DRAWERS = [
    ("alone", "twin-a", "twin-b", "twin-c"),
    ("alone", "late", "nameless-a", "nameless-b"),
    ("mute", "mute-late", "mute-twin-a", "mute-twin-b"),
]
PROFILES = {
    "pair": Profile.model_validate(
        {
            "name": "pair",
            "title": "Pair",
            "vendor": "Example",
            "driver": "talks",
            "usb": [{"vid": 0x1366}],
            "endpoints": {"console": {"interface": 0}, "trace": {"interface": 2}},
        }
    ),
    "mute": Profile.model_validate(
        {
            "name": "mute",
            "title": "Mute",
            "vendor": "Example",
            "driver": "silent",
            "usb": [{"vid": 0x10C4}],
            "endpoints": {"console": {"interface": 0}},
        }
    ),
}


@dataclass
class Unit:
    """A thing of plastic and copper.

    :ivar name: who it really is.
    :ivar ports: its ttys that the host shows now, by USB interface.
    :ivar late: it was plugged in after the session began.
    :ivar spoiled: it did not answer when it was asked, so whether it comes back is anybody's guess.
    """

    name: str
    kind: str
    serial: str | None
    alone: bool
    place: str | None = None
    names: dict[int, str] = field(default_factory=dict)
    ports: dict[int, str] = field(default_factory=dict)
    late: bool = False
    spoiled: bool = False

    @property
    def interfaces(self) -> tuple[int, ...]:
        return {"pair": (0, 2), "mute": (0,), "stranger": (0, 2)}[self.kind]

    @property
    def complete(self) -> bool:
        return set(self.ports) == set(self.interfaces)

    def port(self, interface: int) -> SerialPort:
        return SerialPort(
            device=self.names[interface],
            vid={"pair": 0x1366, "mute": 0x10C4, "stranger": 0x0403}[self.kind],
            pid=0x1055,
            serial_number=self.serial,
            location=self.place,
            interface=interface,
        )


def units() -> dict[str, Unit]:
    """Make the things of one drawer."""
    return {
        unit.name: unit
        for unit in (
            Unit("alone", "pair", "100", alone=True),
            Unit("late", "pair", "101", alone=True),
            Unit("twin-a", "pair", "102", alone=False),
            Unit("twin-b", "pair", "102", alone=False),
            Unit("twin-c", "pair", "102", alone=False),
            Unit("nameless-a", "pair", None, alone=False),
            Unit("nameless-b", "pair", None, alone=False),
            Unit("mute", "mute", "103", alone=True),
            Unit("mute-late", "mute", "104", alone=True),
            Unit("mute-twin-a", "mute", "105", alone=False),
            Unit("mute-twin-b", "mute", "105", alone=False),
            Unit("stranger", "stranger", "106", alone=True),
        )
    }


class PresenceModel(RuleBasedStateMachine):
    """Boards come and go, some of them in pieces, and answer when they like."""

    def __init__(self) -> None:
        """Open the drawer."""
        super().__init__()
        self.units = units()
        self.asked: dict[int, tuple[Ask, Unit]] = {}
        self.members: dict[str, str] = {}  # the name of the unit, by the id of its board
        self.lost: set[str] = set()
        self.seen: dict[str, set[str]] = {}  # names of the units that showed a serial number
        self.shared: set[str | None] = {None}  # serial numbers that were seen on two at once

    # -- the world ------------------------------------------------------------------------------------------

    def behind(self, path: str) -> Unit:
        """Return the thing behind a tty."""
        (unit,) = (unit for unit in self.units.values() if path in unit.ports.values())
        return unit

    def tellable(self, unit: Unit) -> bool:
        """Say whether anything but its place and its names tells who a thing is."""
        return unit.kind == "pair" or unit.serial not in self.shared

    def fair(self, unit: Unit) -> bool:
        """Say whether the host can know: a twin that comes while the other is away is beyond everybody."""
        others = self.seen.get(unit.serial or "", set()) - {unit.name}
        return unit.serial in self.shared or all(self.units[name].ports for name in others)

    def show(self, unit: Unit, interface: int) -> SerialPort:
        """Let the host see a port."""
        unit.ports[interface] = unit.names[interface]
        if unit.serial is not None:
            self.seen.setdefault(unit.serial, set()).add(unit.name)
            if sum(one.serial == unit.serial and bool(one.ports) for one in self.units.values()) > 1:
                self.shared.add(unit.serial)
        return unit.port(interface)

    def put(self, unit: Unit, place: str, names: list[str]) -> None:
        """Plug a thing in; nothing of it is to be seen yet."""
        unit.place, unit.spoiled, unit.late = place, False, hasattr(self, "presence")
        unit.names = dict(zip(unit.interfaces, names, strict=False))

    @initialize(data=st.data(), late=st.booleans())
    def begin(self, data: st.DataObject, late: bool) -> None:  # noqa: FBT001 - drawn by name
        """Take some things from the drawer, and begin a session with some of the boards that are there."""
        self.late = late
        anything = st.sets(st.sampled_from(sorted(self.units)), min_size=2, max_size=5)
        drawn = data.draw(st.sampled_from(DRAWERS).map(set) | anything, label="things")
        self.units = {name: self.units[name] for name in sorted(drawn)}
        there = data.draw(st.sets(st.sampled_from(sorted(drawn))), label="there")
        mine = data.draw(st.sets(st.sampled_from(sorted(drawn))), label="ours")
        names, ports = iter(NAMES), list[SerialPort]()
        for name, place in zip(sorted(there), PLACES, strict=False):
            unit = self.units[name]
            self.put(unit, place, [next(names) for _ in unit.interfaces])
            ports += [self.show(unit, one) for one in unit.interfaces]
        boards = []
        for board in survey_host(PROFILES, ports, None).boards:
            unit = self.behind(board.endpoints["console"].url)
            if unit.name in mine:
                self.members[board.id] = unit.name
                boards.append(replace(board, identity=unit.name if unit.kind == "pair" else None))
        self.presence = Presence(boards, PROFILES, None, late=late)
        assert self.presence.listed(ports) == []

    @precondition(lambda self: any(unit.place is None for unit in self.units.values()))
    @rule(data=st.data())
    def plug(self, data: st.DataObject) -> None:
        """Put a thing into a free socket; its ttys get any free names."""
        free = [place for place in PLACES if all(unit.place != place for unit in self.units.values())]
        if not free:
            return
        away = [name for name, unit in self.units.items() if unit.place is None]
        unit = self.units[data.draw(st.sampled_from(away), label="unit")]
        used = {name for one in self.units.values() for name in one.names.values() if one.place is not None}
        names = [name for name in NAMES if name not in used]
        place = data.draw(st.sampled_from(free), label="place")
        self.put(unit, place, data.draw(st.permutations(names), label="names"))
        if data.draw(st.booleans(), label="at once"):
            self.show_all(unit)

    def waiting(self) -> list[tuple[str, int]]:
        """Return the ports that are plugged in and not seen yet."""
        return [
            (unit.name, one)
            for unit in self.units.values()
            if unit.place is not None and self.fair(unit)
            for one in unit.interfaces
            if one not in unit.ports
        ]

    @precondition(lambda self: self.waiting())
    @rule(data=st.data())
    def port_comes(self, data: st.DataObject) -> None:
        """Let the host see one more port of a thing that is plugged in."""
        name, interface = data.draw(st.sampled_from(self.waiting()), label="port")
        unit = self.units[name]
        self.take(self.presence.port_added(self.show(unit, interface)))
        assert self.presence.port_added(unit.port(interface)) == []  # told twice, it is there once

    @precondition(lambda self: any(unit.ports for unit in self.units.values()))
    @rule(data=st.data())
    def port_goes(self, data: st.DataObject) -> None:
        """Let one port vanish; it may come back while the thing stays in."""
        there = [(unit.name, one) for unit in self.units.values() for one in unit.ports]
        name, interface = data.draw(st.sampled_from(sorted(there)), label="port")
        self.remove(self.units[name], interface)

    @precondition(lambda self: any(unit.place for unit in self.units.values()))
    @rule(data=st.data())
    def unplug(self, data: st.DataObject) -> None:
        """Pull a thing out: all of its ports vanish."""
        there = [name for name, unit in self.units.items() if unit.place is not None]
        self.pull(self.units[data.draw(st.sampled_from(there), label="unit")])

    @precondition(lambda self: sum(unit.place is not None for unit in self.units.values()) > 1)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        """Plug two things into each other's sockets; their ttys may get each other's names too."""
        there = [name for name, unit in self.units.items() if unit.place is not None]
        first, second = data.draw(st.permutations(there), label="units")[:2]
        one, other = self.units[first], self.units[second]
        places = (one.place, other.place)
        names = [*one.names.values(), *other.names.values()]
        self.pull(one)
        self.pull(other)
        for unit, place in zip((other, one), places, strict=True):
            self.put(unit, place or "", [names.pop(0) for _ in unit.interfaces])
            self.show_all(unit)

    def show_all(self, unit: Unit) -> None:
        """Let the host see all of a thing's ports."""
        for interface in unit.interfaces if self.fair(unit) else ():
            self.take(self.presence.port_added(self.show(unit, interface)))

    def pull(self, unit: Unit) -> None:
        """Let all ports of a thing vanish."""
        for interface in sorted(unit.ports):
            self.remove(unit, interface)
        unit.place = None

    def remove(self, unit: Unit, interface: int) -> None:
        """Take a port away."""
        path = unit.ports.pop(interface)
        unit.spoiled, unit.late = False, unit.late or not unit.ports
        self.take(self.presence.port_removed(path))
        assert self.presence.port_removed(path) == []

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), speaks=st.integers(0, 4).map(bool))
    def answer(self, data: st.DataObject, speaks: bool) -> None:  # noqa: FBT001 - drawn by name
        """Answer any question that was ever open, also one whose board is long gone."""
        self.answer_one(data.draw(st.sampled_from(sorted(self.asked)), label="question"), speaks=speaks)

    def answer_one(self, number: int, *, speaks: bool) -> None:
        """Let the thing that was there when the question came up answer it."""
        ask, unit = self.asked.pop(number)
        open_before = number in self.presence.open_questions
        if unit.kind != "pair":
            changes = self.presence.answered(number, Answer(board=ask.candidate))
        elif speaks:
            changes = self.presence.answered(number, Answer(board=ask.candidate, identity=unit.name))
        else:
            unit.spoiled |= open_before
            changes = self.presence.answered(number, Answer(board=ask.candidate, problem="it is silent"))
        assert open_before or changes == []
        assert number not in self.presence.open_questions
        self.take(changes)

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """Give a board up."""
        board_id = data.draw(st.sampled_from(sorted(self.members)), label="board")
        unit = self.units[self.members.pop(board_id)]
        unit.late &= board_id in self.lost
        self.lost.discard(board_id)
        assert self.presence.forget(board_id) == []

    # -- what is said of it ---------------------------------------------------------------------------------

    def take(self, changes: list[Change]) -> None:
        """Check what is said against what is true."""
        for change in changes:
            match change:
                case Lost(board_id):
                    assert board_id not in self.lost, "lost twice"
                    assert not self.units[self.members[board_id]].complete, "it is there"
                    self.lost.add(board_id)
                case Returned(board):
                    self.lost.remove(board.id)
                    assert self.behind_all(board).name == self.members[board.id], "somebody else came back"
                case Joined(board):
                    unit = self.behind_all(board)
                    assert self.late
                    assert unit.late, "it was there all the time"
                    assert unit.name not in self.members.values(), "it is of the session already"
                    assert board.id not in self.members, "two boards have one id"
                    assert self.tellable(unit), "it could be its twin"
                    self.members[board.id] = unit.name
                case Ask(number, candidate):
                    unit = self.behind_all(candidate)
                    assert unit.kind != "stranger", "a stranger is never asked"
                    assert number not in self.asked, "two questions have one number"
                    assert unit.serial in self.shared or (self.late and unit.late), (
                        "its serial number says it"
                    )
                    self.asked[number] = (change, unit)
                case Refused(board):
                    assert self.behind_all(board).kind != "stranger"

    def behind_all(self, board: Board) -> Unit:
        """Return the one thing behind all ports of a board; each port is the right one."""
        things = {role: self.behind(endpoint.url) for role, endpoint in board.endpoints.items()}
        unit = things["console"]
        interfaces = {"console": 0, "trace": 2}
        for role, thing in things.items():
            assert thing is unit
            assert unit.ports[interfaces[role]] == board.endpoints[role].url
        assert len(things) == len(unit.interfaces)
        return unit

    @invariant()
    def nobody_is_mistaken(self) -> None:
        """Check that each board that is not lost has its own ports."""
        if not hasattr(self, "presence"):
            return
        assert self.presence.lost == self.lost
        assert {board.id for board in self.presence.boards} == self.members.keys()
        for board in self.presence.boards:
            if board.id not in self.lost:
                assert self.behind_all(board).name == self.members[board.id]

    @precondition(lambda self: hasattr(self, "presence"))
    @rule()
    def settle(self) -> None:
        """Answer everything: now exactly those are lost that are not there, and all late ones have joined."""
        while self.asked:
            self.answer_one(min(self.asked), speaks=True)
        for board_id, name in self.members.items():
            unit = self.units[name]
            if not unit.complete:
                assert board_id in self.lost, "its going went unnoticed"
            elif board_id in self.lost:
                assert unit.spoiled or not self.tellable(unit), "it is there and was not taken back"
        for unit in self.units.values():
            usable = self.late and unit.late and unit.complete and unit.kind != "stranger"
            if usable and self.tellable(unit) and not unit.spoiled:
                assert unit.name in self.members.values(), "it came late and was ignored"


TestPresenceModel = PresenceModel.TestCase
TestPresenceModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
