"""``~/.mbl-stores.json``: where a person's user store and team store are.

The file and its defaults are those of MBL CLI (pelion fact sheet, section 1.4), with one difference: a file
that cannot be read is named in a message and left as it is, where MBL CLI replaces it by the defaults.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness_pelion.store_files import Rights, write_new

#: Name of the file in the home directory.
STORES_FILE = ".mbl-stores.json"

_DEFAULT_PARENT = ".mbl-store"
_USER, _TEAM = "user", "team"
_LARGEST = 64 * 1024
_EXAMPLE = f'an object like {{"{_USER}": "/srv/mbl/me", "{_TEAM}": "/srv/mbl/team"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """Where the stores are.

    :ivar file: the file that says so.
    :ivar by_default: whether both are where nobody asked for another place.
    """

    user: Path
    team: Path
    file: Path
    by_default: bool


def locations(home: Path | None = None) -> Locations:
    """Return where the stores are; without a file, one with the defaults is written.

    :param home: the home directory. Default: that of whoever runs this.
    :raises UsageError: the file does not say it; it is never replaced.
    """
    home = Path.home() if home is None else home
    file = home / STORES_FILE
    parent = home / _DEFAULT_PARENT
    default = Locations(user=parent / _USER, team=parent / _TEAM, file=file, by_default=True)
    for _ in range(2):
        try:
            return _read(file, default)
        except FileNotFoundError:
            _write(default)  # leaves one alone that came meanwhile: it is read then
    raise UsageError("goes away again and again", file=file, expected=_EXAMPLE)


def read_object(file: Path, expected: str, largest: int = _LARGEST) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    :param expected: what the file should hold, for the message.
    :param largest: how many bytes it may have.
    :raises FileNotFoundError: there is none.
    :raises UsageError: it cannot be read, or holds something else.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(largest + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=file, expected=expected) from error
    if len(content) > largest:
        raise UsageError("is too large", file=file, expected=expected)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"is no JSON{where}; it is left as it is", file=file, expected=expected) from error
    if not isinstance(found, dict):
        raise UsageError("holds no object; it is left as it is", file=file, expected=expected)
    return found


def _read(file: Path, default: Locations) -> Locations:
    found = read_object(file, _EXAMPLE)
    user, team = (_path(file, key, found.get(key)) for key in (_USER, _TEAM))
    if user == team:
        raise UsageError(
            "is the user store too", file=file, key=_TEAM, value=str(team), expected="another one"
        )
    return Locations(user=user, team=team, file=file, by_default=(user, team) == (default.user, default.team))


def _path(file: Path, key: str, value: object) -> Path:
    expected = "an absolute path, or one that begins with ~/"
    if not isinstance(value, str) or not value or "\0" in value:
        raise UsageError("names no directory", file=file, key=key, value=value, expected=expected)
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise UsageError(
            "names an unknown home", file=file, key=key, value=value, expected=expected
        ) from error
    if not path.is_absolute():
        raise UsageError("depends on where you are", file=file, key=key, value=value, expected=expected)
    return path


def _write(default: Locations) -> None:
    content = json.dumps({_USER: str(default.user), _TEAM: str(default.team)}, indent=4) + "\n"
    write_new(default.file, content.encode(), Rights.private())
