"""What the driver ``guardian-component`` tells of a board and of its agent.

Source: guardian fact sheet, sections 1.1 and 10.6; the words of the agent are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from harness.errors import BoardFault, CommandRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What the agent says in place of a value that it does not have.
ABSENT = "-"


class AgentCode(IntEnum):
    """How a command of the agent ends (guardian fact sheet, section 1.1: the library's status codes)."""

    OK = 0
    FAIL = 1
    BADPARAM = 2
    FILENOTFOUND = 3
    OUTOFMEMORY = 4


def code_name(code: int) -> str:
    """Return the name of an agent's number; the number itself when it is none that is known."""
    return AgentCode(code).name if code in {*AgentCode} else str(code)


class AgentRefused(CommandRefused):
    """The agent answered a command with an error.

    :ivar code: its number.
    :ivar name: its name, for example ``BADPARAM``.
    :ivar text: what the agent says of it.
    """

    def __init__(self, command: str, code: int, name: str, text: str) -> None:
        """Keep the parts for the suite."""
        super().__init__(command, f"ERROR {code} {name}: {text}", code)
        self.name = name
        self.text = text


class BoardRestarted(BoardFault):
    """The board booted while it was to do something else."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent answered to a command that went well.

    :ivar lines: its data lines.
    :ivar output: what an exec request wrote, as it came; empty on a console.
    """

    lines: tuple[str, ...] = ()
    output: bytes = b""

    def fields(self) -> dict[str, str]:
        """Return what the lines say by their keys; a line without a key is no field."""
        pairs = (line.partition(":") for line in self.lines)
        return {key.strip(): value.strip() for key, colon, value in pairs if colon}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How provisioning ended.

    :ivar code: number of the agent; 0 is well.
    :ivar name: its name, ``OK`` or for example ``FAIL``.
    :ivar text: what the agent says of it: the code of Guardian's error, or what it found wrong itself.
    """

    code: int
    name: str
    text: str

    @property
    def ok(self) -> bool:
        """Whether the board is provisioned now."""
        return self.code == AgentCode.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentIdentity:
    """Who a board says it is; what it was not told is ``None``.

    :ivar serial: the hardware's own number, which no other has and which outlives everything.
    :ivar hw_id: what it was told to call itself at Guardian.
    """

    serial: str | None
    model: str | None
    firmware: str | None
    component: str | None
    hw_id: str | None
    instance: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatus:
    """How an agent is.

    :ivar state: ``blank``, ``ready``, ``requested`` or ``provisioned``.
    :ivar system: name of the system whose package it has.
    :ivar instance: system instance that it says it is in.
    :ivar request_id: of its last request.
    :ivar response_id: of the certified profile that it has installed.
    :ivar certificates: how many certificates it has installed.
    :ivar service: where it believes the service is.
    """

    state: str
    system: str | None = None
    instance: str | None = None
    component: str | None = None
    hw_id: str | None = None
    request_id: str | None = None
    response_id: str | None = None
    certificates: int = 0
    service: str | None = None


@dataclass(frozen=True, slots=True)
class MadeRequest:
    """A provisioning request that a board has made.

    :ivar request_id: its id.
    :ivar content: the file ``.mcpr``, byte for byte.
    """

    request_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InstalledCertificate:
    """A certificate that a board has installed.

    :ivar serial: its serial number, lower-case hex digits without leading zeros.
    :ivar sha256: lower-case SHA-256 of its DER form.
    """

    serial: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSnapshot:
    """What provisioning may change on a board; two equal ones mean that nothing was changed.

    The id of an open request is no part of it: making a request changes nothing that counts.

    :ivar provisioned: whether it has a certified profile installed.
    :ivar certificates: what it has installed, by slot and in the order of their names.
    """

    provisioned: bool
    system: str | None
    instance: str | None
    component: str | None
    hw_id: str | None
    response_id: str | None
    certificates: tuple[tuple[str, InstalledCertificate], ...]


def read_status(fields: Mapping[str, str]) -> AgentStatus:
    """Read the answer to ``status``.

    :raises ValueError: there is no state in it, or the number of certificates is none.
    """
    known = {key: value for key, value in fields.items() if value not in {"", ABSENT}}
    if "state" not in known:
        raise ValueError("no state in the answer")
    return AgentStatus(
        state=known["state"],
        system=known.get("system"),
        instance=known.get("instance"),
        component=known.get("component"),
        hw_id=known.get("hw_id"),
        request_id=known.get("request_id"),
        response_id=known.get("response_id"),
        certificates=int(known.get("certificates", "0")),
        service=known.get("service"),
    )


def read_identity(fields: Mapping[str, str]) -> ComponentIdentity:
    """Read the answer to ``identify``."""
    known = {key: value for key, value in fields.items() if value not in {"", ABSENT}}
    return ComponentIdentity(
        serial=known.get("serial"),
        model=known.get("model"),
        firmware=known.get("firmware"),
        component=known.get("component"),
        hw_id=known.get("hw_id"),
        instance=known.get("instance"),
    )
