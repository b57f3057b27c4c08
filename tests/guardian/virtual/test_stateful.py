"""The component as a state machine: whatever is done in whatever order, and wherever the power goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness_guardian.virtual.power import POINTS
from tests.guardian.virtual.holdings import held
from tests.guardian.virtual.paper_bench import BoardInHand, Refused
from tests.guardian.virtual.paper_service import PaperService

if TYPE_CHECKING:
    from collections.abc import Callable

HARDWARE = st.sampled_from(["H-1", "H-2"])
AGAIN = st.sampled_from(["", "reprovision"])


class Component(RuleBasedStateMachine):
    """A board of one slot, in the hands of somebody who does anything."""

    def __init__(self) -> None:
        super().__init__()
        self.service = PaperService()
        self.board = BoardInHand("guardian-component-virtual", 0, {})
        self.board.power_on()
        self.holds: str | None = None

    def teardown(self) -> None:
        self.board.close()
        self.service.close()

    def tried(self, action: Callable[[], Any]) -> Any:
        """Do something that may be refused; then nothing that is installed has changed."""
        try:
            return action()
        except Refused:
            assert held(self.board, self.service) == self.holds
            return None

    @initialize()
    def begin(self) -> None:
        """Know the service."""
        self.board.ask(f"service {self.service.url}")

    @rule()
    def give_package(self) -> None:
        """Put the package there."""
        self.board.put("package", self.service.package())

    @rule(hw_id=HARDWARE)
    def name(self, hw_id: str) -> None:
        """Say which device it is."""
        self.board.ask(f"init sensor {hw_id}")

    @rule(again=AGAIN)
    def request(self, again: str) -> None:
        """Make a request, twice: the second one is the first."""
        first = self.tried(lambda: self.board.ask(f"request {again}"))
        if first is not None:
            assert self.board.ask(f"request {again}") == first
            assert self.board.status()["state"] == "requested"

    @rule()
    def submit(self) -> None:
        """Submit what there is."""
        self.tried(lambda: self.board.ask("submit"))

    @rule()
    def drop(self) -> None:
        """Give the request up."""
        self.tried(lambda: self.board.ask("drop request"))
        assert self.board.status()["state"] != "requested"

    @rule(again=AGAIN)
    def provision(self, again: str) -> None:
        """Provision; where that succeeds a second time changes nothing, or everything."""
        outcome = self.tried(lambda: self.board.provision(again))
        if outcome is None:
            return
        now = held(self.board, self.service)
        assert outcome.startswith("0 OK") or now == self.holds
        if outcome.startswith("0 OK") and "already" not in outcome:
            assert now != self.holds
            assert self.board.status()["state"] == "provisioned"
        self.holds = now

    @rule(point=st.sampled_from(POINTS), nth=st.integers(1, 3), again=AGAIN)
    def cut(self, point: str, nth: int, again: str) -> None:
        """Let the power go somewhere in a run; what is installed is what was, or what the run was about."""
        counted = set(self.service.instances)
        self.board.call("cut_power_at", point=point, nth=nth)
        start = len(self.board.host.sent())
        cuts = self.board.host.supply_cuts
        self.board.type(f"provision {again}\r".encode())
        over = (b"+PROVISION", b"ERROR")
        self.board.host.wait(
            lambda sent: self.board.host.supply_cuts > cuts or any(each in sent for each in over), start
        )
        self.board.call("clear_faults")
        self.board.power_off()
        self.board.power_on()
        self.holds = held(self.board, self.service)
        if self.board.host.supply_cuts > cuts and not again and self.board.status()["hw_id"] not in counted:
            # A device that were asked for anew would be its own duplicate.
            assert self.board.provision().startswith("0 OK")
            self.holds = held(self.board, self.service)

    @rule()
    def power_cycle(self) -> None:
        """Switch it off and on."""
        self.board.power_off()
        self.board.power_on()

    @rule()
    def erase(self) -> None:
        """Make it blank; the service is named anew."""
        self.board.ask("erase yes")
        assert self.board.status()["state"] == "blank"
        self.begin()
        self.holds = None

    @invariant()
    def whole(self) -> None:
        """Certificates, keys and status belong together, and nothing changes by itself."""
        assert held(self.board, self.service) == self.holds


Component.TestCase.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
TestComponent = Component.TestCase
