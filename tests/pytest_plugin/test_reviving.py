"""Boards that are silent when a session begins: which are brought back, and asked once more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConsoleTimeout, RigFault
from harness.health.steps import RecoveryStep, Rung
from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board, Endpoint
from harness.inventory.confirmation import Confirmation
from harness.inventory.leases import Leases
from harness.pytest_plugin.reviving import Reviver
from tests.health.patients import plugins_with

if TYPE_CHECKING:
    from pathlib import Path

BOARD = Board(
    id="77",
    kind="k",
    driver="d",
    endpoints={"console": Endpoint(role="console", url="/dev/ttyACM0")},
    properties={USB_SERIAL: "77", USB_LOCATION: "1-1"},
)


class Bench:
    """An attached board that is silent until its power is cycled; then its tty has another name."""

    def __init__(self, *, by_console: bool = False, heals: bool = True, silence: Any = None) -> None:
        self.board: Board | None = BOARD
        self.told: list[str] = []
        self.did: list[str] = []
        self._heals = heals
        self._silence = silence or ConsoleTimeout("nothing came")
        step = RecoveryStep(
            name="a power cycle", rung=Rung.POWER, action=self._cycle, settles=0.0, by_console=by_console
        )
        self.plugins = plugins_with(
            harness_identify_board=lambda board, console: self._identify(board),
            harness_recover_board=lambda board: [step],
        )
        reviver = Reviver(
            self.plugins, lambda: () if self.board is None else (self.board,), tell=self.told.append
        )
        self.confirmation = Confirmation(
            plugins=self.plugins, rig=None, leases=Leases("run"), revive=reviver.revive
        )

    def _cycle(self) -> None:
        self.did.append("cycle")
        if self._heals and self.board is not None:
            console = Endpoint(role="console", url="/dev/ttyACM9")
            self.board = replace(self.board, endpoints={"console": console})

    def _identify(self, board: Board) -> str:
        self.did.append(f"ask {board.endpoints['console'].url}")
        if board.endpoints["console"].url == "/dev/ttyACM0":
            raise self._silence
        return "I77"


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No other boards than that of the test."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setattr("harness.inventory.builtin.survey", lambda *_: None)


def test_a_silent_board_is_brought_back_and_asked_under_its_new_name() -> None:
    """Header and terminal say so; it is used like any other."""
    bench = Bench()

    result = bench.confirmation.ask([BOARD])

    assert bench.did == ["ask /dev/ttyACM0", "cycle", "ask /dev/ttyACM9", "ask /dev/ttyACM9"]
    assert bench.told == [
        "board 77 does not answer: nothing came",
        "board 77: it answers again after a power cycle",
    ]
    assert result.refused == ()
    assert [board.identity for board in result.boards] == ["I77"]
    assert result.notes[-1] == "board 77 did not answer, and was brought back by a power cycle"


def test_one_that_stays_silent_is_left_out() -> None:
    """With what came of asking it; also when its ports do not come back."""
    for gone in (False, True):
        bench = Bench(heals=False)
        if gone:
            bench.board = None
        result = bench.confirmation.ask([BOARD])

        assert result.boards == ()
        assert [reason for _, reason in result.refused] == ["it did not say who it is: nothing came"]
        why = "its ports are gone" if gone else "nothing came"
        assert bench.told[1:] == [
            f"board 77: a power cycle did not help: {why}",
            "board 77 is left out: a power cycle did not help",
        ]


@pytest.mark.parametrize(
    "bench",
    [Bench(by_console=True), Bench(silence=RigFault("somebody uses it without a lease"))],
    ids=["no step that needs no answer", "somebody else is at it"],
)
def test_what_cannot_be_brought_back_or_is_not_ours_is_left_alone(bench: Bench) -> None:
    """An order over a console that is silent helps nobody; a board that somebody uses is not switched off."""
    result = bench.confirmation.ask([BOARD])

    assert bench.did == ["ask /dev/ttyACM0"]
    assert bench.told == []
    assert len(result.refused) == 1
