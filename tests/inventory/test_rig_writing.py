"""Boards put into a rig file: what was written by hand stays, and what was found out is right."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from harness.errors import UsageError
from harness.inventory.rig_writing import FoundBoard, Standing, merge
from harness.rig import RigFile
from tests.inventory.rig_texts import ANSWERING, DK, RigText, rig_texts


def twin(identity: str | None, location: str, serial: str | None = "77") -> FoundBoard:
    """One of several probes with one serial number, or without any."""
    return FoundBoard(
        id=f"{serial or 'nrf9151dk'}@{location}",
        title="nRF9151 DK",
        profile="nrf9151dk",
        usb_serial=serial,
        location=location,
        identity=identity,
    )


def boards_of(text: str) -> list[dict[str, Any]]:
    """The boards of a file."""
    boards: list[dict[str, Any]] = tomllib.loads(text).get("board", [])
    return boards


def lines_lost(before: list[str], after: list[str]) -> list[str]:
    """The lines that are not there any more, or not in their order."""
    lost, place = [], 0
    for line in before:
        if line in after[place:]:
            place = after.index(line, place) + 1
        else:
            lost.append(line)
    return lost


def test_new_file_says_all_that_is_known() -> None:
    """A board that answered is described whole, and one that did not as far as USB tells."""
    other = FoundBoard(id="7", title="CP2102N bridge", profile="cp", usb_serial="7")

    merged = merge("", [ANSWERING, other])

    assert merged.text == (
        "# What is attached to this host. 'harness boards --write' adds to it; what you write stays.\n"
        "\n"
        "# nRF9160 DK\n"
        "[[board]]\n"
        'profile = "nrf9160dk"\n'
        'usb_serial = "000960012345"\n'
        'identity = "351358811330139"\n'
        'location = "1-1.2"\n'
        "\n"
        "# CP2102N bridge\n"
        "[[board]]\n"
        'profile = "cp"\n'
        'usb_serial = "7"\n'
    )
    assert [str(line) for line in merged.lines] == ["000960012345: new", "7: new"]


def test_nothing_found_makes_no_file() -> None:
    """Without a board there is nothing to write."""
    assert merge("", []).text == ""


def test_what_is_by_hand_stays_where_it_is() -> None:
    """New keys stand below those that say what the board is; the next board's comment stays its own."""
    text = (
        'name = "shelf"  # mine\n'
        "\n"
        "[[board]]  # the old one\n"
        'usb_serial = "000960012345"  # on its sticker\n'
        "location = '1-9'  # upper hub\n"
        "capabilities.remove = ['jwt']\n"
        "# do not touch\n"
        "\n"
        "# The other one.\n"
        "[[board]]\n"
        'id = "far"\n'
        'profile = "nrf9161dk"\n'
        'endpoints.console = "socket://192.0.2.1:1"\n'
    )

    merged = merge(text, [ANSWERING])

    assert merged.text == text.replace("'1-9'", '"1-1.2"').replace(
        "  # upper hub\n", '  # upper hub\nprofile = "nrf9160dk"\nidentity = "351358811330139"\n'
    )
    assert [str(line) for line in merged.lines] == [
        "000960012345: changed: profile, identity, location",
        "far: not here, kept",
    ]


def test_settings_by_hand_count() -> None:
    """Another profile, and what is said of an endpoint, are somebody's decision."""
    text = (
        '[[board]]\nid = "desk"\nusb_serial = "000960012345"\nprofile = "my-dk"\n'
        'identity = "351358811330139"\nlocation = "1-1.2"\nendpoints.console = { baud = 9600 }\n'
    )
    speaks_elsewhere = FoundBoard(
        id="desk",
        title="x",
        profile="nrf9160dk",
        usb_serial="000960012345",
        location="1-1.2",
        identity="351358811330139",
        interfaces={"console": 2, "trace": 0},
    )

    (board,) = boards_of(merge(text, [speaks_elsewhere]).text)

    assert board["profile"] == "my-dk"
    assert board["endpoints"] == {"console": {"baud": 9600}, "trace": {"interface": 0}}


