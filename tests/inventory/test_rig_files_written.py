"""Rig files are written whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.errors import RigFault, UsageError
from harness.inventory.rig_writing import check_text, merge, read_rig_text, write_rig
from harness.rig import load_rig
from tests.inventory.rig_texts import ANSWERING, DK

if TYPE_CHECKING:
    from pathlib import Path


def test_file_is_written_whole_and_loads(tmp_path: Path) -> None:
    """A new file is as any new file of its user; one that was there keeps its mode, and a link stays one."""
    real = tmp_path / "real.toml"
    real.write_bytes(b'[[board]]\r\nusb_serial = "000960012345"  # mine\r\n')
    real.chmod(0o640)
    link = tmp_path / "rig.toml"
    link.symlink_to(real)

    write_rig(link, merge(read_rig_text(link), [ANSWERING]))

    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_bytes() == (
        b'[[board]]\r\nusb_serial = "000960012345"  # mine\r\nprofile = "nrf9160dk"\r\n'
        b'identity = "351358811330139"\r\nlocation = "1-1.2"\r\n'
    )
    assert load_rig(link).boards[0].identity == "351358811330139"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.toml", "rig.toml"]
    new = tmp_path / "new.toml"
    write_rig(new, merge("", [DK]))
    fresh = tmp_path / "fresh"
    fresh.touch()
    assert new.stat().st_mode == fresh.stat().st_mode


def test_file_that_would_not_load_is_not_written(tmp_path: Path) -> None:
    """What cannot be read again is refused with what is wrong with it, and the file is as it was."""
    file = tmp_path / "rig.toml"
    text = '[[board]]\nusb_serial = "77"\n'  # nobody knows which of the twins it is
    file.write_text(text)
    file.chmod(0o600)
    merged = merge(text, [DK])
    bad = replace(merged, text=merged.text.replace('"1-1.2"', '"upstairs"'))

    with pytest.raises(UsageError) as refused:
        check_text(bad.text, file, lambda _: None)

    assert str(refused.value).startswith(
        f"{file}: nothing was written: the new text: board[1].location: does not fit (got 'upstairs')"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["rig.toml"]
    assert file.read_text() == text


def test_file_that_somebody_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """What an editor saved between our reading and our writing is not overwritten."""
    file = tmp_path / "rig.toml"
    merged = merge(read_rig_text(file), [DK])
    file.write_text("# I was here\n")

    with pytest.raises(RigFault, match="somebody changed it meanwhile; nothing was written"):
        write_rig(file, merged)

    assert file.read_text() == "# I was here\n"
    assert [path.name for path in tmp_path.iterdir()] == ["rig.toml"]


def test_file_that_cannot_be_read_or_written_is_refused(tmp_path: Path) -> None:
    """One line says which file, and why."""
    with pytest.raises(UsageError, match=r"d/rig\.toml: cannot be written: No such file or directory"):
        write_rig(tmp_path / "d" / "rig.toml", merge("", [DK]))
    with pytest.raises(UsageError, match=r"cannot read: Is a directory"):
        read_rig_text(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe4"\n')
    with pytest.raises(UsageError, match=r"latin\.toml: is not TOML"):
        read_rig_text(tmp_path / "latin.toml")
