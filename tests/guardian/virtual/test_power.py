"""Power cuts at every point: the board is as it was or fully provisioned, and a retry succeeds once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.virtual.holdings import held

if TYPE_CHECKING:
    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService

EXCHANGE = ("before exchange", "request sent", "after exchange")
#: What a component of one slot passes from nothing to provisioned.
PASSED = [
    ("before key", "identity"),
    ("after key", "identity"),
    ("before flash", "file request, latest, pending"),
    ("after flash", "file request, latest, pending"),
    *((point, "POST /provisioning-requests") for point in EXCHANGE),
    *((point, "GET /provisioning-requests/ID/certified-profile") for point in EXCHANGE),
    ("before install", "file profile, installed, pending"),
    ("after install", "file profile, installed, pending"),
    *((point, "POST /provisioning-requests/ID/installed") for point in EXCHANGE),
    ("before flash", "installed"),
    ("after flash", "installed"),
]
#: From where on a request is open, the service has it, and its profile is installed.
REQUESTED, SUBMITTED, INSTALLED = 3, 5, 11


@pytest.fixture
def sensor(board: BoardInHand, service: PaperService) -> BoardInHand:
    """A component of one slot, ready."""
    board.put("package", service.package())
    board.ask("init sensor S-1")
    board.ask(f"service {service.url}")
    board.call("clear_points")
    return board


def cuts() -> list[tuple[str, int]]:
    """Return every point of a run, each with how often it was passed by then."""
    seen: Counter[str] = Counter()
    found = []
    for point, _detail in PASSED:
        seen[point] += 1
        found.append((point, seen[point]))
    return found


def cut_in(board: BoardInHand, words: str, point: str, nth: int) -> None:
    """Begin to provision, lose the power at a point, and get it back; no end is announced."""
    dark = board.host.supply_cuts
    board.call("cut_power_at", point=point, nth=nth)
    start = board.start(words)
    board.host.wait_dark(dark + 1)
    board.power_on()
    assert b"+PROVISION" not in board.host.sent()[start:]


def test_points_of_a_run(sensor: BoardInHand, service: PaperService) -> None:
    """Each key, each write, the install switch and each exchange are passed, before and after."""
    assert sensor.provision().startswith("0 OK")

    (request_id,) = service.rows
    passed = [(point, detail.replace(request_id, "ID")) for point, detail in sensor.call("points")]
    assert passed == PASSED
    sensor.call("clear_points")
    assert sensor.call("points") == []


def test_cut_at_every_point_of_an_initial_provisioning(sensor: BoardInHand, service: PaperService) -> None:
    """Blank or provisioned, never half; one more ``provision`` succeeds, and nothing is counted twice."""
    for number, (point, nth) in enumerate(cuts()):
        hw_id = f"I-{number}"
        sensor.ask("erase yes")
        sensor.put("package", service.package())
        sensor.ask(f"init sensor {hw_id}")
        sensor.ask(f"service {service.url}")

        cut_in(sensor, "", point, nth)

        after_cut = held(sensor, service)
        assert (after_cut is not None) is (number >= INSTALLED), (point, nth)
        state = sensor.status()["state"]
        assert state == ("provisioned" if after_cut else "requested" if number >= REQUESTED else "ready")

        assert sensor.provision().startswith("0 OK"), (point, nth)

        assert held(sensor, service) == (after_cut or sensor.status()["response_id"])
        rows = [row for row in service.rows.values() if row.payload["hw_id"] == hw_id]
        assert (len(rows), len(service.instances[hw_id])) == (1, 1), (point, nth)
        assert rows[0].installed > 0
        assert sensor.status()["state"] == "provisioned"


def test_cut_at_every_point_of_a_reprovisioning(sensor: BoardInHand, service: PaperService) -> None:
    """The old certificates until the switch, the new ones behind it; one more ``provision`` succeeds."""
    assert sensor.provision().startswith("0 OK")
    for number, (point, nth) in enumerate(cuts()):
        before, rows = held(sensor, service), len(service.rows)

        cut_in(sensor, "reprovision", point, nth)

        after_cut = held(sensor, service)
        assert (after_cut != before) is (number >= INSTALLED), (point, nth)
        assert len(service.rows) == rows + (number >= SUBMITTED)

        assert sensor.provision("reprovision").startswith("0 OK"), (point, nth)

        assert held(sensor, service) not in {before, after_cut}
        assert len(service.rows) == rows + 1 + (number >= INSTALLED), (point, nth)
        assert len(service.instances["S-1"]) == 1
        assert all("x5c" in row.header for row in list(service.rows.values())[1:])


@pytest.mark.parametrize("point", ["before install", "after install"])
def test_cut_in_an_installation_by_hand(sensor: BoardInHand, service: PaperService, point: str) -> None:
    """Also where a technician installs a file the switch happens or does not, and can be done again."""
    sensor.ask("request")
    sensor.ask("submit")
    (row,) = service.rows.values()
    assert row.profile is not None
    sensor.put("profile", row.profile)
    sensor.call("cut_power_at", point=point)
    start = sensor.type(b"install\r")
    sensor.power_on()

    assert sensor.host.sent()[start:] == b"+BOOT: guardian-agent 1.4.0\r\n"
    if point == "before install":
        assert held(sensor, service) is None
        sensor.ask("install")
    assert held(sensor, service) is not None


def test_power_that_comes_back(sensor: BoardInHand, service: PaperService) -> None:
    """After a short cut the board boots by itself, and what was typed behind the cut is gone."""
    sensor.call("cut_power_at", point="after flash", comes_back=True)
    start = sensor.type(b"init sensor S-2\ridentify\r")
    said = sensor.host.wait_said(b"+BOOT", start)

    assert b"OK" not in said
    assert sensor.ask("identify")["hw_id"] == "S-2"
    assert sensor.provision().startswith("0 OK")
    assert list(service.instances) == ["S-2"]


def test_service_is_slow_and_the_power_goes(sensor: BoardInHand, service: PaperService) -> None:
    """A run that waits for an answer ends with the power at once, without a word, and is taken up again."""
    service.automatic = False
    start = sensor.start()
    service.wait_asked("GET", "certified-profile")

    sensor.power_off()
    sensor.power_on()

    assert sensor.status()["state"] == "requested"
    (request_id,) = service.rows
    service.certify(request_id)
    assert sensor.provision() == f"0 OK provisioned (request {request_id})"
    assert sensor.host.sent()[start:].count(b"+PROVISION") == 1
    assert service.rows[request_id].submitted == 2


def test_order_is_forgotten(sensor: BoardInHand) -> None:
    """A cut happens once; an order that was replaced or cleared does not happen."""
    sensor.call("cut_power_at", point="before flash")
    sensor.call("cut_power_at", point="before install")
    sensor.ask("init sensor S-3")
    sensor.call("cut_power_at", point="before flash")
    sensor.call("clear_faults")
    sensor.ask("init sensor S-4")

    assert sensor.host.supply_cuts == 0


@pytest.mark.parametrize(
    "params",
    [{"point": "somewhere"}, {"point": "before key", "nth": 0}, {"point": "before key", "nth": True}],
)
def test_unfit_orders(board: BoardInHand, params: dict[str, Any]) -> None:
    """A point that does not exist and a count that is none are refused."""
    with pytest.raises(ValueError, match="expected"):
        board.call("cut_power_at", **params)


def test_write_of_the_service_address(board: BoardInHand) -> None:
    """A cut in a write that a control call asked for is told to whoever asked."""
    board.call("cut_power_at", point="before flash")

    with pytest.raises(ValueError, match="the power went"):
        board.call("set_service", url="http://127.0.0.1:9")

    board.power_on()
    assert board.status()["service"] == "-"
