"""What devices fetch and report, whichever door they come to (nrfcloud fact sheet, sections 3.1 to 3.7).

A door speaks a protocol, HTTP or CoAP; the desk behind them knows devices, commands and faults only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from harness_nordic.enums import FaultKind, FaultPlace
from harness_nordic.fake.batches import HEADER_RESERVE, Batch, DeviceLimits
from harness_nordic.fake.damage import GARBAGE, Target, damaged, damaged_batch, struck
from harness_nordic.fake.records import DeviceRequest
from harness_nordic.fake.refusals import BadRequest, Refusal
from harness_nordic.fake.wire import LONGEST_ID, decode_reports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from harness_nordic.fake.faults import Fault
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord
    from harness_nordic.fake.service import ProvisioningService

    Meet = Callable[[frozenset[FaultKind]], FaultKind | None]

Answer = TypeVar("Answer")

LIMIT_OF_OLD_CLIENTS = 5
"""Clients before NCS 3.1 do not say how many commands they take (section 3.2: fake choice)."""

_NUMBER = re.compile(r"[0-9]{1,9}")

_INSTEAD = frozenset({FaultKind.GARBAGE})
_AGAIN = frozenset({FaultKind.DUPLICATE})
_TO_CONTENTS = frozenset({FaultKind.TRUNCATED, FaultKind.GARBAGE})
_TO_COMMANDS = frozenset({FaultKind.TRUNCATED, FaultKind.INDEFINITE, FaultKind.TOO_MANY, FaultKind.OVERSIZE})

Ids = tuple[str, ...]


class Door(Protocol[Answer]):
    """How a protocol says what the desk has to say."""

    def refuse(self, refusal: Refusal) -> Answer:
        """Return the answer that tells a refusal."""

    def ordered(self, fault: Fault) -> Answer:
        """Return the answer that a fault asks for, or the one that closes the door without an answer."""

    def status(self, answer: Answer) -> int:
        """Return the status of an answer, for the log; 0 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Generic[Answer]):
    """A request of a device whose identity is proven.

    :ivar record: which device.
    :ivar method: of its protocol.
    :ivar path: of its protocol, without the query.
    """

    door: Door[Answer]
    place: FaultPlace
    record: FactoryRecord
    method: str
    path: str
    query: str


class DeviceDesk:
    """Serves devices; every door of the fake leads to the same one."""

    def __init__(self, service: ProvisioningService) -> None:
        """Serve what a service decides."""
        self._service = service

    async def serve(
        self,
        visit: Visit[Answer],
        work: Callable[[ClaimedDevice, Meet], Awaitable[tuple[Answer, Ids]]],
    ) -> Answer:
        """Let a device at the work if it may provision itself, and write down what it asked and got.

        :param work: does what was asked of a claimed device, and lets faults strike by its second argument;
            returns the answer, and the correlation ids that were served or reported.
        """
        record = visit.record
        whose = Target(place=visit.place, device=record.id, owner=self._service.owner_of(record.id))
        ids: Ids = ()

        async def answered(fault: Fault | None) -> Answer:
            nonlocal ids
            try:
                device = self._service.served_device(record)
                answer, ids = await work(device, partial(self._meet, fault, whose))
            except Refusal as refusal:
                return visit.door.refuse(refusal)
            return answer

        answer, fault = await struck(self._service.faults, whose, answered, visit.door.ordered)
        self._service.remember_request(
            record,
            DeviceRequest(
                seconds=self._service.clock.seconds(),
                method=visit.method,
                path=visit.path,
                query=visit.query,
                status=visit.door.status(answer),
                ids=ids,
                fault=fault,
            ),
        )
        return answer

    def fetch(self, device: ClaimedDevice, after: str, limits: DeviceLimits, meet: Meet) -> Batch:
        """Hand out the commands that a device is to execute next, as the fault that it meets leaves them.

        :return: without a body when there is nothing to do.
        """
        if meet(_INSTEAD):
            return Batch(body=GARBAGE)
        if device.queue.last_batch.ids and meet(_AGAIN):
            batch = device.queue.last_batch
        else:
            self._service.evaluate_rules(device)
            batch = device.queue.hand_out(after, limits)
        kind = meet(_TO_COMMANDS) if batch.ids else None
        return batch if kind is None else replace(batch, body=damaged_batch(batch, limits, kind))

    def report(self, device: ClaimedDevice, body: bytes, meet: Meet) -> Ids:
        """Take what a device says of its commands, as the fault that it meets leaves it.

        :raises BadRequest: it is no report, or of commands that this device was never given.
        """
        kind = meet(_TO_CONTENTS)
        reports = decode_reports(body if kind is None else damaged(body, kind))
        for _time in range(2 if meet(_AGAIN) else 1):
            device.queue.take_reports(reports)
        return tuple(report.id for report in reports)

    def _meet(self, fault: Fault | None, whose: Target, kinds: frozenset[FaultKind]) -> FaultKind | None:
        """Let a fault strike if it is of one of these kinds, and return its kind then."""
        if fault is None or fault.kind not in kinds:
            return None
        self._service.faults.strike(fault, device=whose.device, owner=whose.owner)
        return fault.kind


def parse_fetch(query: Mapping[str, str], reserve: int = HEADER_RESERVE) -> tuple[str, DeviceLimits]:
    """Parse what a device says when it fetches: which command it processed last, and what it can take.

    :param reserve: bytes of its receive buffer that the protocol takes for itself.
    :raises BadRequest: something of it cannot be.
    """
    after = query.get("after", "")
    if len(after) > LONGEST_ID:
        raise BadRequest(f"after: expected at most {LONGEST_ID} characters")
    limits = DeviceLimits(
        commands=_number(query.get("limit"), "limit", smallest=1) or LIMIT_OF_OLD_CLIENTS,
        receive_bytes=_number(query.get("rxMaxSize"), "rxMaxSize"),
        command_bytes=_number(query.get("txMaxSize"), "txMaxSize"),
        reserve=reserve,
    )
    return after, limits


def _number(text: str | None, name: str, *, smallest: int = 0) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or int(text) < smallest:
        raise BadRequest(f"{name}: expected a whole number of at least {smallest}")
    return int(text)