@pytest.mark.parametrize(
    "endpoints",
    [
        'endpoints.aux = "/dev/x"\n',
        'endpoints = { aux = "/dev/x" }\n',
        'endpoints.aux.url = "/dev/x"\n',
        '[board.endpoints]\n# mine\naux = "/dev/x"\n',
        '[board.endpoints.aux]\nurl = "/dev/x"\n',
        '[board.control.relay]\nport = 1\n[board.endpoints]\naux = "/dev/x"\n',
    ],
)
def test_interface_is_said_in_any_style(endpoints: str) -> None:
    """However the endpoints of a board are written, one more is put to them."""
    text = f'[[board]]\nusb_serial = "1"\n{endpoints}'
    board = FoundBoard(id="1", title="x", profile="p", usb_serial="1", interfaces={"console": 2})

    first = merge(text, [board])

    (after,) = boards_of(first.text)
    assert after["endpoints"]["console"] == {"interface": 2}
    assert after["endpoints"]["aux"] in ("/dev/x", {"url": "/dev/x"})
    assert merge(first.text, [board]).text == first.text


def test_board_on_a_path_is_left_where_somebody_put_it() -> None:
    """A board that the file finds by a path is found by it afterwards; only who it is is added."""
    text = '[[board]]\nid = "desk"\nprofile = "nrf9160dk"\nendpoints.console = "/dev/serial/by-id/x"\n'
    board = FoundBoard(
        id="desk", title="x", profile="nrf9160dk", usb_serial="9", location="1-1", identity="35"
    )

    (line,) = merge(text, [board]).lines

    assert line.keys == ("identity",)


def test_swapped_boards_keep_their_entries() -> None:
    """Two probes with one serial number swapped their hub ports: who they say they are counts."""
    first = merge("", [twin("35A", "1-1"), twin("35B", "1-2")])
    assert [(board["id"], board["location"]) for board in boards_of(first.text)] == [
        ("35A", "1-1"),
        ("35B", "1-2"),
    ]

    second = merge(first.text, [twin("35A", "1-2"), twin("35B", "1-1")])

    assert [(board["id"], board["identity"], board["location"]) for board in boards_of(second.text)] == [
        ("35A", "35A", "1-2"),
        ("35B", "35B", "1-1"),
    ]
    assert [line.keys for line in second.lines] == [("location",), ("location",)]


def test_twin_that_comes_later_is_another_board() -> None:
    """A board that has the serial number of an absent one and says it is another is appended."""
    first = merge("", [twin("35A", "1-1")])
    assert "id" not in boards_of(first.text)[0]

    second = merge(first.text, [twin("35B", "1-1")])

    old, new = boards_of(second.text)
    assert (old["id"], old["identity"]) == ("77", "35A")  # its name is the same as before
    assert (new["id"], new["identity"]) == ("35B", "35B")
    assert [line.standing for line in second.lines] == [Standing.ABSENT, Standing.NEW]
    (doubt,) = second.doubts
    assert doubt == (
        "35B has the USB serial number 77 of 77, which is 35A in the file: both are kept; if it is the same"
        " board with another modem, keep one"
    )
    both = [replace(twin(one, place), ambiguous=True) for one, place in (("35A", "1-1"), ("35B", "1-2"))]
    assert merge(second.text, both).doubts == ()


def test_board_with_a_silent_twin_gets_a_name_of_its_own() -> None:
    """Whoever shares a number with a board that is not written is called by who it is, or as before."""
    anna = replace(twin("35A", "1-1"), ambiguous=True)

    (new,) = boards_of(merge("", [anna]).text)
    (old,) = boards_of(merge('[[board]]  # mine\nusb_serial = "77"\nidentity = "35A"\n', [anna]).text)

    assert new["id"] == "35A"
    assert old["id"] == "77"


def test_board_with_another_probe_is_the_same_board() -> None:
    """Identity beats the serial number."""
    first = merge("", [ANSWERING])

    second = merge(first.text, [twin("351358811330139", "1-4", serial="88")])

    (board,) = boards_of(second.text)
    assert (board["usb_serial"], board["identity"], board["location"]) == ("88", "351358811330139", "1-4")


def test_place_never_makes_another_board_of_one() -> None:
    """What is plugged in where another board was is not that board."""
    first = merge("", [DK])

    second = merge(first.text, [twin(None, "1-1.2")])

    assert [line.standing for line in second.lines] == [Standing.ABSENT, Standing.NEW]


def test_entry_that_fits_two_boards_is_refused() -> None:
    """Which of two boards an entry means is not guessed."""
    with pytest.raises(UsageError) as refused:
        merge('[[board]]\nusb_serial = "77"\n', [twin("35A", "1-1"), twin("35B", "1-2")], file=Path("r.toml"))

    assert str(refused.value) == (
        "r.toml: board[0].identity: several boards here have this serial number; expected 35A or 35B"
    )


