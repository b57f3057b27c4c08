"""Who is lost, back, late or to be asked: what the model of :mod:`test_presence_model` never lets happen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.inventory.attached import survey_host
from harness.inventory.board import Board, Endpoint
from harness.inventory.board_news import Ask, Joined, Lost, Refused, Returned
from harness.inventory.identity import Answer
from harness.inventory.presence import Presence
from harness.inventory.profiles import load_profiles
from harness.rig import load_rig
from harness.shipped import shipped_directory
from tests.inventory.usb_ports import SEGGER, usb_port

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.board_news import Change
    from harness.inventory.serial_ports import SerialPort

PROFILES = load_profiles([shipped_directory("boards")])
SERIAL = "001051200001"


def dk(device: str, location: str, serial: str | None = SERIAL, interface: int = 0) -> SerialPort:
    """Return a port of an nRF9151 DK."""
    return usb_port(f"/dev/{device}", SEGGER, 0x1069, serial, location, interface)


def session(*ports: SerialPort, late: bool = False, **identities: str) -> Presence:
    """Begin a session with all boards that some ports are, which have said who they are."""
    boards = [
        replace(board, identity=identities.get(board.endpoints["console"].url.removeprefix("/dev/")))
        for board in survey_host(PROFILES, ports, None).boards
    ]
    presence = Presence(boards, PROFILES, None, late=late)
    assert presence.listed(ports) == []
    return presence


def where(change: Change) -> str:
    """Return where the console is of the board that a change is about."""
    assert not isinstance(change, Lost)
    board = change.candidate if isinstance(change, Ask) else change.board
    return board.endpoints["console"].url


def says(change: Change, identity: str | None, problem: str | None = None) -> tuple[int, Answer]:
    """Answer a question."""
    assert isinstance(change, Ask)
    return change.number, Answer(board=change.candidate, identity=identity, problem=problem)


def test_moved_before_the_watch_began() -> None:
    """A board that is elsewhere than the session found it is told as lost, and as returned where it is."""
    (board,) = survey_host(PROFILES, [dk("ttyACM0", "1-1")], None).boards
    presence = Presence([board], PROFILES, None, late=False)

    lost, returned = presence.listed([dk("ttyACM3", "1-2"), dk("ttyACM0", "1-1", "001051200002")])

    assert lost == Lost(SERIAL, "it is not where it was found")
    assert isinstance(returned, Returned)
    assert returned.board.endpoints["console"].url == "/dev/ttyACM3"
    assert returned.board.properties["usb_location"] == "1-2"
    assert returned.board.ports == {"/dev/ttyACM3": 0}


def test_swapped_before_the_watch_began() -> None:
    """Boards of one serial number under each other's names are asked again; one that stayed is not."""
    first, second = dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2")
    boards = survey_host(PROFILES, [first, second], None).boards
    boards = (replace(boards[0], identity="one"), replace(boards[1], identity="two"))
    presence = Presence(boards, PROFILES, None, late=False)

    changes = presence.listed([dk("ttyACM1", "1-1"), dk("ttyACM0", "1-2")])

    assert changes[:2] == [Lost(board.id, "it is not where it was found") for board in boards]
    assert [where(change) for change in changes[2:]] == ["/dev/ttyACM1", "/dev/ttyACM0"]
    (back,) = presence.answered(*says(changes[2], "two"))
    assert isinstance(back, Returned)
    assert (back.board.id, where(back)) == (boards[1].id, "/dev/ttyACM1")
    assert presence.lost == {boards[0].id}


def test_coming_is_told_before_going() -> None:
    """A board that shows at its new place before it went from the old one is asked, and is back."""
    presence = session(dk("ttyACM0", "1-1"), ttyACM0="me")

    assert presence.port_added(dk("ttyACM1", "1-2")) == []
    lost, asked = presence.port_removed("/dev/ttyACM0")
    (back,) = presence.answered(*says(asked, "me"))

    assert lost == Lost(SERIAL, "/dev/ttyACM0 went away")
    assert isinstance(back, Returned)
    assert where(back) == "/dev/ttyACM1"


