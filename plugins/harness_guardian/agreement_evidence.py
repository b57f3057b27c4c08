"""What the shared check judges, and how it is collected: by the API, the control socket and the board."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness_guardian.client_models import SETTLED
from harness_guardian.enums import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.client import GuardianClient
    from harness_guardian.client_models import HistoryEntry, RequestRow, SystemRecord, VaultCall
    from harness_guardian.client_reports import Report
    from harness_guardian.client_systems import SystemHandle

MOST_HISTORIES = 24
"""Requests of a system whose histories are read; of more the oldest and the newest are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvidence:
    """A request as the list has it.

    :ivar history: ``None`` when it was not read.
    :ivar slots: names of the certificates that its component has.
    """

    row: RequestRow
    history: tuple[HistoryEntry, ...] | None
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEvidence:
    """A board as it says it is.

    :ivar system: the system whose package it has; empty without one.
    :ivar response_id: of the certified profile that it has installed; empty without one.
    :ivar certificates: serial numbers by slots.
    """

    id: str
    system: str = ""
    response_id: str = ""
    certificates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvidence:
    """Everything that is known of a system.

    :ivar report: of all its devices; ``None`` when it was not asked for.
    :ivar vault: the calls that Vault answered for it; ``None`` where nobody tells.
    :ivar clock_shifted: whether the service's clock went elsewhere than Vault's meanwhile.
    """

    name: str
    requests: tuple[RequestEvidence, ...]
    report: Report | None = None
    boards: tuple[BoardEvidence, ...] = ()
    vault: tuple[VaultCall, ...] | None = None
    clock_shifted: bool = False


def collect(
    guardian: GuardianClient, system: SystemHandle, boards: Sequence[LeasedBoard] = ()
) -> SystemEvidence:
    """Collect what is known of a system, as soon as nothing of it is under way any more.

    :param guardian: an administrator; what it ordered of a fake is taken back first.
    :param boards: those that the test used.
    :raises BackendFault: a request does not come to rest.
    """
    guardian.undo_orders()  # what is held would never come to rest
    definition = system.refresh()
    rows = guardian.rows(system.name)
    if not all(map(is_at_rest, rows)):
        for row in rows:
            if not is_at_rest(row):
                guardian.at_door_of(row).wait_until_settled(row.id)
        rows = guardian.rows(system.name)
    told = {row.id for row in rows[: MOST_HISTORIES // 2] + rows[-MOST_HISTORIES // 2 :]}
    return SystemEvidence(
        name=system.name,
        requests=tuple(
            RequestEvidence(
                row=row,
                history=tuple(guardian.at_door_of(row).history(row.id)) if row.id in told else None,
                slots=slots_of(definition, row.component_name),
            )
            for row in rows
        ),
        report=guardian.report(system=system.name),
        boards=tuple(of_board(board) for board in boards),
        vault=tuple(guardian.vault.log(system.name)) if "faults" in guardian.capabilities else None,
        clock_shifted=guardian.ordered.clock_shifted,
    )


def is_at_rest(row: RequestRow) -> bool:
    """Tell whether the service works at a request no more; its device may have to say that it is done."""
    return row.status in SETTLED or (row.status is Status.PROVISIONING and row.response_id != "")


def of_board(board: LeasedBoard) -> BoardEvidence:
    """Ask a board what it holds."""
    status = board.driver.status()
    held = board.driver.certificates()
    return BoardEvidence(
        id=board.id,
        system=status.system or "",
        response_id=status.response_id or "",
        certificates={slot: certificate.serial for slot, certificate in held.items()},
    )


def slots_of(definition: SystemRecord, component: str) -> tuple[str, ...]:
    """Return the slots that a component of a system has; none for one that is not defined."""
    for each in definition.components:
        if each["name"] == component:
            return tuple(certificate["slot"] for certificate in each["certificates"])
    return ()
