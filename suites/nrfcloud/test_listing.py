"""The list of claimed devices: its order, its pages and its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Finished
from harness_nordic.enums import DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

FILTERS = pytest.mark.backend(needs={"factory", "list-filters"})
PAGES = pytest.mark.backend(needs={"factory", "paging"})


@pytest.fixture
def claimed_siblings(nrfcloud: Any, siblings: Any) -> Callable[[int], list[str]]:
    """Claim so many devices beside the board, and return their ids in the order of their claims."""

    def claim(count: int) -> list[str]:
        return [nrfcloud.claim(sibling.token).id for sibling in siblings(count)]

    return claim


@pytest.fixture
def shown(nrfcloud: Any) -> Callable[..., list[str]]:
    """Tell the ids of the devices that a filter shows."""
    return lambda **wanted: [device.id for device in nrfcloud.devices_with(**wanted)]


@pytest.mark.backend(needs={"factory"})
@pytest.mark.proves("list", "200, every device of many")
def test_list_of_many(nrfcloud: Any, claimed: Any, claimed_siblings: Any) -> None:
    """However the service gives it, the list has each device once."""
    ids = [claimed.id, *claimed_siblings(24)]

    assert sorted(device.id for device in nrfcloud.devices()) == sorted(ids)


@PAGES
@pytest.mark.proves("list", "200, pages in the order of the claims")
def test_pages(nrfcloud: Any, claimed: Any, claimed_siblings: Any) -> None:
    """Pages follow each other without a gap or an overlap, and the last one says that it is."""
    ids = [claimed.id, *claimed_siblings(6)]

    first, token = nrfcloud.device_page(3)
    second, next_token = nrfcloud.device_page(3, token)
    third, end = nrfcloud.device_page(3, next_token)

    assert [device.id for device in (*first, *second, *third)] == ids
    assert [len(page) for page in (first, second, third)] == [3, 3, 1]
    assert token != next_token
    assert end is None


@PAGES
@pytest.mark.proves("list", "200, a page that is just full is the last one")
def test_page_that_is_just_full(nrfcloud: Any, claimed: Any, claimed_siblings: Any) -> None:
    """Nothing is promised behind the last device."""
    ids = [claimed.id, *claimed_siblings(2)]

    page, end = nrfcloud.device_page(3)

    assert [device.id for device in page] == ids
    assert end is None


@PAGES
@pytest.mark.proves("list", "200, ten devices where no limit is given")
def test_page_without_a_limit(nrfcloud: Any, claimed: Any, claimed_siblings: Any) -> None:
    """A page has ten devices if nobody asks for another number; how many there are in all is told."""
    claimed_siblings(10)

    answer = nrfcloud.raw.request("GET", "/v1/claimed-devices").json()

    assert len(answer["items"]) == 10
    assert answer["total"] == 11
    assert answer["pageNextToken"]


@PAGES
@pytest.mark.proves("list", "200, the next page is the same whatever has gone before it")
def test_page_token_is_stable(nrfcloud: Any, claimed: Any, claimed_siblings: Any) -> None:
    """Devices that go or come between two pages shift no other: none is shown twice, none is left out."""
    ids = claimed_siblings(4)
    first, token = nrfcloud.device_page(3)
    assert [device.id for device in first] == [claimed.id, *ids[:2]]
    expected = nrfcloud.device_page(3, token)[0]

    claimed.unclaim()
    nrfcloud.device(ids[1]).unclaim()

    assert [device.id for device in nrfcloud.device_page(3, token)[0]] == [device.id for device in expected]
    assert [device.id for device in expected] == ids[2:]


@PAGES
@pytest.mark.proves("list", "200, a page token means the same to every key of the team")
@pytest.mark.backend(needs={"teams"})
def test_page_token_of_a_colleague(nrfcloud: Any, claimed: Any, claimed_siblings: Any) -> None:
    """A token is of the list and not of whoever asked; another team sees nothing of ours by it."""
    ids = claimed_siblings(2)
    _first, token = nrfcloud.device_page(1)

    page, _more = nrfcloud.colleague("viewer").device_page(5, token)

    assert [device.id for device in page] == ids
    assert nrfcloud.another_team().device_page(5, token) == ([], None)


@PAGES
@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"pageLimit": "0"}, id="none"),
        pytest.param({"pageLimit": "101"}, id="101"),
        pytest.param({"pageLimit": "ten"}, id="a word"),
        pytest.param({"pageNextToken": "nonsense"}, id="made-up token"),
        pytest.param({"pageNextToken": ""}, id="empty token"),
    ],
)
@pytest.mark.proves("list", "400 for a page that cannot be")
def test_page_that_cannot_be(board: LeasedBoard, nrfcloud: Any, query: dict[str, str]) -> None:
    """A limit out of range and a token that no page gave are refused with the reason."""
    answer = nrfcloud.raw.request("GET", "/v1/claimed-devices", params=query)

    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["message"]


@FILTERS
@pytest.mark.proves("list", "200, devices with a tag")
def test_filter_by_tag(nrfcloud: Any, board: LeasedBoard, siblings: Any, shown: Any) -> None:
    """A tag's devices are shown and no others; a part of its name is another name."""
    white, both, bare = siblings(3)
    nrfcloud.claim(white.token, tags=["white"])
    nrfcloud.claim(both.token, tags=["Oslo", "white"])
    nrfcloud.claim(bare.token)

    assert shown(tag="white") == [white.id, both.id]
    assert shown(tag="Oslo") == [both.id]
    assert shown(tag="whit") == []


