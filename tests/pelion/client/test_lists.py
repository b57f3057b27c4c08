"""Lists are read to their end, page by page; filters are encoded as the service wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BackendFault
from harness_pelion.client_door import filter_text
from harness_pelion.client_models import AccountRecord

if TYPE_CHECKING:
    from harness_pelion.client import PelionClient
    from tests.pelion.client.conftest import Paper

DEVICES = "/v3/devices/"


def _page(*ids: str, more: bool = False) -> dict[str, object]:
    return {
        "object": "list",
        "data": [{"id": each, "state": "registered"} for each in ids],
        "has_more": more,
        "limit": 100,
        "order": "ASC",
    }


def test_all_pages_are_read(on_paper: PelionClient, paper: Paper) -> None:
    """Each page is asked for by the last id of the one before; rows that come twice count once."""
    paper.says("GET", DEVICES, _page("a", "b", more=True))
    paper.says("GET", DEVICES, _page("b", "c", more=True))
    paper.says("GET", DEVICES, _page("d"))

    assert [device.id for device in on_paper.devices()] == ["a", "b", "c", "d"]
    assert [request.url.params.get("after") for request in paper.asked] == [None, "b", "c"]


@pytest.mark.parametrize("pages", [[_page(more=True)], [_page("a", more=True), _page("a", more=True)]])
def test_list_without_an_end_is_refused(
    on_paper: PelionClient, paper: Paper, pages: list[dict[str, object]]
) -> None:
    """A page that says that there are more and does not lead on is the service's fault, not a loop."""
    for page in pages:
        paper.says("GET", DEVICES, page)

    with pytest.raises(BackendFault, match="ends where it began"):
        on_paper.devices()


def test_filter_is_encoded_twice(on_paper: PelionClient, paper: Paper) -> None:
    """What MBL's SDK sends is sent: ``state%3Dregistered%26name%3Da%2520b`` (fact sheet, section 4)."""
    paper.says("GET", DEVICES, _page())

    on_paper.devices(state="registered", name__eq="a b", created_at__gte="2026-01-01T00:00:00Z", order="DESC")

    query = paper.asked[0].url.query.decode()
    assert (
        "filter=state%3Dregistered%26name%3Da%2520b%26created_at__gte%3D2026-01-01T00%253A00%253A00Z" in query
    )
    assert "order=DESC" in query


@given(st.dictionaries(st.sampled_from(["name", "id", "ca_id__neq"]), st.text(min_size=1), max_size=3))
def test_filter_can_be_read_back(filters: dict[str, str]) -> None:
    """Whatever the values hold, the filter is one text from which they can be told again."""
    encodable = {name: value for name, value in filters.items() if value.isprintable()}
    assert dict(parse_qsl(filter_text(encodable), keep_blank_values=True, strict_parsing=False)) == encodable


def test_pages_of_a_served_fake(pelion: PelionClient) -> None:
    """Certificates that fill several pages are all told, in the order of the service."""
    names = [pelion.own_name(f"dev{number}") for number in range(5)]
    for name in names:
        pelion.create_developer_certificate(name)

    pages = pelion.trusted_certificates(limit=2, order="ASC")

    assert [row.name for row in pages] == names
    first = pelion.door.page(
        "/v3/trusted-certificates",
        AccountOrCertificate,
        operation="x",
        params={"limit": 2, "include": "total_count"},
    )
    assert (len(first.data), first.has_more, first.total_count) == (2, True, 5)


class AccountOrCertificate(AccountRecord):
    """A row of which only the id and the status are wanted."""
