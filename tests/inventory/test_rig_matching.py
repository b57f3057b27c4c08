"""Which device is which board of the rig file: by what it said, then its serial number, then its place."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.inventory.attached import Survey, survey_host
from harness.inventory.profiles import load_profiles
from harness.inventory.rig_matching import match_entries
from harness.inventory.usb_devices import usb_devices
from harness.rig import Rig, RigBoard, load_rig
from harness.shipped import shipped_directory
from tests.inventory.usb_ports import SEGGER, usb_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.inventory.serial_ports import SerialPort

PROFILES = load_profiles([shipped_directory("boards")])
S1, S2 = "001051200001", "001051200002"


def kit(location: str, serial: str | None = S1, name: str = "") -> list[SerialPort]:
    """The two ports of a development kit."""
    name = name or f"/dev/ttyACM-{location}-"
    return [
        usb_port(f"{name}{interface}", SEGGER, 0x1069, serial, location, interface) for interface in (0, 2)
    ]


def survey(
    tmp_path: Path, text: str, *devices: Sequence[SerialPort], said: Mapping[str, str] | None = None
) -> Survey:
    """Look at a host with a rig file and some devices, of which some were asked."""
    file = tmp_path / "rig.toml"
    file.write_text(text)
    return survey_host(PROFILES, [port for device in devices for port in device], load_rig(file), said)


def consoles(found: Survey) -> dict[str, str]:
    """The console of each board."""
    return {board.id: board.endpoints["console"].url for board in found.boards}


SWAPPABLE = f"""
[[board]]
id = "left"
identity = "IL"
{{}}
capabilities.add = ["leftish"]
[[board]]
id = "right"
identity = "IR"
{{}}
[[board]]
usb_serial = "{S2}"
"""
LEFT_AND_RIGHT = [
    ('location = "1-1"', 'location = "1-2"'),
    (f'usb_serial = "{S1}"\nlocation = "1-1"', f'usb_serial = "{S1}"\nlocation = "1-2"'),
    (f'usb_serial = "{S1}"', f'usb_serial = "{S1}"'),
    ('endpoints.console = "/dev/ttyACM-1-1-0"', 'endpoints.console = "/dev/ttyACM-1-2-0"'),
    ("", ""),
]


@pytest.mark.parametrize("keys", LEFT_AND_RIGHT, ids=["place", "serial and place", "serial", "path", "none"])
def test_swapped_boards_get_each_others_entries_right(tmp_path: Path, keys: tuple[str, str]) -> None:
    """Whatever else the file says of where they were, who they say they are counts."""
    text = SWAPPABLE.format(*keys)
    said = {"1-1": "IR", "1-2": "IL", "1-3": "IX"}

    found = survey(tmp_path, text, kit("1-1"), kit("1-2"), kit("1-3", S2), said=said)

    assert consoles(found) == {
        "left": "/dev/ttyACM-1-2-0",
        "right": "/dev/ttyACM-1-1-0",
        S2: "/dev/ttyACM-1-3-0",
    }
    by_name = {board.id: board for board in found.boards}
    assert "leftish" in by_name["left"].capabilities
    assert "leftish" not in by_name["right"].capabilities
    assert (by_name["left"].ambiguous, by_name[S2].ambiguous) == (True, False)
    assert (by_name["left"].identity, by_name["right"].identity) == ("IL", "IR")
    assert found.absent == ()


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (LEFT_AND_RIGHT[0], {"left", "right", S2}),
        (LEFT_AND_RIGHT[1], {"left", "right", S2}),
        (LEFT_AND_RIGHT[2], {f"{S1}@1-1", f"{S1}@1-2", S2}),
        (LEFT_AND_RIGHT[4], {f"{S1}@1-1", f"{S1}@1-2", S2}),
    ],
    ids=["place", "serial and place", "serial", "none"],
)
def test_before_they_are_asked_places_are_hints(
    tmp_path: Path, keys: tuple[str, str], names: set[str]
) -> None:
    """Where even the place says nothing, a board of two with one serial number has nobody's name."""
    found = survey(tmp_path, SWAPPABLE.format(*keys), kit("1-1"), kit("1-2"), kit("1-3", S2))

    assert set(consoles(found)) == names


