"""What a test needs of a board, and why a board is not it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.inventory.board import DESTRUCTIVE, VIRTUAL, Board
from harness.scheduling.needs import BoardNeed

CAR = Board(id="car-1", kind="car", driver="wheels", capabilities=frozenset({"roll", "honk"}))
BOAT = Board(id="boat-1", kind="boat", driver="water", capabilities=frozenset({"honk"}))


@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (BoardNeed(), None),
        (BoardNeed(driver="wheels", kind="car", capabilities=frozenset({"honk"}), board_id="car-1"), None),
        (BoardNeed(board_id="car-2"), "is not board car-2"),
        (BoardNeed(kind="boat"), "is of kind car"),
        (BoardNeed(driver="water"), "has driver wheels"),
        (BoardNeed(capabilities=frozenset({"swim", "honk", "dive"})), "lacks dive, swim"),
    ],
)
def test_misfit(need: BoardNeed, reason: str | None) -> None:
    """A board that does not fit is refused for one named reason."""
    assert need.misfit(CAR) == reason


def test_hardware_stays_as_it_is() -> None:
    """A test that changes things for good fits hardware only where that is allowed, and says how."""
    need = BoardNeed(capabilities=frozenset({DESTRUCTIVE, "honk"}))

    assert need.misfit(CAR.granted(allow_destructive=True)) is None
    assert need.misfit(replace(CAR, bench="/run/bench").granted(allow_destructive=False)) is None
    assert need.unmet([CAR.granted(allow_destructive=False)]) == (
        "no board fits: needed a board that can do honk that may be changed for good; boards of this session:"
        " car-1 is hardware and has to stay as it is; expected a virtual board, or --allow-destructive"
    )


@pytest.mark.parametrize("allowed", [False, True])
def test_no_profile_makes_hardware_virtual(allowed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What a board may be used for follows from how it is attached, whatever its profile claims."""
    claimed = replace(CAR, capabilities=CAR.capabilities | {VIRTUAL, DESTRUCTIVE})

    granted = claimed.granted(allow_destructive=allowed).capabilities

    assert granted == CAR.capabilities | ({DESTRUCTIVE} if allowed else set())


def test_fitting_keeps_the_order() -> None:
    """The boards that fit come in the order in which they were given."""
    assert BoardNeed(capabilities=frozenset({"honk"})).fitting([BOAT, CAR]) == (BOAT, CAR)
    assert BoardNeed(driver="water").fitting([BOAT, CAR]) == (BOAT,)


def test_unmet_says_what_was_needed_and_what_there_is() -> None:
    """The reason names the need and, for each board, why it is not it."""
    need = BoardNeed(driver="wings", kind="plane", capabilities=frozenset({"fly"}), board_id="p1")

    assert need.unmet([CAR, BOAT]) == (
        "no board fits: needed board p1 of kind plane with driver wings that can do fly;"
        " boards of this session: car-1 is not board p1; boat-1 is not board p1"
    )
    assert BoardNeed().unmet([]) == "no board fits: needed a board; boards of this session: none"


@pytest.mark.parametrize(
    ("driver", "beginning"),
    [
        ("wheels", "1 fits, 3 are needed at once: each a board with driver wheels; "),
        (None, "2 fit, 3 are needed at once: each a board; "),
        ("wings", "no board fits, 3 are needed at once: each a board with driver wings; "),
    ],
)
def test_unmet_says_how_many_were_needed(driver: str | None, beginning: str) -> None:
    """Of a test of several boards the reason says how many fit, and of each board whether it does."""
    reason = BoardNeed(driver=driver).unmet([CAR, BOAT], 3)

    fits = {"wheels": ("fits", "has driver water"), None: ("fits", "fits")}
    car, boat = fits.get(driver, ("has driver wheels", "has driver water"))
    assert reason == f"{beginning}boards of this session: car-1 {car}; boat-1 {boat}"


@given(
    st.builds(
        BoardNeed,
        driver=st.none() | st.text(),
        kind=st.none() | st.text(),
        capabilities=st.frozensets(st.text()),
        board_id=st.none() | st.text(),
    )
)
def test_needs_travel_as_json(need: BoardNeed) -> None:
    """What a worker writes the controller reads."""
    assert BoardNeed.from_json(json.loads(json.dumps(need.to_json()))) == need
