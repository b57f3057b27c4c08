"""Trials by power cut and by loss of SSH: break a provisioning at one point, judge the device, try again.

Suites use it on virtual boards, whose power and SSH can be cut at a chosen point. Behind a cut a device holds
what it held, or all that is new, or does not claim to be configured: never a mixture that claims it. Its
temporary folder is gone, and trying again succeeds (pelion fact sheet, sections 1.6 and 2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.errors import BoardFault, BoardLost
from harness_pelion.evidence import expected_items

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.driver import MblDriver
    from harness_pelion.driver_models import BoardSnapshot, Outcome
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

#: How many connections a provisioning is that nothing disturbs (pelion fact sheet, section 1.6).
CONNECTIONS = 4

Point = tuple[str, str]


class TrialFailed(AssertionError):
    """A device is not as it must be after its power or its connection was cut."""


class Left(StrEnum):
    """How a device was left by a cut."""

    OLD = "as it was"
    NEW = "fully provisioned"
    UNCONFIGURED = "not configured, and says so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of one trial.

    :ivar left: how the device was before it was tried again.
    :ivar ended: how the utility ended in the run that was cut; ``None``: that is not known.
    """

    left: Left
    ended: Outcome | None


class ProvisioningTrial:
    """Trials of one virtual board with one pair of credentials."""

    def __init__(self, board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources) -> None:
        """Hold a virtual board; what it holds now is what each trial starts from."""
        self._driver: MblDriver = board.driver
        self._virtual = board.virtual
        self._developer = developer
        self._update = update

    def points(self) -> list[Point]:
        """Provision without a cut and return the points at which the power may be cut.

        :raises TrialFailed: not even that went well.
        """
        self._virtual.call("clear_points")
        outcome = self._driver.provision(self._developer, self._update)
        points = [(str(name), str(detail)) for name, detail in self._virtual.call("points")]
        self._judge_new(outcome)
        return points

    def cut_power(self, point: str, nth: int = 1) -> Recovery:
        """Cut the power at the nth passing of a point, judge the device, and let it be tried again.

        :raises TrialFailed: the device is not as it must be, or the point was never passed.
        """
        before, boot = self._driver.snapshot(), self._driver.boot_id()
        self._virtual.call("cut_power_at", point=point, nth=nth, comes_back=True)
        ended = self._attempt()
        self._driver.wait_until_back()
        if self._driver.boot_id() == boot:
            raise TrialFailed(f"the run ended without passing {point!r} for the {nth}. time: {ended}")
        return self._judge_and_try_again(before, ended)

    def cut_ssh(self, nth: int, when: str) -> Recovery:
        """Cut SSH at the nth time that it comes to something, judge the device, and let it be tried again.

        :param nth: of connections and logins 1 makes the folder, 2 copies, 3 provisions and 4 cleans up
            (pelion fact sheet, section 1.6).
        :param when: ``connection``, ``login``, ``command``, ``answer`` or ``file``.
        :raises TrialFailed: the device is not as it must be, or SSH was never cut.
        """
        before = self._driver.snapshot()
        self._virtual.call("connections", clear=True)
        self._virtual.call("cut_ssh_at", nth=nth, when=when)
        ended = self._attempt()
        if ended is not None and len(self._virtual.call("connections")) == CONNECTIONS:
            raise TrialFailed(f"the run ended before SSH came to {when!r} for the {nth}. time: {ended}")
        return self._judge_and_try_again(before, ended)

    def _attempt(self) -> Outcome | None:
        try:
            return self._driver.provision(self._developer, self._update)
        except BoardLost:
            return None
        except BoardFault as fault:  # a command or a copy ended early, the connection did not
            raise TrialFailed(f"a cut was taken for a refusal: {fault}") from fault

    def _judge_and_try_again(self, before: BoardSnapshot, ended: Outcome | None) -> Recovery:
        left = judge_left(before, self._driver.snapshot(), self._developer, self._update)
        self._try_again()
        return Recovery(left=left, ended=ended)

    def _try_again(self) -> None:
        self._judge_new(self._driver.provision(self._developer, self._update))

    def _judge_new(self, outcome: Outcome) -> None:
        if not outcome.ok:
            raise TrialFailed(f"the device cannot be provisioned any more: {outcome}")
        now = self._driver.snapshot()
        if judge_left(now, now, self._developer, self._update) is not Left.NEW or not now.configured:
            raise TrialFailed(f"the device was provisioned, and is {now.reason or 'not what it was given'}")


def judge_left(
    before: BoardSnapshot, now: BoardSnapshot, developer: DeveloperCredentials, update: UpdateResources
) -> Left:
    """Judge how a device was left by a cut.

    :raises TrialFailed: its folder is still there, or it claims to be configured with a mixture.
    """
    if now.folder:
        raise TrialFailed("the temporary folder is still there, with a private key in it")
    wanted = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in expected_items(developer, update).items()
    }
    # What bootstrapping gives a device is none of these: its client may get it anew meanwhile.
    held, old = (
        {name: item.sha256 for name, item in (each.items or {}).items() if name in wanted}
        for each in (now, before)
    )
    if held == wanted:
        return Left.NEW
    if held == old:
        return Left.OLD
    if not now.configured:
        return Left.UNCONFIGURED
    mixed = sorted(name for name in held if held[name] != wanted[name])
    missing = sorted(set(wanted) - set(held))
    raise TrialFailed(
        f"the device claims to be configured with a mixture: {mixed} are old, and {missing} are missing"
    )
