"""A board as a device of a system: how it is provisioned under either approval type, and what came of it.

In an Automatic system the board does everything itself. In a Manual one it submits its request, users
decide, and the board installs what it was given (guardian fact sheet, sections 1.1 and 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.client_definitions import INFUSION_PUMP
from harness_guardian.enums import ApprovalType, Status
from harness_guardian.peers import initialise

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.client import GuardianClient
    from harness_guardian.client_models import HistoryEntry, RequestRow
    from harness_guardian.client_package import PackageKey
    from harness_guardian.client_systems import SystemHandle
    from harness_guardian.driver_models import BoardSnapshot, MadeRequest, Outcome

#: What a request passes on its way to the checks' end and to Vault (guardian fact sheet, sections 2.1, 2.2).
VERIFIED = {
    ApprovalType.AUTOMATIC: (Status.VERIFYING, Status.AUTO_APPROVED),
    ApprovalType.MANUAL: (
        Status.VERIFYING,
        Status.NEEDS_APPROVAL,
        Status.APPROVING,
        Status.COMPLETE_PROVISIONING,
    ),
}


def whole_way(approval: ApprovalType, end: Status = Status.PROVISIONED) -> tuple[Status, ...]:
    """Return what a request passes that comes to provisioning, and how it ends there."""
    return (*VERIFIED[approval], Status.PROVISIONING, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a board to be provisioned.

    :ivar row: its request, at rest.
    :ivar history: what the request passed.
    :ivar outcome: how the board says that it ended; ``None`` where users and a technician did it.
    :ivar before: the board before it; ``after``: and behind it.
    """

    row: RequestRow
    history: tuple[HistoryEntry, ...]
    outcome: Outcome | None
    before: BoardSnapshot
    after: BoardSnapshot

    @property
    def statuses(self) -> tuple[Status, ...]:
        """What the request passed, in order."""
        return tuple(entry.status for entry in self.history)

    @property
    def ended_well(self) -> bool:
        """Whether both ends say that the board is provisioned by this request, and agree in its response."""
        row = self.row
        return (
            row.status is Status.PROVISIONED
            and (self.outcome is None or self.outcome.ok)
            and self.after.provisioned
            and self.after.response_id == row.response_id
            and self.after.certificates != self.before.certificates
        )

    @property
    def changed_nothing(self) -> bool:
        """Whether the board is as it was, and does not say that it succeeded."""
        return self.after == self.before and (self.outcome is None or not self.outcome.ok)


class Device:
    """A board that was made a device of a system.

    :ivar hw_id: the hardware id that it has in truth, whatever it says later.
    """

    def __init__(
        self,
        board: LeasedBoard,
        guardian: GuardianClient,
        system: SystemHandle,
        *,
        component: str = INFUSION_PUMP.name,
        hw_id: str | None = None,
        instance: int = 0,
        key: PackageKey | None = None,
    ) -> None:
        """Initialise a board; see :func:`~harness_guardian.peers.initialise`."""
        self.board = board
        self.guardian = guardian
        self.system = system
        self.component = component
        self.instance_id = system.instance(instance).id
        self.hw_id = initialise(board, system, component=component, hw_id=hw_id, instance=instance, key=key)

    def says(
        self, *, component: str | None = None, hw_id: str | None = None, instance_id: str | None = None
    ) -> None:
        """Let the board say something else of itself from now on, as after a repair; by default the truth."""
        self.board.driver.initialize(
            component or self.component, hw_id or self.hw_id, instance_id or self.instance_id
        )

    def submit(
        self,
        *,
        reprovision: bool = False,
        source: str | None = None,
        format: str = "jws",  # noqa: A002 - the agent's own word
    ) -> MadeRequest:
        """Let the board make a request and submit it."""
        made: MadeRequest = self.board.driver.make_request(
            reprovision=reprovision, source=source, format=format
        )
        self.board.driver.submit()
        return made

    def attempt(
        self,
        *,
        reprovision: bool = False,
        source: str | None = None,
        format: str = "jws",  # noqa: A002 - the agent's own word
    ) -> Attempt:
        """Let the board be provisioned, until nothing more comes of it."""
        driver = self.board.driver
        before = driver.snapshot()
        outcome: Outcome | None = None
        if self.system.definition.approval_type is ApprovalType.AUTOMATIC:
            outcome = driver.provision(reprovision=reprovision, source=source, format=format)
            row = self.guardian.wait_until_settled(driver.status().request_id)
        else:
            made = self.submit(reprovision=reprovision, source=source, format=format)
            row = self.carry(made.request_id)
            if row.status is Status.PROVISIONED:
                self.install(row.id)
        return self._seen(row, outcome, before)

    def carry(self, request_id: str) -> RequestRow:
        """Do for a request what users have to do, and wait until nothing more comes of it."""
        return carry(self.guardian, request_id)

    def install(self, request_id: str) -> None:
        """Give the board the certified profile of a request, as a technician does."""
        self.board.driver.install(self.guardian.certified_profile(request_id).encode())

    def seen(self, request_id: str, before: BoardSnapshot) -> Attempt:
        """Return an attempt that was made by hand, as it is now.

        :param before: the board before it.
        """
        return self._seen(self.guardian.wait_until_settled(request_id), None, before)

    def _seen(self, row: RequestRow, outcome: Outcome | None, before: BoardSnapshot) -> Attempt:
        return Attempt(
            row=row,
            history=tuple(self.guardian.history(row.id)),
            outcome=outcome,
            before=before,
            after=self.board.driver.snapshot(),
        )


def make_blank(board: LeasedBoard, guardian: GuardianClient) -> None:
    """Make a board like one that was never a device of any system, as if another one were there now."""
    board.driver.agent("erase", "yes")
    board.driver.use_service(guardian.backend.url)


def carry(guardian: GuardianClient, request_id: str) -> RequestRow:
    """Approve and provision what waits for that, and wait until nothing more comes of a request."""
    row = guardian.wait_until_settled(request_id)
    if row.status is Status.NEEDS_APPROVAL:
        guardian.approve(request_id)
        row = guardian.wait_until_settled(request_id)
    if row.status is Status.COMPLETE_PROVISIONING:
        guardian.provision(request_id)
        row = guardian.wait_until_settled(request_id)
    return row
