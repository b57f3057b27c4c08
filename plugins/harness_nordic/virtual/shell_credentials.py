"""The credential shells: ``cred`` and ``nrf_cloud_cred`` (nrfcloud fact sheet, section 6.3).

Messages that the fact sheet does not give are those of Zephyr's TLS credentials shell.
"""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from harness_nordic.virtual import keys, signing
from harness_nordic.virtual.errors import CmeRefusal
from harness_nordic.virtual.shell_commands import ShellCommand
from harness_nordic.virtual.tls_credentials import TYPES, Full, Missing, Occupied

if TYPE_CHECKING:
    from uuid import UUID

    from harness_nordic.virtual.shell_commands import Terminal
    from harness_nordic.virtual.tls_credentials import TlsCredentials

#: Bytes that ``cred buf`` holds together. [design]
BUFFER = 4096

_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_HIGHEST_TAG = 0x7FFF_FFFF
_FORMATS = {"BIN": (True, False), "BINT": (True, True), "STR": (False, False), "STRT": (False, True)}
_ENOENT, _EEXIST, _EINVAL = -2, -17, -22


class _Unfit(Exception):
    """A word of the command is not what it should be; the text says which."""


class CredentialShell:
    """Both families of commands, on one store."""

    def __init__(self, store: TlsCredentials, device: UUID, terminal: Terminal) -> None:
        """Hold an empty buffer.

        :param store: where credentials and keys are kept.
        :param device: the subject of a request that names none.
        :param terminal: where to print.
        """
        self._store = store
        self._device = device
        self._terminal = terminal
        self._buffer = ""

    def clear(self) -> None:
        """Lose power: what was buffered is gone."""
        self._buffer = ""

    def commands(self) -> list[ShellCommand]:
        """Return the roots of both families."""
        buffer_commands = (
            ShellCommand(name="clear", help="Clear the credential buffer", run=self._clear_buffer),
        )
        credential_commands = (
            ShellCommand(
                name="buf",
                help="Buffer in credential data so it can be added.",
                run=self._buffer_more,
                words=2,
                subcommands=buffer_commands,
            ),
            ShellCommand(name="add", help="Add a TLS credential.", run=self._add, words=5, more=1),
            ShellCommand(name="del", help="Delete a TLS credential.", run=self._delete, words=3),
            ShellCommand(name="list", help="List stored TLS credentials.", run=self._list, words=1, more=2),
        )
        key_commands = (
            ShellCommand(name="keygen", help="Generate device key", run=self._make_key, words=2),
            ShellCommand(name="delete", help="Delete device key", run=self._delete_key, words=2),
            ShellCommand(name="csr", help="Generate CSR", run=self._request, words=2, more=1),
            ShellCommand(name="pubkey", help="Export public key", run=self._public_key, words=2),
        )
        return [
            ShellCommand(name="cred", help="TLS Credentials Commands", subcommands=credential_commands),
            ShellCommand(
                name="nrf_cloud_cred", help="nRF Cloud credential commands", subcommands=key_commands
            ),
        ]

    # -- cred ---------------------------------------------------------------------------------------------

    def _clear_buffer(self, _words: list[str]) -> None:
        self._buffer = ""
        self._terminal.print("Credential buffer cleared.")

    def _buffer_more(self, words: list[str]) -> None:
        if len(self._buffer) + len(words[1]) >= BUFFER:
            self._terminal.error("Not enough room in credential buffer for provided data.")
            self._forget_buffer()
            return
        self._buffer += words[1]
        self._terminal.print(f"Stored {len(words[1])} bytes.")

    def _forget_buffer(self) -> None:
        if self._buffer:
            self._clear_buffer([])

    def _add(self, words: list[str]) -> None:
        with suppress(_Unfit):
            tag, kind = self._tag(words[1]), self._type(words[2])
            self._backend(words[3])
            if words[4].upper() not in _FORMATS:
                self._refuse(f"{words[4]} is not a valid storage format.")
            if len(words) > 5:  # noqa: PLR2004 - the credential itself may stand at the end
                self._buffer = words[5]
            self._keep(tag, kind, *_FORMATS[words[4].upper()])
        self._forget_buffer()

    def _keep(self, tag: int, kind: int, encoded: bool, terminated: bool) -> None:  # noqa: FBT001 - a format's two facts
        if not self._buffer:
            self._refuse("Please provide a credential to add.")
        content = self._buffer.encode("utf-8", "surrogateescape")
        where = f"TLS credential with sectag {tag} and type {TYPES[kind][0]}"
        if encoded:
            try:
                content = base64.b64decode(content, validate=True)
            except binascii.Error:
                self._refuse(f"Could not decode input from base64, error: {_EINVAL}")
        content += b"\0" if terminated else b""
        try:
            self._store.add(tag, kind, content)
        except Occupied:
            self._refuse(f"{where} already exists.")
        except Full:
            self._refuse(f"Failed to add {where}. Error: -12")
        self._terminal.print(
            f"Added TLS credential of type {TYPES[kind][0]}, sectag {tag}, and length {len(content)} bytes."
        )

    def _delete(self, words: list[str]) -> None:
        with suppress(_Unfit):
            tag, kind = self._tag(words[1]), self._type(words[2])
            where = f"sectag {tag} and type {TYPES[kind][0]}"
            try:
                self._store.delete(tag, kind)
            except Missing:
                self._refuse(f"There is no TLS credential with {where}.")
            self._terminal.print(f"Deleted TLS credential with {where}.")

    def _list(self, words: list[str]) -> None:
        with suppress(_Unfit):
            tag = self._tag(words[1]) if _names_one(words, 1) else None
            kind = self._type(words[2]) if _names_one(words, 2) else None
            found = self._store.entries(tag, kind)
            for entry in found:
                self._terminal.print(f"{entry.tag},{TYPES[entry.type][-1]},{entry.digest},0")
            self._terminal.print(f"{len(found)} credentials found.")

    # -- nrf_cloud_cred -----------------------------------------------------------------------------------

    def _make_key(self, words: list[str]) -> None:
        with suppress(_Unfit):
            tag = self._tag(words[1])
            try:
                self._store.make_key(tag)
            except Occupied:
                self._refuse(f"Device key already exists for sec tag {tag}, error: {_EEXIST}")
            self._terminal.print(f"Generated device key for sec tag {tag}")

    def _delete_key(self, words: list[str]) -> None:
        with suppress(_Unfit):
            tag = self._tag(words[1])
            try:
                self._store.delete_key(tag)
            except Missing:
                self._refuse(f"Key deletion failed, error: {_ENOENT}")
            self._terminal.print(f"Deleted device key for sec tag {tag}")

    def _request(self, words: list[str]) -> None:
        with suppress(_Unfit):
            key_of = self._tag(words[1])
            attributes = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - the subject is the third word
            try:
                subject = keys.read_subject(attributes, self._device)
                request = keys.signing_request(self._store.key(key_of), subject, keys.DEFAULT_KEY_USAGE)
            except Missing:
                self._refuse(f"CSR generation failed, error: {_ENOENT}")
            except CmeRefusal:
                self._refuse(f"CSR generation failed, error: {_EINVAL}")
            self._terminal.print(f"CSR: {base64.b64encode(request).decode()}")
            self._terminal.print("CSR generation complete")

    def _public_key(self, words: list[str]) -> None:
        with suppress(_Unfit):
            try:
                point = signing.public_point(self._store.key(self._tag(words[1])))
            except Missing:
                self._refuse(f"Public key export failed, error: {_ENOENT}")
            self._terminal.print(f"PUBKEY: {base64.b64encode(point).decode()}")
            self._terminal.print("Public key export complete")

    # -- words --------------------------------------------------------------------------------------------

    def _tag(self, word: str) -> int:
        if not _NUMBER.fullmatch(word) or int(word) > _HIGHEST_TAG:
            self._refuse(f"{word} is not a valid sectag.")
        return int(word)

    def _type(self, word: str) -> int:
        kind = next((index for index, names in enumerate(TYPES) if word.upper() in names), None)
        if kind is None:
            self._refuse(f"{word} is not a valid credential type.")
        return kind

    def _backend(self, word: str) -> None:
        if word.upper() != "DEFAULT":
            self._refuse(f"{word} is not a valid backend.")

    def _refuse(self, text: str) -> NoReturn:
        self._terminal.error(text)
        raise _Unfit


def _names_one(words: list[str], index: int) -> bool:
    """Tell whether a filter was given that names one and not any."""
    return len(words) > index and words[index].upper() != "ANY"
