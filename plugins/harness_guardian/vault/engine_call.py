"""A call on its way into an engine, and which of an engine's functions it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from harness_guardian.vault.answers import NOT_ALLOWED, VaultProblem, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.responses import Response

    from harness_guardian.vault.call_log import LoggedCall
    from harness_guardian.vault.faults import VaultFaultKind


class Operation(Enum):
    """What a call does; verbs of HTTP are more than there are operations (guardian fact sheet, 11.1)."""

    READ = "read"
    WRITE = "write"
    LIST = "list"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What is answered in the envelope.

    :ivar data: ``None``: nothing, without a body.
    """

    data: dict[str, Any] | None
    warnings: tuple[str, ...] = ()


NOTHING = Data(data=None)


@dataclass(slots=True, kw_only=True)
class EngineCall:
    """A call.

    :ivar path: below the mount, without slashes at its ends.
    :ivar parameters: the body of a write.
    :ivar logged: its entry in the log, which the engine completes.
    :ivar forgery: how the answer is to be wrong, if it is to be.
    :ivar groups: what the parts of the path say that are not fixed.
    """

    operation: Operation
    path: str
    parameters: Mapping[str, Any]
    logged: LoggedCall
    forgery: VaultFaultKind | None = None
    groups: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class EnginePath:
    """One function of an engine."""

    operation: Operation
    pattern: re.Pattern[str]
    function: Callable[[EngineCall], Data | Response]


def engine_path(
    operation: Operation, pattern: str, function: Callable[[EngineCall], Data | Response]
) -> EnginePath:
    """Return a function of an engine; each ``:NAME`` of the pattern is one part of the path."""
    parts = [r"([^/]+)" if part.startswith(":") else re.escape(part) for part in pattern.split("/")]
    return EnginePath(operation, re.compile("/".join(parts)), function)


def run(paths: Sequence[EnginePath], call: EngineCall) -> Data | Response:
    """Let the function answer that a call is for.

    :raises VaultProblem: there is none, or it refuses.
    """
    known = False
    for each in paths:
        match = each.pattern.fullmatch(call.path)
        if match is None:
            continue
        known = True
        if each.operation is call.operation:
            call.groups = match.groups()
            return each.function(call)
    if known:
        raise VaultProblem(NOT_ALLOWED, "unsupported operation")
    raise not_found("unsupported path")
