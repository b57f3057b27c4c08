"""How a device was left by a cut: as it was, whole, unconfigured, or a mixture that is no way to be left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardFault, BoardLost
from harness_pelion.driver_models import BoardSnapshot, Outcome
from harness_pelion.power_trials import Left, ProvisioningTrial, TrialFailed, judge_left
from tests.pelion import proofs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_pelion.driver_models import HeldItem

GOOD = Outcome(status=0, output="Provisioning process completed without error.")
BLANK = BoardSnapshot(
    configured=False, reason="Item does not exist:mbed.UseBootstrap", folder=False, items={}
)


def snapshot(
    items: Mapping[str, HeldItem], *, configured: bool = True, folder: bool = False
) -> BoardSnapshot:
    """Return a device."""
    return BoardSnapshot(configured=configured, reason="" if configured else "x", folder=folder, items=items)


ENROLLED = proofs.held()["mbed.ClassId"]
WHOLE = snapshot(proofs.held())
OLD = snapshot({**proofs.held(EndpointName=b"old", BootstrapDeviceCert=b"old", VendorId=b"old")})


@pytest.mark.parametrize(
    ("before", "now", "left"),
    [
        (BLANK, BLANK, Left.OLD),
        (BLANK, WHOLE, Left.NEW),
        (OLD, OLD, Left.OLD),
        (OLD, WHOLE, Left.NEW),
        (BLANK, snapshot(proofs.held(UseBootstrap=None), configured=False), Left.UNCONFIGURED),
        (OLD, snapshot(proofs.held(EndpointName=b"old"), configured=False), Left.UNCONFIGURED),
        (OLD, snapshot({**proofs.held(), "mbed.LwM2MServerURI": ENROLLED}), Left.NEW),
        (OLD, snapshot({**(OLD.items or {}), "mbed.LwM2MServerURI": ENROLLED}), Left.OLD),
    ],
)
def test_ways_to_be_left(before: BoardSnapshot, now: BoardSnapshot, left: Left) -> None:
    """All old, all new, or nothing that claims to be configured."""
    assert judge_left(before, now, proofs.developer(), proofs.update()) is left


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (snapshot(proofs.held(VendorId=b"old")), "mbed.VendorId.* are old"),
        (snapshot(proofs.held(ClassId=None)), "mbed.ClassId.* are missing"),
        (snapshot(proofs.held(EndpointName=b"old", BootstrapDeviceCert=b"old")), "mbed.EndpointName"),
    ],
)
def test_mixture_that_claims_to_be_configured(now: BoardSnapshot, said: str) -> None:
    """It says which items are old, and which are missing."""
    with pytest.raises(TrialFailed, match=said):
        judge_left(OLD, now, proofs.developer(), proofs.update())


def test_folder_that_is_left() -> None:
    """A private key in a temporary folder is never fine, however whole the rest is."""
    with pytest.raises(TrialFailed, match="temporary folder"):
        judge_left(BLANK, snapshot(proofs.held(), folder=True), proofs.developer(), proofs.update())


class PaperBoard:
    """A virtual board on paper: what each provisioning comes to, and what each look shows."""

    def __init__(self, runs: list[Outcome | Exception], looks: list[BoardSnapshot]) -> None:
        self._runs = runs
        self._looks = looks
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.waited = 0
        self.boots = 1
        self.connections = 5
        self.driver = self
        self.virtual = self

    def provision(self, _developer: object, _update: object) -> Outcome:
        run = self._runs.pop(0)
        self.boots += isinstance(run, BoardLost)
        if isinstance(run, Exception):
            raise run
        return run

    def snapshot(self) -> BoardSnapshot:
        return self._looks.pop(0)

    def wait_until_back(self) -> None:
        self.waited += 1

    def boot_id(self) -> str:
        return f"boot {self.boots}"

    def call(self, name: str, **params: Any) -> Any:
        if name == "connections":
            return [{}] * self.connections
        self.calls.append((name, params))
        return [["before store", "x"]] if name == "points" else None


def trial(board: Any) -> ProvisioningTrial:
    """Return a trial of a board."""
    return ProvisioningTrial(board, proofs.developer(), proofs.update())


def test_points_of_a_run() -> None:
    """The points of one good run are told."""
    board = PaperBoard([GOOD], [WHOLE])

    assert trial(board).points() == [("before store", "x")]
    assert board.calls == [("clear_points", {}), ("points", {})]


def test_power_is_cut_and_tried_again() -> None:
    """The board is waited for, judged, provisioned anew and judged again."""
    board = PaperBoard([BoardLost("gone"), GOOD], [BLANK, BLANK, WHOLE])

    recovery = trial(board).cut_power("before store", 3)

    assert (recovery.left, recovery.ended, board.waited) == (Left.OLD, None, 1)
    assert board.calls == [("cut_power_at", {"point": "before store", "nth": 3, "comes_back": True})]


def test_ssh_is_cut_and_tried_again() -> None:
    """A run that ends well in spite of the cut is a good run; its end is told."""
    board = PaperBoard([GOOD, GOOD], [OLD, WHOLE, WHOLE])

    recovery = trial(board).cut_ssh(4, "command")

    assert (recovery.left, recovery.ended) == (Left.NEW, GOOD)
    assert board.calls == [("cut_ssh_at", {"nth": 4, "when": "command"})]


FAILURES: dict[str, tuple[list[Outcome | Exception], list[BoardSnapshot], str]] = {
    "point never passed": ([GOOD], [BLANK], "without passing 'p' for the 1. time"),
    "refusal": ([BoardFault("no space")], [BLANK], "a cut was taken for a refusal: no space"),
    "mixture": (
        [BoardLost("gone")],
        [OLD, snapshot(proofs.held(VendorId=b"old"))],
        "claims to be configured with a mixture",
    ),
    "not again": ([BoardLost("gone"), Outcome(status=1)], [BLANK, BLANK], "cannot be provisioned any more"),
    "only said": ([BoardLost("gone"), GOOD], [BLANK, BLANK, BLANK], "was provisioned, and is Item does not"),
    "wrong items": (
        [BoardLost("gone"), GOOD],
        [OLD, OLD, OLD],
        "was provisioned, and is not what it was given",
    ),
}


def test_ssh_that_was_never_cut() -> None:
    """A cut that never came proves nothing."""
    board = PaperBoard([GOOD], [OLD])
    board.connections = 4

    with pytest.raises(TrialFailed, match=r"before SSH came to 'file' for the 99. time"):
        trial(board).cut_ssh(99, "file")


@pytest.mark.parametrize(("runs", "looks", "said"), FAILURES.values(), ids=FAILURES)
def test_trial_that_fails(runs: list[Outcome | Exception], looks: list[BoardSnapshot], said: str) -> None:
    """Each way to fail is told."""
    with pytest.raises(TrialFailed, match=said):
        trial(PaperBoard(list(runs), list(looks))).cut_power("p")
