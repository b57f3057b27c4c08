"""One attempt to provision a device: what was given, how the utility ended, what both ends show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_pelion.evidence import COLLECT_SECONDS, Before, collect

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.client import PelionClient
    from harness_pelion.client_models import Device
    from harness_pelion.driver_models import BoardSnapshot, Outcome
    from harness_pelion.evidence import Evidence
    from harness_pelion.resources import DeveloperCredentials, UpdateResources


@dataclass(frozen=True, slots=True)
class Attempt:
    """A provisioning that has ended, well or not.

    :ivar developer: the credentials that were given; ``update``: likewise.
    :ivar before: what was there before and proves nothing.
    :ivar found: what the device held before.
    :ivar outcome: how the utility ended.
    :ivar evidence: the chain, collected after the client was started anew.
    """

    developer: DeveloperCredentials
    update: UpdateResources
    before: Before
    found: BoardSnapshot
    outcome: Outcome
    evidence: Evidence

    @property
    def device(self) -> Device:
        """The device in the directory.

        :raises BoardFault: there is none.
        """
        return self.evidence.device


class Attempts:
    """Provisions a board and follows it, from the utility's output to the registered device."""

    def __init__(self, board: LeasedBoard, pelion: PelionClient) -> None:
        """Provision a board for an account."""
        self._board = board
        self._pelion = pelion

    def __call__(
        self, developer: DeveloperCredentials, update: UpdateResources, *, timeout: float = COLLECT_SECONDS
    ) -> Attempt:
        """Provision, start the client anew and collect the evidence.

        :param timeout: seconds that the device may take to be registered; 0 where it cannot come to that.
        :raises BoardLost: the board went away.
        """
        driver = self._board.driver
        found = driver.snapshot()
        before = Before.now(self._board, self._pelion, developer)
        outcome = driver.provision(developer, update)
        if outcome.ok:
            driver.restart_client()
        evidence = collect(
            self._board, self._pelion, developer, update, outcome, timeout=timeout, before=before
        )
        return Attempt(developer, update, before, found, outcome, evidence)
