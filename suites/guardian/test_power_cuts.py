"""A power cut at every step of the agent: the board is as it was or fully provisioned, never half.

Each test lets a board be provisioned and sees which points it passes; then the power goes at each of them,
trial after trial. Each first provisioning has a system instance of its own with one place, so that a device
that were counted twice could not come to its end. :mod:`harness_guardian.power_trials` judges both ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.evidence import step
from harness_guardian.attempting import make_blank
from harness_guardian.client_definitions import INFUSION_PUMP
from harness_guardian.power_trials import PowerTrial, TrialFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

    CutAtEach = Callable[[str], int]

pytestmark = pytest.mark.board(driver="guardian-component", needs={"virtual"})


@pytest.fixture
def cut_at_each_first(board: LeasedBoard, guardian: Any, device_of: Callable[..., Device]) -> CutAtEach:
    """Cut the power at each point of one kind in a first provisioning; return how many there are."""
    component = replace(INFUSION_PUMP, max_instances=1)
    system = guardian.create_system(components=[component])

    def cut(point: str) -> int:
        passed = PowerTrial(device_of(system), reprovision=False).points()
        places = [detail for name, detail in passed if name == point]
        for number, detail in enumerate(places, 1):
            make_blank(board, guardian)
            system.add_instance(f"Ward {number}")
            trial = PowerTrial(device_of(system, instance=number), reprovision=False)
            assert _wrong(trial, point, number, detail) == ""
        return len(places)

    return cut


@pytest.fixture
def cut_at_each_further(guardian: Any, device_of: Callable[..., Device]) -> CutAtEach:
    """Cut the power at each point of one kind in a reprovisioning; return how many there are."""
    device = device_of(guardian.create_system(components=[replace(INFUSION_PUMP, max_instances=1)]))
    assert device.attempt().ended_well

    def cut(point: str) -> int:
        trial = PowerTrial(device, reprovision=True)
        places = [detail for name, detail in trial.points() if name == point]
        for number, detail in enumerate(places, 1):
            assert _wrong(trial, point, number, detail) == ""
        return len(places)

    return cut


def _wrong(trial: PowerTrial, point: str, nth: int, detail: str) -> str:
    with step(f"Power cut {point} {detail[:60]}"):
        try:
            trial.cut(point, nth)
        except TrialFailed as failed:
            return str(failed)
    return ""


@pytest.mark.parametrize("point", ["before key", "after key"])
@pytest.mark.proves("power cut, initial", "at each key that is made")
def test_keys(cut_at_each_first: CutAtEach, point: str) -> None:
    """A key that belongs to no request is nobody's."""
    assert cut_at_each_first(point) == 3


@pytest.mark.parametrize("point", ["before flash", "after flash"])
@pytest.mark.proves("power cut, initial", "at each write to the secure storage")
def test_writes(cut_at_each_first: CutAtEach, point: str) -> None:
    """What is written together is there together, or not at all."""
    assert cut_at_each_first(point) >= 1


@pytest.mark.parametrize("point", ["before exchange", "request sent", "after exchange"])
@pytest.mark.proves("power cut, initial", "at each exchange with the service")
def test_exchanges(cut_at_each_first: CutAtEach, point: str) -> None:
    """The service was not asked, or its answer was lost: the same request is submitted again."""
    assert cut_at_each_first(point) >= 2


@pytest.mark.board(driver="guardian-component", needs={"virtual"}, each="kind")
@pytest.mark.parametrize("point", ["before install", "after install"])
@pytest.mark.proves("power cut, initial", "at the one write that installs the profile")
def test_installation(cut_at_each_first: CutAtEach, point: str) -> None:
    """The profile is fetched again, or is installed already."""
    assert cut_at_each_first(point) == 1


@pytest.mark.parametrize("point", ["before key", "after key"])
@pytest.mark.proves("power cut, reprovision", "at each key that is made")
def test_further_keys(cut_at_each_further: CutAtEach, point: str) -> None:
    """The device keeps the identity that it has."""
    assert cut_at_each_further(point) == 3


@pytest.mark.parametrize("point", ["before flash", "after flash"])
@pytest.mark.proves("power cut, reprovision", "at each write to the secure storage")
def test_further_writes(cut_at_each_further: CutAtEach, point: str) -> None:
    """A request that is open does not touch what is installed."""
    assert cut_at_each_further(point) >= 1


@pytest.mark.parametrize("point", ["before exchange", "request sent", "after exchange"])
@pytest.mark.proves("power cut, reprovision", "at each exchange with the service")
def test_further_exchanges(cut_at_each_further: CutAtEach, point: str) -> None:
    """The request that is in progress is the device's own, and is no obstacle to itself."""
    assert cut_at_each_further(point) >= 2


@pytest.mark.board(driver="guardian-component", needs={"virtual"}, each="kind")
@pytest.mark.parametrize("point", ["before install", "after install"])
@pytest.mark.proves("power cut, reprovision", "at the one write that installs the profile")
def test_further_installation(cut_at_each_further: CutAtEach, point: str) -> None:
    """All certificates are the old ones, or all are new."""
    assert cut_at_each_further(point) == 1
