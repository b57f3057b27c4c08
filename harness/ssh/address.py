"""Where a board is reached by SSH, by which key it is known, and what we have to be let in."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.credentials import PASSWORD, fitting_secret, read_secret_file
from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.inventory.leased_board import LeasedBoard

#: Role of the endpoint, and name of the table of a board that says where it is.
SSH = "ssh"
USUAL_PORT = 22
USUAL_USER = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshAddress:
    """Where a board is, who we are there, and how it proves who it is.

    It may let in anybody (the method ``none``: a development image whose user has no password): then it needs
    neither a key nor a password of ours.

    :ivar host: name or address.
    :ivar port: TCP port.
    :ivar user: whom we log in as.
    :ivar host_key: the one key by which the board is known: kind and base64, as ``known_hosts`` has them.
    :ivar key_file: file of our private key.
    :ivar key: our private key itself (OpenSSH's format), in the place of a file.
    :ivar password: our password there.
    """

    host: str
    host_key: str
    port: int = USUAL_PORT
    user: str = USUAL_USER
    key_file: str = ""
    key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Say where it is."""
        return f"{self.user}@{self.host}:{self.port}"


def address_of(board: LeasedBoard) -> SshAddress:
    """Return where a board is reached by SSH: a virtual one says so itself, of any other the rig file does.

    :raises UsageError: the rig file says nothing of it, or its password cannot be read.
    :raises BenchFault: the virtual board has no SSH.
    """
    if board.description.virtual:
        return _told_by_bench(board.virtual.call(SSH))
    table = board.description.ssh
    if table is None:
        raise UsageError(
            f"nobody says where board {board.id} is reached by SSH",
            key=f"board.{SSH}",
            expected="a table in rig.toml with host, user, key_file and host_key",
        )
    return _told_by_rig(table)


def _told_by_rig(table: Mapping[str, Any]) -> SshAddress:
    """Return what a rig file says; a password is read only now, and is in no description of a board."""
    facts = {key: value for key, value in table.items() if value is not None}
    file, variable = facts.pop("password_file", None), facts.pop("password_env", None)
    if variable is not None:
        facts["password"] = _password_of(variable)
    elif file is not None:
        facts["password"] = read_secret_file(
            Path(file), named_by=f"board.{SSH}.password_file", what="password", form=PASSWORD
        )
    return SshAddress(**facts)


def _password_of(variable: str) -> str:
    password = os.environ.get(variable, "")
    if not password:
        raise UsageError(
            "no password in the environment",
            key=variable,
            expected=f"the one that board.{SSH}.password_env means",
        )
    return fitting_secret(password, named_by=variable, what="password", form=PASSWORD)


def _told_by_bench(said: Mapping[str, Any]) -> SshAddress:
    try:
        return SshAddress(
            host=str(said["host"]),
            port=int(said["port"]),
            user=str(said["user"]),
            host_key=str(said["host_key"]),
            key=str(said.get("private_key_pem") or ""),
            password=str(said.get("password") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RigFault(f"the virtual board does not say where its SSH is: {error!r}") from error


def split_host_key(text: str) -> tuple[str, bytes]:
    """Return kind and bytes of a host key as ``known_hosts`` and ``ssh-keyscan`` write them.

    :param text: ``KIND BASE64``; a comment behind it is left out.
    :raises ValueError: it is none.
    """
    parts = text.split()
    if len(parts) < len(("kind", "base64")):
        raise ValueError("not a kind and a key in base64")
    try:
        data = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("its key is not in base64") from error
    kind = data[4 : 4 + int.from_bytes(data[:4], "big")]
    if kind != parts[0].encode():
        raise ValueError(f"its key is none of kind {parts[0]}")
    return parts[0], data
