"""How the agent says no: the library's status codes (guardian fact sheet, sections 1.1 and 10.6)."""

from __future__ import annotations

from enum import IntEnum


class AgentCode(IntEnum):
    """How a command of the agent ends; over SSH its exit code."""

    OK = 0
    FAIL = 1
    BADPARAM = 2
    FILENOTFOUND = 3
    OUTOFMEMORY = 4


class AgentRefusal(Exception):
    """A command is answered with an error.

    :ivar code: which of the library's.
    :ivar text: what is wrong, on one line; never a secret.
    """

    def __init__(self, code: AgentCode, text: str) -> None:
        """Keep them."""
        self.code = code
        self.text = text
        super().__init__(f"{code.name}: {text}")


def failed(text: str) -> AgentRefusal:
    """Return the refusal of what cannot be done now."""
    return AgentRefusal(AgentCode.FAIL, text)


def bad_parameter(text: str) -> AgentRefusal:
    """Return the refusal of a word that does not fit."""
    return AgentRefusal(AgentCode.BADPARAM, text)


def not_found(text: str) -> AgentRefusal:
    """Return the refusal of what needs a file that is not there."""
    return AgentRefusal(AgentCode.FILENOTFOUND, text)


def out_of_memory(text: str) -> AgentRefusal:
    """Return the refusal of what does not fit."""
    return AgentRefusal(AgentCode.OUTOFMEMORY, text)
