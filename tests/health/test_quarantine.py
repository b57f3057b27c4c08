"""Boards that sessions leave alone: whose they are, how they end, and files that are none of ours."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RigFault
from harness.health import quarantine as module
from harness.health.quarantine import LOCK_NAME, Quarantines, names_of
from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board
from harness.inventory.locks import open_lock_file, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
A = Board(id="a", kind="k", driver="d", properties={USB_SERIAL: "77", USB_LOCATION: "1-1"})
B = Board(id="b", kind="k", driver="d", properties={USB_SERIAL: "78"})


def put(quarantines: Quarantines, board: Board = A, **changes: Any) -> Any:
    """Quarantine a board for an hour."""
    how = {"reason": "it is silent", "now": NOW, "lasts": HOUR, "by": "session run-1 of alice", **changes}
    return quarantines.put(board, **how)


def test_a_board_is_left_alone_until_its_time_is_over(tmp_path: Path) -> None:
    """Until then everybody reads who did it and why; then it is free without anybody's doing."""
    kept = put(Quarantines(tmp_path))

    found = Quarantines(tmp_path).of(A, NOW + HOUR - timedelta(seconds=1))
    assert found == kept
    assert str(kept).startswith("it is silent; until 20")
    assert Quarantines(tmp_path).of(B, NOW) is None
    assert Quarantines(tmp_path).of(A, NOW + HOUR) is None


def test_one_without_an_end_stays(tmp_path: Path) -> None:
    """It ends when somebody lifts it."""
    kept = put(Quarantines(tmp_path), lasts=None)

    assert Quarantines(tmp_path).of(A, NOW + timedelta(days=36500)) == kept
    assert kept.end == "until it is lifted"


def test_what_is_over_is_taken_away_by_who_lists(tmp_path: Path) -> None:
    """Files do not pile up; those that count are left, in the order of names."""
    quarantines = Quarantines(tmp_path)
    put(quarantines, B, lasts=2 * HOUR)
    put(quarantines, A)
    assert [one.board for one in quarantines.all(NOW)] == ["a", "b"]

    assert [one.board for one in quarantines.all(NOW + HOUR)] == ["b"]

    assert len(list(tmp_path.glob("*.quarantine"))) == 1


def test_a_new_one_replaces_the_old_one(tmp_path: Path) -> None:
    """The last word counts."""
    quarantines = Quarantines(tmp_path)
    put(quarantines)
    put(quarantines, reason="it smells", lasts=None)

    (only,) = quarantines.all(NOW)
    assert only.reason == "it smells"


@pytest.mark.parametrize("name", ["a", "77", "353916060000003"])
def test_it_is_lifted_by_any_name(tmp_path: Path, name: str) -> None:
    """What the session called it, its serial number and who it says it is are one board."""
    board = Board(
        id="a",
        kind="k",
        driver="d",
        properties={USB_SERIAL: "77"},
        identity="353916060000003",
        confirmed=True,
    )
    quarantines = Quarantines(tmp_path)
    put(quarantines, board)

    assert quarantines.lift("other", NOW) == []
    assert [one.board for one in quarantines.lift(name, NOW)] == ["a"]

    assert quarantines.of(board, NOW) is None
    assert list(tmp_path.glob("*.quarantine")) == []


def test_lifting_one_that_is_over_lifts_nothing(tmp_path: Path) -> None:
    """Nobody is told that he did what time has done."""
    quarantines = Quarantines(tmp_path)
    put(quarantines)

    assert quarantines.lift("a", NOW + HOUR) == []


def test_names_tell_the_board_and_not_its_place() -> None:
    """A serial number that two boards have is no name, nor is where a board is when it said who it is."""
    twin = Board(
        id="t",
        kind="k",
        driver="d",
        properties={USB_SERIAL: "77", USB_LOCATION: "1-1"},
        ambiguous=True,
        identity="35",
    )
    said = Board.from_json({**twin.to_json(), "confirmed": True})
    lone = Board.from_json({**said.to_json(), "ambiguous": False})

    assert names_of(twin) == ("77@1-1",)  # nothing else is known of it
    assert names_of(said) == ("35",)
    assert names_of(lone) == ("35", "77")
    assert names_of(Board(id="v", kind="k", driver="d", bench="/b", confirmed=True)) == ("v",)


