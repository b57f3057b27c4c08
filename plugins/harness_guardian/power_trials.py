"""Trials by power cut: let the power go at one step of the agent, let the board try again, judge both ends.

Suites use it on virtual boards, whose power can be cut at a chosen point. Behind a cut a board is as it was,
or fully provisioned, never half; trying again succeeds; and the service counts one device, however often it
was asked (guardian fact sheet, section 3: places; section 10.4: acceptance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BoardLost
from harness_guardian.driver_models import BoardRestarted
from harness_guardian.enums import Status

if TYPE_CHECKING:
    from harness_guardian.attempting import Device
    from harness_guardian.driver_models import BoardSnapshot

Point = tuple[str, str]


class TrialFailed(AssertionError):
    """Board and service do not agree, or one of them is not as it must be, after a power cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of one trial.

    :ivar installed: whether the board was provisioned already when its power went.
    :ivar requests: how many requests the service got of it altogether.
    """

    installed: bool
    requests: int


class PowerTrial:
    """One trial of a device; of one kind of provisioning."""

    def __init__(self, device: Device, *, reprovision: bool) -> None:
        """Hold a virtual board that is ready for this kind of provisioning, in an Automatic system."""
        self._device = device
        self._driver = device.board.driver
        self._virtual = device.board.virtual
        self._reprovision = reprovision

    def points(self) -> list[Point]:
        """Provision without a cut and return the points that were passed.

        :raises TrialFailed: not even that went well.
        """
        self._virtual.call("clear_points")
        before = self._driver.snapshot()
        self._try_again(before)
        return [(str(name), str(detail)) for name, detail in self._virtual.call("points")]

    def cut(self, point: str, nth: int) -> Recovery:
        """Cut the power at the nth passing of a point, let the board try again and judge both ends.

        :raises TrialFailed: the board was left half provisioned, or cannot be provisioned any more, or the
            service counts it twice.
        """
        before = self._driver.snapshot()
        self._virtual.call("cut_power_at", point=point, nth=nth, comes_back=True)
        try:
            self._driver.provision(reprovision=self._reprovision)
        except BoardRestarted:
            pass
        except BoardLost:  # a board behind SSH shows no boot: its connection breaks
            self._driver.wait_until_back()
        else:
            raise TrialFailed(f"the run ended without passing {point!r} for the {nth}. time")
        installed = self._judge_board(before)
        self._try_again(before if not installed else self._driver.snapshot())
        return Recovery(installed=installed, requests=self._judge_service())

    def _judge_board(self, before: BoardSnapshot) -> bool:
        """Judge the board as it came back; tell whether it is provisioned by the request that was cut off."""
        now = self._driver.snapshot()
        if now == before:
            return False
        answered = {row.response_id for row in self._device.system.rows(hw_id=self._device.hw_id)}
        slots = [slot for slot, _certificate in now.certificates]
        if not now.provisioned or now.response_id not in answered:
            raise TrialFailed(f"half provisioned: {now}")
        if before.provisioned and slots != [slot for slot, _certificate in before.certificates]:
            raise TrialFailed(f"other certificates than before: {now}")
        kept = set(now.certificates) & set(before.certificates)
        if kept:
            raise TrialFailed(f"old and new certificates beside each other: {sorted(kept)}")
        return True

    def _try_again(self, before: BoardSnapshot) -> None:
        outcome = self._driver.provision(reprovision=self._reprovision)
        if not outcome.ok:
            raise TrialFailed(f"the board cannot be provisioned any more: {outcome}")
        now = self._driver.snapshot()
        if not now.provisioned or (self._reprovision and now.response_id == before.response_id):
            raise TrialFailed(f"the board says that it is provisioned, and is not: {now}")
        row = next(
            (
                row
                for row in self._device.system.rows(hw_id=self._device.hw_id)
                if row.response_id == now.response_id
            ),
            None,
        )
        if row is None or row.status is not Status.PROVISIONED:
            raise TrialFailed(f"the service does not know what the board holds: {row}")

    def _judge_service(self) -> int:
        """Judge what the service has of the device; return how many requests."""
        rows = self._device.system.rows(hw_id=self._device.hw_id)
        devices = {row.component_instance_id for row in rows if row.component_instance_id}
        if len(devices) != 1:
            raise TrialFailed(f"the service counts {len(devices)} devices: {sorted(devices)}")
        failed = [row for row in rows if row.status is not Status.PROVISIONED]
        if failed:
            raise TrialFailed(f"requests that came to nothing: {failed}")
        return len(rows)
