"""Nobody's component is harmed: what the driver refuses, writes down, and puts back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused, UsageError
from harness_guardian.driver_safety import FoundState
from tests.guardian.paper_component import DIGEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_guardian.driver import GuardianComponentDriver
    from tests.guardian.conftest import Desk
    from tests.guardian.paper_component import PaperComponent


CHANGES: dict[str, Callable[[GuardianComponentDriver], Any]] = {
    "package": lambda driver: driver.install_package(b"{}"),
    "profile": lambda driver: driver.put_file("profile", b"x"),
    "drop": lambda driver: driver.drop_file("request"),
    "init": lambda driver: driver.initialize("pump", "P-1"),
    "request": lambda driver: driver.make_request(),
    "submit": lambda driver: driver.submit(),
    "provision": lambda driver: driver.provision(),
    "start": lambda driver: driver.start_provisioning(),
    "install": lambda driver: driver.install(b"x"),
    "complete": lambda driver: driver.complete(),
    "erase": lambda driver: driver.agent("erase", "yes"),
    "blank": lambda driver: driver.erase(),
}
READS: list[Callable[[GuardianComponentDriver], Any]] = [
    lambda driver: driver.identity(),
    lambda driver: driver.status(),
    lambda driver: driver.certificates(),
    lambda driver: driver.snapshot(),
    lambda driver: driver.forward(b"of another"),
    lambda driver: driver.agent("files"),
]


@pytest.mark.parametrize("state", ["ready", "requested", "provisioned"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_component_in_use_is_left_alone(
    desk: Desk, paper: PaperComponent, change: Callable[[GuardianComponentDriver], Any], state: str
) -> None:
    """Of hardware that somebody has initialised nothing is changed; the message says what would let it."""
    paper.state = state
    driver = desk.driver

    with pytest.raises(UsageError, match=f"--allow-destructive: board desk was found {state}; .* for good"):
        change(driver)

    driver.restore()
    assert set(paper.words) <= {"status", "service"}
    assert paper.files == {}


@pytest.mark.parametrize("read", READS)
def test_component_in_use_can_be_read(
    desk: Desk, paper: PaperComponent, read: Callable[[GuardianComponentDriver], Any]
) -> None:
    """What changes nothing of a component's own is allowed on any."""
    paper.state, paper.lines = "provisioned", [f"tls 1 {DIGEST}"]
    driver = desk.driver

    read(driver)
    driver.restore()

    assert not {"erase", "init", "request", "install"} & set(paper.words)


@pytest.mark.parametrize("virtual", [False, True], ids=["--allow-destructive", "virtual"])
def test_component_in_use_may_be_changed_when_that_is_meant(
    desk: Desk, paper: PaperComponent, *, virtual: bool
) -> None:
    """With --allow-destructive, and on a virtual board, everything is allowed; it ends blank."""
    paper.state = "provisioned"
    driver = desk.virtual_driver() if virtual else desk.board(allow_destructive=True).driver

    driver.initialize("pump", "P-1")
    driver.restore()

    assert paper.state == "blank"


def test_blank_component_is_blank_afterwards(desk: Desk, paper: PaperComponent) -> None:
    """Who finds a component blank may use it, notes that before the first change, and leaves it blank."""
    driver = desk.driver
    driver.status()
    assert desk.book.notes == {}
    noted: list[int] = []

    def initialize(_rest: list[str]) -> str:
        noted.extend(desk.book.notes)
        return "OK\n"

    paper.said["init"] = initialize
    driver.initialize("pump", "P-1")
    assert noted == [1]
    assert desk.book.notes == {1: ("board-state", "desk", {"state": "blank", "service": ""})}
    paper.files["package"] = b"secret"
    driver.restore()

    assert (paper.state, paper.files, desk.book.settled) == ("blank", {}, [1])
    driver.restore()
    assert paper.words.count("erase") == 1


def test_service_is_put_back(desk: Desk, paper: PaperComponent) -> None:
    """Hardware believes afterwards what it believed before, whatever a test told it."""
    paper.service = "https://guardian.example"
    driver = desk.driver
    driver.lead_to_service("http://127.0.0.1:5")
    assert paper.service == "http://127.0.0.1:5"
    driver.use_service("http://127.0.0.1:6")
    driver.initialize("pump", "P-1")

    driver.restore()
    assert paper.service == "https://guardian.example"

    driver.initialize("pump", "P-2")
    assert paper.service == "http://127.0.0.1:5"


@pytest.mark.parametrize(("state", "left"), [("blank", "-"), ("ready", "http://127.0.0.1:5")])
def test_service_that_nobody_had_named(desk: Desk, paper: PaperComponent, state: str, left: str) -> None:
    """A blank component forgets the service again that it was led to; one in use loses nothing for that."""
    paper.state = state
    driver = desk.driver
    driver.lead_to_service("http://127.0.0.1:5")
    assert paper.service == "http://127.0.0.1:5"

    driver.restore()

    assert (paper.state, paper.service) == (state, left)
    assert desk.book.settled == [1]


def test_virtual_board_stays_led_to_the_service(desk: Desk, paper: PaperComponent) -> None:
    """What a session told a virtual board of its service holds for its next test, too."""
    driver = desk.virtual_driver()
    driver.initialize("pump", "P-1")
    driver.lead_to_service("http://127.0.0.1:5")
    assert paper.service == "http://127.0.0.1:5"
    driver.use_service("http://127.0.0.1:6")

    driver.restore()

    assert paper.service == "http://127.0.0.1:5"


def test_erased_component_is_led_to_the_service_again(desk: Desk, paper: PaperComponent) -> None:
    """A test that makes a component blank goes on with the service in use."""
    driver = desk.driver
    driver.lead_to_service("http://127.0.0.1:5")
    driver.initialize("pump", "P-1")

    driver.erase()

    assert (paper.state, paper.service) == ("blank", "http://127.0.0.1:5")


def test_what_cannot_be_put_back_stays_noted(desk: Desk, paper: PaperComponent) -> None:
    """When the component cannot be erased the account stays open, and the next try settles it."""
    driver = desk.driver
    driver.initialize("pump", "P-1")
    paper.said["erase"] = "ERROR 1 FAIL: worn out\n"

    with pytest.raises(CommandRefused, match="worn out"):
        driver.restore()
    assert desk.book.settled == []

    del paper.said["erase"]
    driver.restore()
    assert desk.book.settled == [1]


@pytest.mark.parametrize(
    ("state", "erased"),
    [("blank", ["erase"]), ("provisioned", [])],
)
def test_what_a_dead_session_left_is_put_back(
    desk: Desk, paper: PaperComponent, state: str, erased: list[str]
) -> None:
    """A component that was blank is blank again; of one in use only the service is put back."""
    paper.state, paper.service = "requested", "http://127.0.0.1:5"

    desk.driver.recover({"state": state, "service": "http://before"})

    assert [word for word in paper.words if word == "erase"] == erased
    assert paper.words[0] == "cancel"
    assert paper.service == "http://before"


def test_account_that_cannot_be_read(desk: Desk, paper: PaperComponent) -> None:
    """An account without a state is refused before anything is sent."""
    with pytest.raises(UsageError, match="names no state"):
        desk.driver.recover({})
    assert paper.heard == []


def test_accounts_are_read_as_they_were_written() -> None:
    """What one session writes down another one reads."""
    found = FoundState(state="ready", service="http://x")
    assert FoundState.from_details(found.details()) == found
    assert FoundState.from_details({"state": "ready"}) == replace(found, service="")
