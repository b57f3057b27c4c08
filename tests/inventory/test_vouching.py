"""Who holds a board open says who it is, for exactly what is plugged in at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.inventory.vouching import Vouchers
from tests.inventory.lamps import lamp

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.board import Board


def board_on(*ports: Path, identity: str | None = "L7") -> Board:
    """A board of which only the ports and the identity matter."""
    return lamp(ports={str(port): number for number, port in enumerate(ports)}, identity=identity)


def test_vouched_for_as_long_as_it_stays_plugged_in(tmp_path: Path) -> None:
    """Another board under the same names is another one; so is what was unplugged."""
    one, two = tmp_path / "ttyACM0", tmp_path / "ttyACM1"
    one.touch()
    two.touch()
    board = board_on(one)
    writer, reader = Vouchers(tmp_path), Vouchers(tmp_path)
    assert reader.identity_of(board) is None

    writer.write(board, lambda: True)

    assert reader.identity_of(replace(board, id="7@1-1", identity=None)) == "L7"
    assert reader.identity_of(board_on(one, two)) == "L7", "its second port came later"
    assert reader.identity_of(board_on(two)) is None
    two.unlink()
    assert reader.identity_of(board_on(one, two)) is None, "one of its ports went away"
    kept = tmp_path / "kept"  # so that the next node gets an inode of its own
    one.rename(kept)
    one.touch()
    assert reader.identity_of(board) is None
    writer.write(replace(board, identity="L8"), lambda: True)
    assert reader.identity_of(board) == "L8", "the last word counts"


def test_nobody_vouches_for_what_is_not_held(tmp_path: Path) -> None:
    """Not for a board that went away meanwhile, nor for one that never said who it is, nor without ports."""
    port = tmp_path / "ttyACM0"
    port.touch()
    vouchers = Vouchers(tmp_path)

    vouchers.write(board_on(port), lambda: False)
    vouchers.write(board_on(port, identity=None), lambda: True)
    vouchers.write(board_on(), lambda: True)
    vouchers.write(board_on(tmp_path / "nowhere"), lambda: True)

    assert vouchers.identity_of(board_on(port)) is None
    assert list((tmp_path / "vouchers").iterdir()) == []