@FILTERS
@pytest.mark.proves("list", "200, devices with a status, as it is now")
def test_filter_by_status(
    nrfcloud: Any, board: LeasedBoard, claimed: Any, claimed_siblings: Any, shown: Any
) -> None:
    """The status that counts is the one of this moment: READY, PENDING, BLOCKED, PROVISIONED."""
    ready, blocked = claimed_siblings(2)
    nrfcloud.device(blocked).block()
    claimed.add_command(Finished())
    assert shown(status="PENDING") == [claimed.id]

    assert board.driver.provision().finished

    assert shown(status=DeviceStatus.READY.value) == [ready]
    assert shown(status="BLOCKED") == [blocked]
    assert shown(status="PENDING") == []
    assert shown(status="PROVISIONED") == [claimed.id]


@FILTERS
@pytest.mark.proves("list", "200, devices with an IMEI")
def test_filter_by_imei(board: LeasedBoard, claimed: Any, claimed_siblings: Any, shown: Any) -> None:
    """A board is found by the IMEI that it tells of itself, all of it."""
    claimed_siblings(2)
    imei = board.driver.imei()

    assert shown(imei=imei) == [claimed.id]
    assert shown(imei=imei[:-1]) == []
    assert shown(imei="000000000000000") == []


@FILTERS
@pytest.mark.proves("list", "200, devices of a type")
def test_filter_by_type(board: LeasedBoard, claimed: Any, shown: Any) -> None:
    """Devices are found by their type as the list shows it, all of it."""
    others = {"nrf9160_SICA", "nrf9161_LACA", "nrf9131_LACA", "nrf9151_LACA"} - {claimed.device_type}

    assert shown(deviceType=claimed.device_type) == [claimed.id]
    assert shown(deviceType="nrf91") == []
    assert [shown(deviceType=other) for other in sorted(others)] == [[], [], []]


@FILTERS
@pytest.mark.proves("list", "200, devices that fit every filter")
def test_filters_add_up(nrfcloud: Any, board: LeasedBoard, siblings: Any, shown: Any) -> None:
    """Of two filters both must fit."""
    first, second = siblings(2)
    nrfcloud.claim(first.token, tags=["white"]).block()
    nrfcloud.claim(second.token, tags=["white"])

    assert shown(tag="white", status="BLOCKED") == [first.id]
    assert shown(tag="Oslo", status="BLOCKED") == []


@FILTERS
@PAGES
@pytest.mark.proves("list", "200, pages of what fits a filter")
def test_pages_of_a_filter(nrfcloud: Any, board: LeasedBoard, siblings: Any) -> None:
    """A filter shows what fits it over all pages, and counts no other."""
    tokens = siblings(6)
    for number, sibling in enumerate(tokens):
        nrfcloud.claim(sibling.token, tags=["even"] if number % 2 == 0 else [])
    query = {"tag": "even", "pageLimit": "2"}

    first = nrfcloud.raw.request("GET", "/v1/claimed-devices", params=query).json()
    more = {**query, "pageNextToken": first["pageNextToken"]}
    second = nrfcloud.raw.request("GET", "/v1/claimed-devices", params=more).json()

    assert [item["id"] for item in first["items"] + second["items"]] == [each.id for each in tokens[::2]]
    assert first["total"] == 3
    assert "pageNextToken" not in second