def test_answer_before_the_old_place_is_told_empty() -> None:
    """Who says that it is a board which is still elsewhere is refused, and is that board when it is not."""
    presence = session(dk("ttyACM0", "1-1"), late=True, ttyACM0="me")

    (asked,) = presence.port_added(dk("ttyACM1", "1-2"))
    (refused,) = presence.answered(*says(asked, "me"))
    assert isinstance(refused, Refused)
    assert refused.reason == f"says that it is me, which is {SERIAL}"
    lost, back = presence.port_removed("/dev/ttyACM0")

    assert isinstance(lost, Lost)
    assert isinstance(back, Returned)
    assert where(back) == "/dev/ttyACM1"


def test_going_that_nobody_told() -> None:
    """A port that is another one's by now went away first."""
    presence = session(dk("ttyACM0", "1-1"))

    assert presence.port_added(dk("ttyACM0", "1-2", "001051200002")) == [
        Lost(SERIAL, "/dev/ttyACM0 went away")
    ]


def test_twin_of_a_board_that_came_back() -> None:
    """When a serial number turns out to be shared, the board that was recognised by it alone is asked."""
    presence = session(dk("ttyACM0", "1-1"), ttyACM0="me")
    presence.port_removed("/dev/ttyACM0")
    (mistaken,) = presence.port_added(dk("ttyACM0", "1-1"))
    assert isinstance(mistaken, Returned)  # nobody could know better

    doubts = presence.port_added(dk("ttyACM1", "1-2"))
    assert [type(each) for each in doubts] == [Ask]
    (doubt,) = doubts
    lost, asked = presence.answered(*says(doubt, "another"))
    (back,) = presence.answered(*says(asked, "me"))

    assert where(doubt) == "/dev/ttyACM0"
    assert lost == Lost(SERIAL, "what shows its serial number is another")
    assert isinstance(back, Returned)
    assert where(back) == "/dev/ttyACM1"


@pytest.mark.parametrize("answer", ["me", None])
def test_twin_of_a_board_that_is_itself(answer: str | None) -> None:
    """A board that is asked because of its twin stays what it is unless it says otherwise."""
    presence = session(dk("ttyACM0", "1-1"), ttyACM0="me")
    presence.port_removed("/dev/ttyACM0")
    presence.port_added(dk("ttyACM0", "1-1"))
    (doubt,) = presence.port_added(dk("ttyACM1", "1-2"))

    assert presence.answered(*says(doubt, answer, None if answer else "it is silent")) == []
    assert presence.lost == frozenset()