def test_where_nothing_else_tells_the_place_does() -> None:
    """Boards without a serial number and a dialect are told apart by where they are, and called so."""
    first = merge("", [twin(None, "1-1", serial=None), twin(None, "1-2", serial=None)])
    assert [board["id"] for board in boards_of(first.text)] == ["nrf9151dk@1-1", "nrf9151dk@1-2"]
    renamed = first.text.replace('"nrf9151dk@1-1"', '"upper"')

    assert merge(renamed, [twin(None, "1-2", serial=None), twin(None, "1-1", serial=None)]).text == renamed


def test_names_are_never_given_twice() -> None:
    """A new board is not called as another one is."""
    text = '[[board]]\nid = "35B"\nusb_serial = "1"\n'

    merged = merge(text, [twin("35B", "1-1", serial=None), twin("1", "1-2", serial="9")])

    assert [line.name for line in merged.lines] == ["35B", "35B-2", "9"]


def test_comment_of_what_follows_the_boards_stays_its_own() -> None:
    """A board is appended above the comment of the next table, not between the two."""
    text = '[[board]]\nusb_serial = "1"\n# about 1\n\n# Where leases are.\n[leases]\ndirectory = "/l"\n'

    assert merge(text, [DK]).text == (
        '[[board]]\nusb_serial = "1"\n# about 1\n\n# nRF9160 DK\n[[board]]\nprofile = "nrf9160dk"\n'
        'usb_serial = "000960012345"\nlocation = "1-1.2"\n\n# Where leases are.\n[leases]\ndirectory = "/l"\n'
    )


def test_boards_in_one_array() -> None:
    """Boards that are written as an array of inline tables are kept so."""
    text = 'board = [\n  { usb_serial = "000960012345" },  # mine\n]\n\n[leases]\n'

    merged = merge(text, [ANSWERING, twin("35A", "1-1")])

    assert "# mine" in merged.text
    assert [board["identity"] for board in boards_of(merged.text)] == ["351358811330139", "35A"]
    assert merge(merged.text, [ANSWERING, twin("35A", "1-1")]).text == merged.text


def test_boards_that_are_not_together_are_not_moved() -> None:
    """A file whose lines would have to be moved is refused, with what would do."""
    text = '[[board]]\nusb_serial = "1"\n[leases]\n[[board]]\nusb_serial = "2"\n'

    with pytest.raises(UsageError, match=r"board: boards cannot be written into this file: the lines of"):
        merge(text, [DK])


@settings(deadline=None)  # the machine may be loaded
@given(rig_texts())
def test_any_file_keeps_its_lines_and_is_stable(it: RigText) -> None:
    """Every remark stays, every line but one whose value changed too, in their order; twice is as once."""
    before = tomllib.loads(it.text)

    first = merge(it.text, it.found)

    RigFile.model_validate(tomllib.loads(first.text))
    assert re.findall(r"# remark \d+\.", first.text) == it.remarks
    lost = lines_lost(it.text.splitlines(), first.text.splitlines())
    assert all(line.startswith(("location = ", "endpoints = {")) for line in lost)
    after = tomllib.loads(first.text)
    old_boards, new_boards = before.pop("board", []), after.pop("board", [])
    assert after == before
    ours = {"id", "profile", "usb_serial", "identity", "location", "endpoints"}
    for old, new in itertools.zip_longest(old_boards, new_boards[: len(old_boards)]):
        assert {key: new[key] for key in old if key not in ours} == {
            key: old[key] for key in old if key not in ours
        }
    serials = [board["usb_serial"] for board in new_boards]
    for board in it.found:
        (entry,) = (new for new in new_boards if new["usb_serial"] == board.usb_serial)
        assert board.location in (None, entry.get("location"))
        assert board.identity in (None, entry.get("identity"))
    assert len(set(serials)) == len(serials)
    second = merge(first.text, it.found)
    assert second.text == first.text
    assert {line.standing for line in second.lines} <= {Standing.UNCHANGED, Standing.ABSENT}


def test_difference_is_shown_as_diff_does() -> None:
    """What is about to change is shown; nothing when nothing is."""
    merged = merge('[[board]]\nusb_serial = "000960012345"', [DK])

    assert merged.diff("rig.toml") == (
        "--- rig.toml\n+++ rig.toml\n@@ -1,2 +1,4 @@\n [[board]]\n"
        '-usb_serial = "000960012345"\n+usb_serial = "000960012345"\n'
        '+profile = "nrf9160dk"\n+location = "1-1.2"\n'
    )
    assert merge(merged.text, [DK]).diff("rig.toml") == ""
