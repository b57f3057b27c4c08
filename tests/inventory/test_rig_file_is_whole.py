"""A rig file is written whole or not at all, also when the disk is full."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# No file of this process may become longer than that: to whoever writes, a disk that is full.
ROOM = 1000
WRITE = """
import resource, signal, sys
from pathlib import Path
from harness.plugins import load_plugins
load_plugins()  # as every process of ours does: a break of the harness is among them
from harness.errors import UsageError
from harness.inventory.rig_writing import FoundBoard, merge, read_rig_text, write_rig

file = Path(sys.argv[1])
found = [FoundBoard(id=str(n), title="DK", profile="nrf9160dk", usb_serial=f"{n:012}") for n in range(99)]
merged = merge(read_rig_text(file), found)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    write_rig(file, merged)
except UsageError as error:
    print(error)
"""


def test_file_that_does_not_fit_on_the_disk_is_as_it_was(tmp_path: Path) -> None:
    """What was there is there, nothing lies beside it, and one line says why."""
    file = tmp_path / "rig.toml"
    before = '# mine\n[[board]]\nusb_serial = "000960012345"\n'
    file.write_text(before)

    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(file), str(ROOM)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert file.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["rig.toml"]
    assert done.stdout == f"{file}: cannot be written: File too large\n", done.stderr