def test_stranger_to_the_session() -> None:
    """A third board of one serial number that was asked in vain joins no session that takes no late ones."""
    presence = session(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2"), ttyACM0="one", ttyACM1="two")
    presence.port_removed("/dev/ttyACM0")
    (asked,) = presence.port_added(dk("ttyACM0", "1-1"))

    (refused,) = presence.answered(*says(asked, "three"))
    assert isinstance(refused, Refused)
    assert refused.reason == "is three, which is none of this session's boards"
    assert presence.answered(*says(asked, "one")) == []  # a question is answered once


def test_answer_of_a_board_that_went() -> None:
    """What was asked of a board that went away since says nothing of the one in its place."""
    presence = session(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2"), ttyACM0="one", ttyACM1="two")
    presence.port_removed("/dev/ttyACM0")
    (first,) = presence.port_added(dk("ttyACM0", "1-1"))
    presence.port_removed("/dev/ttyACM0")
    assert presence.open_questions == frozenset()
    (second,) = presence.port_added(dk("ttyACM0", "1-1"))

    assert presence.answered(*says(first, "one")) == []
    assert presence.lost == {f"{SERIAL}@1-1"}
    assert presence.open_questions == {second.number if isinstance(second, Ask) else 0}


def test_nobody_can_ask() -> None:
    """A board without a serial number of its own that nobody can ask stays lost, wherever it shows."""
    presence = session(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2"))
    presence.port_removed("/dev/ttyACM0")

    (asked,) = presence.port_added(dk("ttyACM0", "1-1"))
    (refused,) = presence.answered(*says(asked, None))

    assert isinstance(refused, Refused)
    assert refused.reason == (f"its serial number {SERIAL} is not its alone, and nobody can ask it who it is")
    assert presence.lost == {f"{SERIAL}@1-1"}


def test_silent_board_is_asked_again_when_another_goes() -> None:
    """Who did not answer may be any board that goes away later."""
    presence = session(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-2"), ttyACM0="one", ttyACM1="two")
    presence.port_removed("/dev/ttyACM0")
    (asked,) = presence.port_added(dk("ttyACM0", "1-1"))
    (refused,) = presence.answered(*says(asked, None, "it is silent"))
    assert isinstance(refused, Refused)
    assert refused.reason == "it is silent"

    lost, again = presence.port_removed("/dev/ttyACM1")
    assert lost == Lost(f"{SERIAL}@1-2", "/dev/ttyACM1 went away")
    assert where(again) == "/dev/ttyACM0"


def test_board_with_a_port_of_another_device() -> None:
    """An endpoint that the rig file has elsewhere stays where it is when the board moves."""
    (board,) = survey_host(PROFILES, [dk("ttyACM0", "1-1")], None).boards
    elsewhere = {
        "trace": Endpoint(role="trace", url="/dev/ttyUSB7"),
        "network": Endpoint(role="network", url="socket://192.0.2.1:7"),
    }
    board = replace(board, endpoints={**board.endpoints, **elsewhere})
    presence = Presence([board], PROFILES, None, late=False)
    assert presence.listed([dk("ttyACM0", "1-1")]) == []

    presence.port_removed("/dev/ttyACM0")
    (back,) = presence.port_added(dk("ttyACM4", "1-4"))

    assert isinstance(back, Returned)
    assert {role: one.url for role, one in back.board.endpoints.items()} == {
        "console": "/dev/ttyACM4",
        "trace": "/dev/ttyUSB7",
        "network": "socket://192.0.2.1:7",
    }


def test_port_that_is_not_of_the_board() -> None:
    """A port of its device that a board does not use may come and go."""
    presence = session(dk("ttyACM0", "1-1"), dk("ttyACM1", "1-1", interface=2))

    assert presence.port_removed("/dev/ttyACM1") == []
    assert presence.port_added(dk("ttyACM5", "1-1", interface=2)) == []
    assert presence.lost == frozenset()


def test_interface_of_the_rig_file_counts() -> None:
    """A board that speaks on another interface than its kind does so also after it came back."""
    ports = (dk("ttyACM0", "1-1"), dk("ttyACM1", "1-1", interface=2))
    (board,) = survey_host(PROFILES, ports, None).boards
    console = replace(board.endpoints["console"], url="/dev/ttyACM1")
    presence = Presence([replace(board, endpoints={"console": console})], PROFILES, None, late=False)
    assert presence.listed(ports) == []

    assert [type(each) for each in presence.port_removed("/dev/ttyACM1")] == [Lost]
    presence.port_removed("/dev/ttyACM0")
    assert presence.port_added(dk("ttyACM8", "1-1")) == []  # not all of it is there
    (back,) = presence.port_added(dk("ttyACM9", "1-1", interface=2))

    assert where(back) == "/dev/ttyACM9"


def test_board_behind_a_plain_port() -> None:
    """A board on a port that is not on USB is asked when its port is there again, and nothing else is."""
    board = Board(
        id="old",
        kind="nrf9151dk",
        driver="nrf91",
        identity="me",
        endpoints={"console": Endpoint(role="console", url="/dev/ttyS0")},
    )
    presence = Presence([board], PROFILES, None, late=True)
    assert presence.listed([usb_port("/dev/ttyS0"), usb_port("/dev/ttyS1")]) == []

    assert presence.port_removed("/dev/ttyS1") == []
    assert presence.port_removed("/dev/ttyS0") == [Lost("old", "/dev/ttyS0 went away")]
    assert presence.port_added(usb_port("/dev/ttyS1")) == []
    (asked,) = presence.port_added(usb_port("/dev/ttyS0"))
    (back,) = presence.answered(*says(asked, "me"))

    assert back == Returned(board)


def test_board_that_is_nowhere_on_this_host() -> None:
    """A board that is reached by network is never lost by what happens to ports."""
    network = {"console": Endpoint(role="console", url="socket://192.0.2.1:7")}
    board = Board(id="far", kind="nrf9151dk", driver="nrf91", endpoints=network)
    presence = Presence([board], PROFILES, None, late=False)

    assert presence.listed([]) == []
    assert presence.boards == (board,)


def test_late_board_of_the_rig_file(tmp_path: Path) -> None:
    """A late board is what the rig file says of who it says it is, whatever its serial number is."""
    file = tmp_path / "rig.toml"
    file.write_text(f"""
        [[board]]
        id = "left"
        profile = "nrf9151dk"
        usb_serial = "{SERIAL}"
        identity = "one"

        [[board]]
        id = "right"
        profile = "nrf9151dk"
        usb_serial = "{SERIAL}"
        identity = "two"
        properties.shelf = "upper"
    """)
    here = dk("ttyACM0", "1-1")
    board = Board(
        id="left",
        kind="nrf9151dk",
        driver="nrf91",
        identity="one",
        ambiguous=True,
        endpoints={"console": Endpoint(role="console", url="/dev/ttyACM0")},
        properties={"usb_serial": SERIAL, "usb_location": "1-1"},
    )
    presence = Presence([board], PROFILES, load_rig(file), late=True)
    assert presence.listed([here]) == []

    asking = presence.port_added(dk("ttyACM1", "1-2"))
    assert [type(each) for each in asking] == [Ask]
    (asked,) = asking
    assert isinstance(asked, Ask)
    assert asked.candidate.id == f"{SERIAL}@1-2"
    (joined,) = presence.answered(*says(asked, "two"))

    assert isinstance(joined, Joined)
    assert (joined.board.id, joined.board.identity) == ("right", "two")
    assert joined.board.properties["shelf"] == "upper"
    assert joined.board.ambiguous


def test_late_board_that_contradicts_the_rig_file(tmp_path: Path) -> None:
    """A late board that is not who its serial number says is refused with the reason."""
    file = tmp_path / "rig.toml"
    file.write_text(f'[[board]]\nid = "left"\nusb_serial = "{SERIAL}"\nidentity = "one"\n')
    presence = Presence([], PROFILES, load_rig(file), late=True)
    assert presence.listed([]) == []

    (asked,) = presence.port_added(dk("ttyACM0", "1-1"))
    (refused,) = presence.answered(*says(asked, "two"))

    assert isinstance(refused, Refused)
    assert "says that it is another" in refused.reason


def test_device_that_fits_two_profiles() -> None:
    """What fits two kinds of board equally well is nobody, and is not asked."""
    kind = PROFILES["nrf9151dk"]
    twice = {"nrf9151dk": kind, "other": kind.model_copy(update={"name": "other"})}
    presence = Presence([], twice, None, late=True)

    assert presence.listed([]) == []
    assert presence.port_added(dk("ttyACM0", "1-1")) == []


def test_devices_without_a_place() -> None:
    """Where the system does not say where a board is, its serial number alone tells its ports together."""
    presence = session(usb_port("/dev/ttyACM0", SEGGER, 0x1069, SERIAL))

    assert presence.port_removed("/dev/ttyACM0") == [Lost(SERIAL, "/dev/ttyACM0 went away")]
    (back,) = presence.port_added(usb_port("/dev/ttyACM1", SEGGER, 0x1069, SERIAL))
    assert isinstance(back, Returned)
    assert where(back) == "/dev/ttyACM1"


def test_giving_up_a_board_that_nobody_knows() -> None:
    """A session may give up what it never had."""
    assert session().forget("nobody") == []
