"""The chain of evidence: each link is broken by what it is about, and by nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BoardFault, BoardLost
from harness_pelion.driver_models import Outcome, PelionStatus
from harness_pelion.evidence import LINKS, Before, collect, expected_items, judge
from tests.pelion import proofs

if TYPE_CHECKING:
    from harness_pelion.driver_models import ClientLogView, HeldItem

SAID = "Provisioning process completed without error."


def test_whole_chain_holds() -> None:
    """A device that is provisioned breaks nothing and leaves nothing unknown."""
    evidence = judge(proofs.facts())

    assert [link.name for link in evidence.links] == [
        "util",
        "status",
        "items",
        "log",
        "bootstrap",
        "registration",
        "directory",
        "events",
    ]
    assert [link.ok for link in evidence.links] == [True] * 8
    assert evidence.first_broken() is None
    assert evidence.unknown == ()
    assert evidence.device.id == proofs.DEVICE
    assert str(evidence["util"]) == "util: ok"


#: What breaks a chain, which links that is seen by, and what is said of the first.
BREAKS: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "exit status": ({"outcome": Outcome(status=1, output=SAID)}, {"util"}, "exit status 1, and it says"),
    "swallowed": ({"outcome": Outcome(status=0, output="")}, {"util"}, "exit status 0, and it does not say"),
    "failed": ({"outcome": Outcome(status=2, errors="Usage")}, {"util"}, "exit status 2: Usage"),
    "status": (
        {"status": PelionStatus(configured=False, reason="Item does not exist:mbed.ClassId")},
        {"status"},
        "Item does not exist:mbed.ClassId",
    ),
    "contradiction": ({"status": "contradicts itself"}, {"status"}, "contradicts itself"),
    "item missing": ({"items": proofs.held(ClassId=None)}, {"items"}, "mbed.ClassId is missing"),
    "wrong item": ({"items": proofs.held(VendorId=b"x" * 16)}, {"items"}, "mbed.VendorId is another"),
    "no mode": ({"items": proofs.held(UseBootstrap=b"\0\0\0\0")}, {"items"}, "mbed.UseBootstrap is another"),
    "silent client": ({"log": proofs.log("")}, {"log"}, "does not say that it is registered; errors: none"),
    "client's error": (
        {"log": proofs.log("Error occurred : ConnectTimeout\nError code : 260\n")},
        {"log"},
        "errors: ConnectTimeout .260.",
    ),
    "unregistered": ({"log": proofs.log(f"{proofs.LOG}x: Client unregistered\n")}, {"log"}, "does not say"),
    "nameless": ({"log": proofs.log("Client registered\n")}, {"log"}, "names no device id"),
    "other endpoint": (
        {"log": proofs.log(proofs.LOG.replace(proofs.CERTIFICATE, proofs.OTHER))},
        {"log"},
        "endpoint name is 'eeee",
    ),
    "twin": ({"strangers": ["x", "y"]}, {"bootstrap"}, "further devices .*: x, y"),
    "no device": (
        {"device": None, "events": ()},
        {"bootstrap", "registration", "directory", "events"},
        "no device bootstrapped",
    ),
    "other certificate": ({"device": proofs.device(ca_id=proofs.OTHER)}, {"bootstrap"}, "certificate eeee"),
    "no moment": (
        {"device": proofs.device(bootstrapped_timestamp=None)},
        {"bootstrap"},
        "does not know when",
    ),
    "too early": (
        {"device": proofs.device(bootstrapped_timestamp="2026-11-21T23:00:00Z")},
        {"bootstrap"},
        "before it was provisioned",
    ),
    "not registered": (
        {"device": proofs.device(state="bootstrapped")},
        {"registration"},
        "the device is bootstrapped",
    ),
    "deregistered": ({"device": proofs.device(state="deregistered")}, {"registration"}, "is deregistered"),
    "somebody else": ({"device": proofs.device(id=proofs.OTHER)}, {"registration"}, "the directory has eee"),
    "account": ({"device": proofs.device(account_id=proofs.OTHER)}, {"directory"}, "account is 'eee"),
    "mode": ({"device": proofs.device(device_execution_mode=0)}, {"directory"}, "execution_mode is 0, not 1"),
    "vendor": ({"device": proofs.device(vendor_id="")}, {"directory"}, "vendor_id is '', not 'fa6b4a53"),
    "class": (
        {"device": proofs.device(device_class="0" * 32)},
        {"directory"},
        "device_class is '0000.*, not '4d131344",
    ),
    "endpoint": ({"device": proofs.device(endpoint_name="x")}, {"directory"}, "endpoint_name is 'x'"),
    "fingerprint": ({"device": proofs.device(device_key="00:11")}, {"directory"}, "device_key is not"),
    "no bootstrap event": ({"events": proofs.events("registered")}, {"events"}, "no event of a bootstrap"),
    "no registration event": ({"events": proofs.events("bootstrapped")}, {"events"}, "of a registration"),
    "order": (
        {"events": proofs.events("registered", "bootstrapped")},
        {"events"},
        "registration is told before the bootstrap",
    ),
}


@pytest.mark.parametrize(("changes", "broken", "said"), BREAKS.values(), ids=BREAKS)
def test_link_is_broken(changes: dict[str, Any], broken: set[str], said: str) -> None:
    """Exactly the links that a fault is about are broken; the first one says why."""
    evidence = judge(proofs.facts(**changes))

    assert {link.name for link in evidence.links if link.ok is False} == broken
    first = evidence.first_broken()
    assert first is not None
    assert first.name == min(broken, key=LINKS.index)
    assert re.search(said, first.why), first.why
    assert str(first).startswith(f"{first.name}: broken, ")


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"items": None}, ("items",)),
        ({"event_details": False, "events": ()}, ("events",)),
        ({"items": None, "event_details": False}, ("items", "events")),
    ],
)
def test_what_nobody_shows_is_unknown(changes: dict[str, Any], unknown: tuple[str, ...]) -> None:
    """Neither well nor broken: a store of hardware, events whose contents are not public."""
    evidence = judge(proofs.facts(**changes))

    assert evidence.unknown == unknown
    assert evidence.first_broken() is None
    assert all(evidence[name].ok is None and evidence[name].why for name in unknown)


def test_evidence_without_a_device() -> None:
    """Who asks for the device is told which link broke first."""
    with pytest.raises(BoardFault, match="bootstrap: broken"):
        _ = judge(proofs.facts(device=None)).device


def test_directory_may_call_the_device_by_its_id() -> None:
    """In the product's own log the endpoint name is the device's id (fact sheet, section 9)."""
    said = proofs.log(proofs.LOG.replace(proofs.CERTIFICATE, proofs.DEVICE))
    evidence = judge(proofs.facts(log=said, device=proofs.device(endpoint_name=proofs.DEVICE)))

    assert evidence.first_broken() is None


def test_items_are_those_of_the_fact_sheet() -> None:
    """Which items a device has to hold, and the bytes of each, are literals of section 2.1."""
    assert expected_items(proofs.developer(), proofs.update()) == proofs.CONTENTS


@given(st.sampled_from(sorted(proofs.CONTENTS)), st.binary(max_size=20))
def test_any_other_item_is_noticed(name: str, content: bytes) -> None:
    """Whichever item is another one, the link says which."""
    items = proofs.held(**{name.removeprefix("mbed."): content})
    link = judge(proofs.facts(items=items))["items"]

    assert link.ok is (content == proofs.CONTENTS[name])
    assert link.ok or name in link.why


class PaperDriver:
    """A driver that says what it was told to say."""

    def __init__(self, *logs: str) -> None:
        self.logs = list(logs)
        self.asked = 0

    def status(self) -> PelionStatus:
        return PelionStatus(configured=True)

    def items(self) -> dict[str, HeldItem]:
        return proofs.held()

    def watched_log(self, *, after: int = 0) -> ClientLogView:
        self.asked += 1
        text = self.logs.pop(0) if len(self.logs) > 1 else self.logs[0]
        if text == "lost":
            raise BoardLost("gone")
        from harness_pelion.driver_models import read_client_log

        return read_client_log(text.encode(), after=after)


class PaperBoard:
    """A board with such a driver."""

    def __init__(self, driver: PaperDriver, *, virtual: bool = True) -> None:
        self.driver = driver
        self.description = type("Description", (), {"virtual": virtual})()


class PaperPelion:
    """A client that says what it was told to say."""

    capabilities = frozenset({"event-details"})

    def __init__(self, *devices: Any) -> None:
        self._devices = devices

    def devices(self, *, ca_id: str) -> list[Any]:
        assert ca_id == proofs.CERTIFICATE
        return list(self._devices)

    def events(self, device_id: str) -> list[Any]:
        assert device_id == proofs.DEVICE
        return list(proofs.events())


def _collect(driver: PaperDriver, pelion: PaperPelion, *, virtual: bool = True, **more: Any) -> Any:
    facts = proofs.facts()
    board: Any = PaperBoard(driver, virtual=virtual)
    outcome = more.pop("outcome", facts.outcome)
    return collect(board, pelion, facts.developer, facts.update, outcome, **more)  # type: ignore[arg-type]


def test_evidence_is_collected_until_the_chain_holds() -> None:
    """A client that needs a moment is waited for."""
    driver = PaperDriver("", "", proofs.LOG)

    evidence = _collect(driver, PaperPelion(proofs.device()), timeout=5)

    assert evidence.first_broken() is None
    assert driver.asked == 3


@pytest.mark.parametrize(("timeout", "asked"), [(0, 1), (0.05, 2)])
def test_collecting_ends(timeout: float, asked: int) -> None:
    """Behind the deadline the chain is told as it is."""
    driver = PaperDriver("")

    evidence = _collect(driver, PaperPelion(), timeout=timeout)

    assert evidence.first_broken().name == "log"
    assert driver.asked >= asked


def test_what_time_does_not_mend_is_not_waited_for() -> None:
    """A utility that failed is told at once, whatever the deadline."""
    driver = PaperDriver("")

    evidence = _collect(driver, PaperPelion(), timeout=3600, outcome=Outcome(status=1, errors="no"))

    assert evidence.first_broken().name == "util"
    assert driver.asked == 1


def test_hardware_shows_no_items() -> None:
    """Its store is not asked for."""
    evidence = _collect(PaperDriver(proofs.LOG), PaperPelion(proofs.device()), virtual=False)

    assert evidence.unknown == ("items",)


def test_what_was_there_before_proves_nothing() -> None:
    """Neither a device of before, nor a log of before, nor a bootstrap of before."""
    before = Before(
        devices=frozenset({proofs.OTHER}), log_size=len(proofs.LOG), moment=datetime(2027, 1, 1, tzinfo=UTC)
    )
    devices = (proofs.device(id=proofs.OTHER), proofs.device())

    evidence = _collect(PaperDriver(proofs.LOG), PaperPelion(*devices), timeout=0, before=before)

    assert evidence["log"].ok is False
    assert "before it was provisioned" in evidence["bootstrap"].why
    assert evidence.facts.strangers == []


def test_board_that_says_which_device_it_is() -> None:
    """Among several devices of a certificate the board's own word decides; the others are strangers."""
    devices = (proofs.device(id=proofs.OTHER), proofs.device())

    evidence = _collect(PaperDriver(proofs.LOG), PaperPelion(*devices), timeout=0)

    assert evidence.device.id == proofs.DEVICE
    assert evidence.facts.strangers == [proofs.OTHER]


def test_lost_board_is_no_broken_chain() -> None:
    """A board that goes away is the rig's fault, and told as such."""
    with pytest.raises(BoardLost):
        _collect(PaperDriver("lost"), PaperPelion(), timeout=1)


def test_before_is_looked_at_on_both_ends() -> None:
    """What counts as before is what both ends show then."""
    pelion: Any = PaperPelion(proofs.device())
    board: Any = PaperBoard(PaperDriver(proofs.LOG))

    before = Before.now(board, pelion, proofs.developer())

    assert (before.devices, before.log_size) == (frozenset({proofs.DEVICE}), len(proofs.LOG))
    assert before.moment is not None
    assert replace(before, moment=None).moment is None
