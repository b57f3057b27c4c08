"""``~/.mbl-dev.json``: which device a person works with.

The file is that of MBL CLI (pelion fact sheet, section 1.2) with three keys of ours: the port of its SSH, the
host key, and the file of our private key. The host key is kept when the device is used first, and no other is
accepted from then on, where MBL CLI accepts any.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness_pelion.store_files import Rights, replace_file
from harness_pelion.stores_file import read_object

if TYPE_CHECKING:
    from harness.ssh import SshAddress

#: Name of the file in the home directory.
SELECTION_FILE = ".mbl-dev.json"
USUAL_PORT = 22
CONNECT_SECONDS = 10.0

_LARGEST_PORT = 65535
_EXPECTED = "what 'harness pelion select' or 'mbl-cli select' writes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The device that was selected.

    :ivar hostname: what it calls itself; empty when only its address is known.
    :ivar address: where it is.
    :ivar username: whom we log in as.
    :ivar password: usually none: development images ask for none.
    :ivar port: TCP port of its SSH.
    :ivar host_key: the key by which it is known, ``KIND BASE64``; empty before its first use.
    :ivar key_file: file of our private key; empty for none.
    """

    hostname: str
    address: str
    username: str = "root"
    password: str = field(default="", repr=False)
    port: int = USUAL_PORT
    host_key: str = ""
    key_file: str = ""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.hostname or self.address

    def ssh_address(self) -> SshAddress:
        """Return where it is reached by SSH."""
        from harness.ssh import SshAddress

        return SshAddress(
            host=self.address,
            port=self.port,
            user=self.username,
            password=self.password,
            key_file=self.key_file,
            host_key=self.host_key,
        )


def selection_file(home: Path | None = None) -> Path:
    """Return the file; by default that of whoever runs this."""
    return (Path.home() if home is None else home) / SELECTION_FILE


def load_selection(home: Path | None = None) -> Selection:
    """Return the device that was selected.

    :raises UsageError: none was, or the file does not say which.
    """
    file = selection_file(home)
    try:
        found = read_object(file, _EXPECTED)
    except FileNotFoundError as error:
        raise UsageError("no device is selected", expected="'harness pelion select' first") from error
    texts = {
        key: _text(file, found, key)
        for key in ("hostname", "address", "username", "password", "host_key", "key_file")
    }
    if not texts["address"]:
        raise UsageError("names no device", file=file, key="address", expected=_EXPECTED)
    port = found.get("port", USUAL_PORT)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port <= _LARGEST_PORT:
        raise UsageError("no port", file=file, key="port", value=port, expected=f"1 to {_LARGEST_PORT}")
    texts["username"] = texts["username"] or "root"
    return Selection(port=port, **texts)


def save_selection(selection: Selection, home: Path | None = None) -> None:
    """Keep which device was selected, for its owner alone: there may be a password.

    :raises UsageError: the file cannot be written.
    """
    content: dict[str, Any] = {
        "hostname": selection.hostname,
        "address": selection.address,
        "username": selection.username,
        "password": selection.password,
        "port": selection.port,
        "host_key": selection.host_key,
        "key_file": selection.key_file,
    }
    replace_file(selection_file(home), (json.dumps(content, indent=4) + "\n").encode(), Rights.private())


def pinned(selection: Selection, home: Path | None = None, *, timeout: float = CONNECT_SECONDS) -> Selection:
    """Return a selection with the host key of its device; on its first use that is fetched and kept.

    :param timeout: seconds for the device to answer.
    :raises BoardLost: the device is not there.
    """
    if selection.host_key:
        return selection
    from harness.ssh.host_keys import fetch_host_key

    known = replace(selection, host_key=fetch_host_key(selection.address, selection.port, timeout))
    save_selection(known, home)
    return known


def _text(file: Path, found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError("is no text", file=file, key=key, expected=_EXPECTED)
    return value
