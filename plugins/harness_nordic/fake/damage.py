"""What a fault does to an answer (nrfcloud fact sheet, section 9), and how an answer fails to come at all."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from harness_nordic.enums import FaultKind
from harness_nordic.fake.answers import problem
from harness_nordic.fake.refusals import Refusal
from harness_nordic.fake.wire import FinishedCommand, encode_commands, join_commands

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from harness_nordic.enums import FaultPlace
    from harness_nordic.fake.batches import Batch, DeviceLimits
    from harness_nordic.fake.faults import Fault, Faults

Answer = TypeVar("Answer")

HANG_UP = "harness.hang_up"
"""The extension of the runner's ASGI scope that closes the connection."""

GARBAGE = bytes.fromhex("ff00c1fffe1c3f5ee7") * 7
"""No CBOR, no JSON and no UTF-8 from the first byte on."""

_LARGE = 1024 * 1024
_MANY = 1000
_WITHOUT_BODY = frozenset({204, 205, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whose request it is that a fault may strike."""

    place: FaultPlace
    device: str | None
    owner: str | None


class HangUp(Response):
    """No answer: the connection is closed."""

    def __init__(self) -> None:
        """Have the status 0, which no answer has."""
        super().__init__()
        self.status_code = 0

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Close the connection and wait until it is."""
        scope["extensions"][HANG_UP]()
        while (await receive())["type"] != "http.disconnect":
            pass


async def struck(
    faults: Faults,
    target: Target,
    work: Callable[[Fault | None], Awaitable[Answer]],
    ordered: Callable[[Fault], Answer],
) -> tuple[Answer, str | None]:
    """Let a request meet the fault that waits for it.

    :param work: does what was asked. Faults about the contents are left to it: it gets them, and says by
        :meth:`Faults.strike` when they struck.
    :param ordered: makes the answer that a fault asks for, or none.
    :return: the answer, and the kind of fault that struck.
    """
    fault = faults.waiting(target.place, device=target.device, owner=target.owner)
    if fault is None:
        return await work(None), None
    before = fault.struck
    if fault.kind in {FaultKind.STATUS, FaultKind.DELAY, FaultKind.LOST_ANSWER}:
        faults.strike(fault, device=target.device, owner=target.owner)
    if fault.kind is FaultKind.STATUS:
        response = ordered(fault)
    elif fault.kind is FaultKind.DELAY:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(fault.removed.wait(), fault.seconds)
        response = await work(None)
    elif fault.kind is FaultKind.LOST_ANSWER:
        with contextlib.suppress(Refusal):  # the refusal is the answer that is lost
            await work(None)
        response = ordered(fault)
    else:
        response = await work(fault)
    return response, fault.kind.value if fault.struck > before else None


def answer_of(fault: Fault) -> Response:
    """Return the answer that was ordered, or none."""
    if fault.status is None:
        return HangUp()
    if fault.status in _WITHOUT_BODY:
        return Response(status_code=fault.status)
    return problem(fault.status, "a fault was ordered")


def damaged(body: bytes, kind: FaultKind) -> bytes:
    """Damage a body: cut it in half, or put garbage in its place."""
    return body[: len(body) // 2] if kind is FaultKind.TRUNCATED else GARBAGE


def damaged_batch(batch: Batch, limits: DeviceLimits, kind: FaultKind) -> bytes:
    """Damage commands that were handed out.

    :param limits: what the device said it takes.
    """
    if kind is FaultKind.INDEFINITE:
        return b"\x9f" + _without_head(batch) + b"\xff"
    if kind is FaultKind.TOO_MANY:
        more = min(limits.commands, _MANY) + 1 - len(batch.ids)
        filler = encode_commands([FinishedCommand(id=batch.ids[-1])])[1:]
        return join_commands(len(batch.ids) + more, [_without_head(batch), *[filler] * more])
    if kind is FaultKind.OVERSIZE:
        # Bytes behind the outer array are ignored (section 3.4): only the size is wrong.
        return batch.body.ljust(min(limits.receive_bytes or _LARGE, _LARGE) + 1, b"\0")
    return damaged(batch.body, kind)


def _without_head(batch: Batch) -> bytes:
    return batch.body[len(join_commands(len(batch.ids), [])) :]
