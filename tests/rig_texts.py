"""Pieces of rig files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs/examples/rig/rig.toml"
ON_USB = '[[board]]\nusb_serial = "7"\n'
BY_SSH = (
    '[[board]]\nid = "g"\nprofile = "toy"\n[board.ssh]\nhost = "gate"\nkey_file = "k"\n'
    'host_key = "ssh-ed25519 AAAA"\n'
)
ON_A_PATH = '[[board]]\nid = "b1"\nprofile = "toy"\nendpoints.console = "/dev/x"\n'