@pytest.mark.parametrize(
    ("entry", "said", "reason"),
    [
        (f'usb_serial = "{S2}"', {}, f"no serial port has the USB serial number {S2}"),
        (
            f'usb_serial = "{S1}"\nlocation = "1-9"',
            {},
            f"of what has the USB serial number {S1} none is at 1-9",
        ),
        (
            f'usb_serial = "{S1}"\nlocation = "1-9"\nidentity = "IZ"',
            {"1-1": "IL", "1-2": "IR"},
            f"of what has the USB serial number {S1} none is at 1-9 or says that it is IZ",
        ),
        (
            f'usb_serial = "{S1}"',
            {},
            f"2 boards have the USB serial number {S1}, and no identity tells which it is",
        ),
        ('identity = "IZ"', {"1-1": "IL"}, "no board says that it is IZ"),
        ('location = "1-9"', {}, "nothing is plugged in at 1-9"),
        (
            'location = "1-1"\nidentity = "IZ"',
            {"1-1": "IL"},
            "what is plugged in at 1-1 is IL, and no board says that it is IZ",
        ),
        ('location = "3-1"', {}, "what is plugged in at 3-1 is no board that a profile fits"),
        ('location = "1-1"\nprofile = "nrf9160dk"', {}, "what is plugged in at 1-1 is no nrf9160dk"),
        (
            'profile = "nrf9151dk"\nidentity = "IZ"\nendpoints.console = "/dev/ttyACM-1-1-0"',
            {"1-1": "IL"},
            "what is at /dev/ttyACM-1-1-0 is IL, and no board says that it is IZ",
        ),
        (
            'profile = "nrf9151dk"\nidentity = "IZ"\nendpoints.console = "/dev/no-such-port"',
            {"1-1": "IL"},
            "there is no /dev/no-such-port",
        ),
    ],
)
def test_absent_boards_say_why(tmp_path: Path, entry: str, said: dict[str, str], reason: str) -> None:
    """What was looked for and what is there instead; nothing else is taken for the board."""
    stranger = [usb_port("/dev/ttyUSB0", 0x10C4, 0xEA60, None, "3-1", 0)]

    found = survey(tmp_path, f'[[board]]\nid = "it"\n{entry}\n', kit("1-1"), kit("1-2"), stranger, said=said)

    (absent,) = found.absent
    assert (absent.board.id, absent.reason) == ("it", reason)
    assert len(found.boards) == 2
    assert [port.device for port in found.strangers] == ["/dev/ttyUSB0"]


def test_serial_number_that_another_board_has_by_what_it_said(tmp_path: Path) -> None:
    """A board that was given another debugger takes its entry along."""
    text = f'[[board]]\nid = "old"\nusb_serial = "{S1}"\n[[board]]\nid = "it"\nidentity = "IX"\n'

    found = survey(tmp_path, text, kit("1-1"), said={"1-1": "IX"})

    assert set(consoles(found)) == {"it"}
    assert found.absent[0].reason == f"what has the USB serial number {S1} is board it"


def test_wrong_identity_in_the_file_is_one_message(tmp_path: Path) -> None:
    """A board whose serial number is its own says that it is another: file, key, value, and what it says."""
    text = f'[[board]]\nusb_serial = "{S2}"\n[[board]]\nid = "it"\nusb_serial = "{S1}"\nidentity = "IL"\n'

    with pytest.raises(UsageError) as caught:
        survey(tmp_path, text, kit("1-1"), kit("1-2", S2), said={"1-1": "IR"})

    assert str(caught.value) == (
        f"{tmp_path}/rig.toml: board[1].identity: the board with the USB serial number {S1} says that it is "
        "another (got 'IL'); expected 'IR', or the serial number of that board"
    )


