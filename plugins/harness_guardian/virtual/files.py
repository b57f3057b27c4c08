"""The agent's files, kept in secure storage: they come in pieces and go in pieces."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness_guardian.virtual.errors import bad_parameter, not_found, out_of_memory
from harness_guardian.virtual.settings import LARGEST_FILE

if TYPE_CHECKING:
    from harness_guardian.virtual.storage import SecureStorage

PACKAGE, REQUEST, PROFILE = "package", "request", "profile"
FORWARDED, COLLECTED = "forwarded", "collected"
#: Every file that there may be.
NAMES = (PACKAGE, REQUEST, PROFILE, FORWARDED, COLLECTED)


class AgentFiles:
    """Reads and writes files by name."""

    def __init__(self, storage: SecureStorage) -> None:
        """Keep them in a storage, under names of their own."""
        self._storage = storage

    def listed(self) -> list[tuple[str, int, str]]:
        """Return name, size and SHA-256 of each file that is there."""
        found = [(name, self._storage.read(record(name))) for name in NAMES]
        return [
            (name, len(content), hashlib.sha256(content).hexdigest())
            for name, content in found
            if content is not None
        ]

    def find(self, name: str) -> bytes | None:
        """Return a file, ``None`` when it is not there.

        :raises AgentRefusal: there is no file of such a name.
        """
        if name not in NAMES:
            raise bad_parameter(f"file is {printable(name)!r}; expected one of {', '.join(NAMES)}")
        return self._storage.read(record(name))

    def get(self, name: str) -> bytes:
        """Return a file.

        :raises AgentRefusal: it is not there.
        """
        content = self.find(name)
        if content is None:
            raise not_found(f"there is no file {name}")
        return content

    def put(self, name: str, offset: int, piece: bytes) -> None:
        """Write a piece; what was there from the offset on is gone. A piece may come again.

        :raises AgentRefusal: it leaves a hole, or the file would be too large.
        """
        before = self.find(name) or b""
        if offset > len(before):
            raise bad_parameter(f"offset is {offset}; expected at most {len(before)}, the size by now")
        self.write(name, before[:offset] + piece)

    def write(self, name: str, content: bytes) -> None:
        """Write a whole file.

        :raises AgentRefusal: it is too large.
        """
        self.find(name)
        check_size(content)
        self._storage.commit({record(name): content})

    def drop(self, name: str) -> None:
        """Delete a file.

        :raises AgentRefusal: it is not there.
        """
        self.get(name)
        self._storage.commit({record(name): None})


def record(name: str) -> str:
    """Return the name of the record that a file is kept in."""
    return f"file {name}"


def check_size(content: bytes) -> None:
    """Refuse what is too large for a file.

    :raises AgentRefusal: it is.
    """
    if len(content) > LARGEST_FILE:
        raise out_of_memory(f"a file has at most {LARGEST_FILE} bytes")


def printable(text: str, most: int = 60) -> str:
    """Return a text as an answer may show it: short, on one line, without control characters."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= most else shown[:most] + "..."
