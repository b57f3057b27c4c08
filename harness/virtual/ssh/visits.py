"""What a board decides on each connection to its SSH server."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncssh

#: How a user is let in: without anything, by a key, or by a password.
NONE, KEY, PASSWORD = METHODS = ("none", "key", "password")


class Turned(enum.Enum):
    """A connection that is not served."""

    CUT = "cut as soon as it is there"
    SILENT = "held, and hears nothing, not even a banner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A connection that is served.

    :ivar user: the one who may come in.
    :ivar method: how: one of :data:`METHODS`.
    :ivar key: by which public key, as OpenSSH writes it.
    :ivar password: or by which password.
    :ivar serve: serves one request; what it raises is told to the bench's log and cuts the connection.
    :ivar logged_in: told who logged in; false: the connection is cut.
    """

    user: str
    method: str
    serve: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]]
    key: str = ""
    password: str = field(default="", repr=False)
    logged_in: Callable[[str], bool] = lambda _user: True