def test_interface_that_the_file_says(tmp_path: Path) -> None:
    """An endpoint is on the interface of that number, and takes settings without a URL."""
    text = f'[[board]]\nusb_serial = "{S1}"\nendpoints.console = {{ interface = 2, baud = 1000000 }}\n'
    (moved,) = survey(tmp_path, text, kit("1-1")).boards
    text = f'[[board]]\nusb_serial = "{S1}"\nendpoints.console.baud = 9600\nendpoints.trace.interface = 7\n'
    (same,) = survey(tmp_path, text, kit("1-1")).boards

    assert (moved.endpoints["console"].url, moved.endpoints["console"].baud) == (
        "/dev/ttyACM-1-1-2",
        1_000_000,
    )
    assert moved.endpoints["console"].discipline == "at-host"
    assert (same.endpoints["console"].url, same.endpoints["console"].baud) == ("/dev/ttyACM-1-1-0", 9600)
    assert set(same.endpoints) == {"console"}


def test_path_of_a_port_that_is_no_board_stays(tmp_path: Path) -> None:
    """An adapter beside a board's own ports is where the file says, also when the board was asked."""
    adapter = [usb_port("/dev/ttyUSB0", 0x0403, 0x6001, "A1", "3-1", 0)]
    text = '[[board]]\nid = "it"\nidentity = "IL"\nlocation = "1-2"\nendpoints.trace = "/dev/ttyUSB0"\n'

    (board,) = survey(tmp_path, text, kit("1-1"), adapter, said={"1-1": "IL"}).boards

    assert {role: one.url for role, one in board.endpoints.items()} == {
        "console": "/dev/ttyACM-1-1-0",
        "trace": "/dev/ttyUSB0",
    }


@st.composite
def hosts(draw: st.DrawFn) -> tuple[list[list[SerialPort]], dict[str, str], list[RigBoard]]:
    """Devices at places, what they say, and a rig file that was right once: before cables were moved."""
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1, max_size=5))
    serial = {name: draw(st.sampled_from([S1, S2, None])) for name in names}
    here = draw(st.permutations([name for name in names if draw(st.booleans())]))
    places = dict(zip(here, draw(st.permutations([f"1-{n}" for n in range(1, 7)])), strict=False))
    asked = {places[name]: name for name in here if draw(st.booleans())}
    numbers = count()
    entries = []
    for name in draw(st.permutations(names)):
        if draw(st.booleans()):
            entry = {"id": f"the-{name}", "identity": name if draw(st.booleans()) else None}
            entry["usb_serial"] = serial[name] if draw(st.booleans()) else None
            entry["location"] = f"1-{next(numbers) % 6 + 1}" if draw(st.booleans()) else None
            entries.append(RigBoard.model_validate(entry))
    return [kit(place, serial[name]) for name, place in places.items()], asked, entries


@given(hosts())
def test_who_said_who_it_is_is_never_mistaken(
    host: tuple[list[list[SerialPort]], dict[str, str], list[RigBoard]],
) -> None:
    """Each device is one board at most; nobody gets what said that it is another; order does not matter."""
    ports, asked, entries = host
    devices = usb_devices([port for device in ports for port in device])
    rig = Rig(file=Path("rig.toml"), name="rig", boards=tuple(entries))
    try:
        found = match_entries(rig, devices, asked, lambda _entry, _device: True)
    except UsageError:
        # Only where one device and one entry have a serial number, and the two say different things.
        wrong = [
            (entry, device)
            for entry in entries
            for device in devices
            if entry.usb_serial and entry.usb_serial == device.serial_number
            if entry.identity and asked.get(device.place) not in {None, entry.identity}
        ]
        assert wrong
        return
    taken = [device.place for device in found.devices.values()]
    assert len(taken) == len(set(taken))
    for number, entry in enumerate(entries):
        device = found.devices.get(number)
        if entry.identity in asked.values():
            assert device is not None
            assert asked[device.place] == entry.identity
        elif device is not None:
            assert entry.identity is None or device.place not in asked
            assert entry.usb_serial in {None, device.serial_number}
            if entry.usb_serial is None:
                assert entry.location == device.location
    assert set(found.devices).isdisjoint(found.missing)
    shuffled = match_entries(rig, devices[::-1], asked, lambda _entry, _device: True)
    assert {number: one.place for number, one in shuffled.devices.items()} == {
        number: one.place for number, one in found.devices.items()
    }