def test_a_board_that_got_a_twin_is_still_known(tmp_path: Path) -> None:
    """What it said of itself counts, wherever it is now."""
    lone = Board(id="a", kind="k", driver="d", properties={USB_SERIAL: "77"}, identity="35", confirmed=True)
    put(Quarantines(tmp_path), lone)
    moved = Board.from_json(
        {**lone.to_json(), "ambiguous": True, "properties": {USB_SERIAL: "77", USB_LOCATION: "1-4"}}
    )

    assert Quarantines(tmp_path).of(moved, NOW) is not None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Expecting value"),
        (b"[]", "it is no table"),
        (b"{", "Expecting"),
        (b"[" * 4000, "nested"),
        (b'{"board": "a"}', "'names' is missing"),
        (b'{"names": ["a"], "board": 3}', "'board' is missing"),
        (b'{"names": ["a"], "board": "a", "reason": "r", "since": 3}', "'since' is no time"),
        (b'{"names": ["a"], "board": "a", "reason": "r", "since": "2026-11-21"}', "no time zone"),
    ],
)
def test_a_file_that_says_nothing_keeps_nobody_away(tmp_path: Path, content: bytes, problem: str) -> None:
    """It is told of, and what is whole beside it counts."""
    quarantines = Quarantines(tmp_path)
    put(quarantines, B)
    put(quarantines, A)
    next(tmp_path.glob("77-*")).write_bytes(content)

    assert quarantines.of(A, NOW) is None
    assert problem in quarantines.unreadable[0]
    assert [one.board for one in quarantines.all(NOW)] == ["b"]
    assert len(quarantines.unreadable) == 1


def test_what_is_no_file_is_not_followed(tmp_path: Path) -> None:
    """In a directory that everybody may write to a link or a pipe may have our name."""
    quarantines = Quarantines(tmp_path)
    put(quarantines)
    file = next(tmp_path.glob("77-*"))
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert quarantines.of(A, NOW) is None
    file.unlink()
    os.mkfifo(file)

    assert quarantines.of(A, NOW) is None
    assert "no ordinary file" in quarantines.unreadable[0]


def test_what_another_user_wrote_can_be_replaced_and_lifted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sticky directory his file can neither be replaced nor removed: it is written into."""
    quarantines = Quarantines(tmp_path)
    put(quarantines)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    put(quarantines, reason="it smells")
    assert [one.reason for one in quarantines.all(NOW)] == ["it smells"]
    monkeypatch.setattr("pathlib.Path.unlink", refuse)

    assert [one.reason for one in quarantines.lift("a", NOW)] == ["it smells"]

    assert quarantines.of(A, NOW) is None
    assert quarantines.all(NOW) == []
    assert quarantines.unreadable == []


def test_a_lock_that_is_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot change anything is told who is in the way; reading needs no lock."""
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.05)
    quarantines = Quarantines(tmp_path)
    kept = open_lock_file(tmp_path / LOCK_NAME)
    assert try_lock(kept)

    with pytest.raises(RigFault, match=f"has kept {tmp_path / LOCK_NAME} locked"):
        put(quarantines)

    assert quarantines.of(A, NOW) is None
    os.close(kept)


@pytest.mark.parametrize("what", ["put", "lift", "all"])
def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path, what: str) -> None:
    """One message with the path."""
    (tmp_path / "file").touch()
    quarantines = Quarantines(tmp_path / "file")
    actions: dict[str, Callable[[], object]] = {
        "put": lambda: put(quarantines),
        "lift": lambda: quarantines.lift("a", NOW),
        "all": lambda: quarantines.all(NOW),
    }

    with pytest.raises(RigFault, match=r"quarantines cannot be (changed|read): .*/file"):
        actions[what]()


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-written is left."""
    quarantines = Quarantines(tmp_path)
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(RigFault, match=r"a quarantine cannot be written: .*No space left"):
        put(quarantines)

    assert [file.name for file in tmp_path.iterdir()] == [LOCK_NAME]


def test_two_sessions_quarantine_at_once(tmp_path: Path) -> None:
    """Whoever reads meanwhile reads one or the other, whole."""
    seen: set[str] = set()

    def write(reason: str) -> None:
        for _ in range(20):
            put(Quarantines(tmp_path), reason=reason * 100)

    writers = [threading.Thread(target=write, args=(reason,)) for reason in "xy"]
    reader = Quarantines(tmp_path)
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = reader.of(A, NOW)
        assert reader.unreadable == []
        if found is not None:
            seen.add(found.reason)
    assert seen <= {"x" * 100, "y" * 100}
    assert not list(tmp_path.glob(".*.quarantine.*"))


def test_long_words_are_shortened_and_shown_as_they_are(tmp_path: Path) -> None:
    """A record has one size, and no text in it can disturb a terminal or another line."""
    put(Quarantines(tmp_path), reason="\x1b[31mred\nline " + "ä" * 5000, by="x" * 300)

    (kept,) = Quarantines(tmp_path).all(NOW)
    assert kept.reason.startswith("?[31mred line ä")
    assert kept.reason.endswith("...")
    assert len(kept.by) == 200
    assert next(tmp_path.glob("*.quarantine")).stat().st_size == 4096
    assert next(tmp_path.glob("*.quarantine")).stat().st_mode & 0o777 == 0o666


def test_a_record_that_has_no_room_loses_its_reason_first(tmp_path: Path) -> None:
    """Four bytes a character are too many for all of it; it can be read all the same."""
    put(
        Quarantines(tmp_path),
        reason="\N{HEAVY BLACK HEART}" * 900 + "\U0001f600" * 900,
        by="\U0001f600" * 200,
    )

    (kept,) = Quarantines(tmp_path).all(NOW)
    assert kept.board == "a"
    assert kept.reason.startswith("\N{HEAVY BLACK HEART}")
