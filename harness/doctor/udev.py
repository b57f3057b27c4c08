"""Rules of udev: what they say of the boards that are known, and those that we would add.

``ID_MM_DEVICE_IGNORE`` on the USB device keeps ModemManager from its ports; ``uaccess`` gives them to
whoever sits at the host, ``GROUP`` to those who come over the network. A rule with ``uaccess`` has to be in
a file that sorts before ``73-seat-late.rules``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

RULES_FILE = "/etc/udev/rules.d/70-harness-boards.rules"
# The group that may open serial ports on Debian, Ubuntu and Fedora.
SERIAL_GROUP = "dialout"
RULE_DIRECTORIES = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")

_VENDOR = re.compile(r'ATTRS?\{idVendor\}=="([0-9a-fA-F]{4})"')
_PRODUCT = re.compile(r"ATTRS?\{idProduct\}==")
_IGNORE = re.compile(r'ENV\{ID_MM_DEVICE_IGNORE\}="1"')


def rules_for(vendors: Iterable[int]) -> list[str]:
    """Return the rules for boards of these USB vendors.

    Only vendors are named: a vendor's next kind of board needs no other rule.

    :param vendors: USB vendor ids.
    """
    lines = []
    for vendor in sorted(set(vendors)):
        open_to = f'GROUP="{SERIAL_GROUP}", MODE="0660", TAG+="uaccess"'
        lines += [
            f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor:04x}", ENV{{ID_MM_DEVICE_IGNORE}}="1"',
            f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{vendor:04x}", {open_to}',
        ]
    return lines


#: Lines to paste that install the rules, which the first of them prints, and have them obeyed.
INSTALLING_COMMANDS = (
    f"harness doctor --udev-rules | sudo tee {RULES_FILE}",
    "sudo udevadm control --reload && sudo udevadm trigger",
)


def ignored_vendors(text: str) -> set[int]:
    """Return the USB vendors whose devices ModemManager is told to ignore, whatever their product.

    :param text: what files of rules say.
    """
    found = set()
    for line in text.replace("\\\n", " ").splitlines():
        vendor = _VENDOR.search(line)
        plain = not line.lstrip().startswith("#") and not _PRODUCT.search(line)
        if vendor and plain and _IGNORE.search(line):
            found.add(int(vendor[1], 16))
    return found


def read_rules(directories: Iterable[Path]) -> str:
    """Return what all files of rules say, one after the other; those that cannot be read are left out."""
    texts = []
    for directory in directories:
        for file in sorted(directory.glob("*.rules")):
            try:
                texts.append(file.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue
    return "\n".join(texts)
