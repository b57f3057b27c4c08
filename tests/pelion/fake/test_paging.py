"""Pages of lists and filters, by trying: whatever the page size, a walk finds every row once and in order."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness_pelion.fake.choices import FAKE
from harness_pelion.fake.filters import DEVICE_FIELDS, EVENT_FIELDS, moment, parse
from harness_pelion.fake.refusals import Refused
from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICES = "/v3/devices/"
COUNT = 25
STATES = ["bootstrapped", "registered", "deregistered"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake."""
    with a_site() as site:
        yield site


@pytest.fixture(scope="module")
def full(site: Site) -> SiteAccount:
    """An account with devices, whose states take turns."""
    account = site.account()
    ca_id = account.certificate()["id"]
    directory = site.fake.pelion.directory
    for number in range(COUNT):
        device = account.device(ca_id, f"{number:032x}")
        if number % 3:
            directory.registered(device.id, lifetime=60)
        if number % 3 == 2:
            directory.deregistered(device.id, "x")
    return account


def walk(account: SiteAccount, path: str, query: dict[str, Any]) -> tuple[list[str], list[int]]:
    """Return the ids that a client finds page by page, and how many were on each page."""
    found: list[str] = []
    sizes: list[int] = []
    after: dict[str, str] = {}
    while True:
        page = account.get(path, params={**query, **after})
        ids = [row["id"] for row in page["data"]]
        assert page["object"] == "list"
        assert page["after"] == after.get("after")
        found += ids
        sizes.append(len(ids))
        if not page["has_more"]:
            return found, sizes
        assert len(ids) == page["limit"]
        after = {"after": ids[-1]}


@settings(max_examples=40, deadline=None)
@given(
    limit=st.integers(2, 40),
    order=st.sampled_from(["ASC", "DESC", "asc", None]),
    state=st.sampled_from([*STATES, None]),
)
def test_walk(full: SiteAccount, limit: int, order: str | None, state: str | None) -> None:
    """Page by page every row that matches is found once, in order, and no page is longer than asked."""
    query: dict[str, Any] = {"limit": limit}
    expected = [f"{number:032x}" for number in range(COUNT) if state is None or STATES[number % 3] == state]
    if order is not None:
        query["order"] = order
    if order == "DESC":
        expected.reverse()
    if state is not None:
        query["filter"] = f"state={state}"
    found, sizes = walk(full, DEVICES, query)
    assert found == expected
    assert len(sizes) == max(1, -(-len(expected) // limit))


def test_usual_page(full: SiteAccount) -> None:
    """Without parameters a page has up to 50 rows, oldest first, and no count of all."""
    page = full.get(DEVICES)
    assert {name: page[name] for name in ("object", "limit", "order", "has_more", "after")} == {
        "object": "list",
        "limit": 50,
        "order": "ASC",
        "has_more": False,
        "after": None,
    }
    assert "total_count" not in page
    assert len(page["data"]) == COUNT


def test_count_when_asked(full: SiteAccount) -> None:
    """``include=total_count`` adds how many match, however few are on the page."""
    query = {"limit": 2, "include": "total_count", "filter": "state=registered"}
    page = full.get(DEVICES, params=query)
    assert (page["total_count"], len(page["data"]), page["has_more"]) == (8, 2, True)
    last = full.get(DEVICES, params={**query, "after": f"{COUNT - 1:032x}"})
    assert (last["total_count"], last["data"], last["has_more"]) == (8, [], False)


def test_row_that_matches_no_more_is_still_a_place(site: Site) -> None:
    """A walk goes on after a row whose state changed meanwhile."""
    account = site.account()
    ca_id = account.certificate()["id"]
    ids = [account.device(ca_id, f"{number:032x}").id for number in range(4)]
    query = {"limit": 2, "filter": "state=bootstrapped"}
    first = account.get(DEVICES, params=query)
    assert [row["id"] for row in first["data"]] == ids[:2]
    site.fake.pelion.directory.registered(ids[1], lifetime=60)
    second = account.get(DEVICES, params={**query, "after": ids[1]})
    assert [row["id"] for row in second["data"]] == ids[2:]


@settings(max_examples=30, deadline=None)
@given(limit=st.text(max_size=12))
@example("1_0")  # Python reads numbers in these
@example(" 5")
def test_nonsense_as_limit(full: SiteAccount, limit: str) -> None:
    """Whatever text is sent as the limit, it is a page or 400."""
    answer = full.ask("GET", DEVICES, params={"limit": limit})
    if answer.status_code == 200:
        assert str(answer.json()["limit"]) == limit.lstrip("0")
    else:
        assert (answer.status_code, answer.json()["fields"][0]["name"]) == (400, "limit")


# Filters ---------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters=","), max_size=10)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> str:
    """Return a time as the service shows it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


SHOWN = st.builds(
    lambda name, seconds, mode: {
        "name": name,
        "created_at": milliseconds(BEGIN + timedelta(seconds=seconds)),
        "device_execution_mode": mode,
        "custom_attributes": {"tag": name},
        "vendor_id": None,
    },
    TEXT,
    st.integers(0, 5),
    st.sampled_from([0, 1, 5]),
)


def holds(text: str, document: dict[str, Any]) -> bool:
    """Return whether a filter that was decoded once holds for a device."""
    return parse(text, DEVICE_FIELDS, pass_unknown=False)(document)


@given(SHOWN, TEXT, st.integers(0, 5), st.sampled_from([0, 1, 5]))
def test_filters_agree_with_plain_comparisons(
    document: dict[str, Any], name: str, seconds: int, mode: int
) -> None:
    """Each operator is what its name says, for every kind of field, however often the value is encoded."""
    when = BEGIN + timedelta(seconds=seconds)
    shown = datetime.fromisoformat(document["created_at"])
    for time in (f"{when:%Y-%m-%dT%H:%M:%SZ}", f"{when:%Y%m%dT%H%M%SZ}", milliseconds(when)):
        assert holds(urlencode({"created_at": time}), document) == (shown == when)
        assert holds(urlencode({"created_at__gte": time}), document) == (shown >= when)
        assert holds(f"created_at__lte={time}", document) == (shown <= when)
        assert holds(f"created_at__neq={quote(time)}", document) == (shown != when)
    same = document["name"] == name
    assert holds(urlencode({"name": name}), document) == same
    assert holds(urlencode({"name__neq": name}), document) == (not same)
    assert holds(urlencode({"custom_attributes__tag": name}), document) == same
    assert holds(urlencode({"custom_attributes__other__neq": name}), document)
    both = urlencode({"name__in": f"{name},x"})
    assert holds(both, document) == (document["name"] in {name, "x"})
    assert holds(both.replace("__in", "__nin"), document) == (document["name"] not in {name, "x"})
    assert holds(f"device_execution_mode={mode}", document) == (document["device_execution_mode"] == mode)
    together = urlencode({"name": name, "device_execution_mode": mode})
    assert holds(together, document) == (same and document["device_execution_mode"] == mode)
    assert not holds(urlencode({"vendor_id": name}), document)
    assert holds(urlencode({"vendor_id__nin": name}), document)


@given(st.text(max_size=60))
def test_nonsense_as_filter(text: str) -> None:
    """Whatever text is sent, it is a filter or a refusal of the field ``filter``, and nothing else."""
    for fields in (DEVICE_FIELDS, EVENT_FIELDS):
        refused = None
        try:
            parse(text, fields, pass_unknown=False)({})
        except Refused as problem:
            refused = problem
        assert refused is None or (refused.status, list(refused.fields)) == (400, ["filter"])


#: The ways to write a time that the published interface permits.
DOCUMENTED = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}(\.[0-9]{1,6})?Z|[0-9]{8}T[0-9]{6}Z", re.ASCII
)
TIMES = st.one_of(
    st.text(st.sampled_from("0123456789-T:.Z"), max_size=30),
    st.from_regex(
        r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,9})?Z", fullmatch=True
    ),
    st.from_regex(r"20[0-9]{2}[01][0-9][0-3][0-9]T[0-2][0-9][0-6][0-9][0-6][0-9]Z", fullmatch=True),
)


@given(TIMES)
def test_times_agree_with_the_standard_library(text: str) -> None:
    """What is taken for a time is the one that Python's own reader finds there, in UTC."""
    try:
        taken = moment(text)
    except ValueError:
        assert not (DOCUMENTED.fullmatch(text) and _is_time(text))
    else:
        expected = datetime.fromisoformat(text)
        assert taken == (expected if expected.tzinfo else expected.replace(tzinfo=UTC))


def _is_time(text: str) -> bool:
    """Whether Python takes a text for a time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def test_shown_time_is_within_its_own_bounds(site: Site) -> None:
    """A client that filters by the time that it was shown finds the device: milliseconds are no loss."""
    account = site.account()
    device = account.device(account.certificate()["id"])
    shown = account.get(f"{DEVICES}{device.id}/")["created_at"]
    for operator in ("", "__gte", "__lte"):
        assert len(account.get(DEVICES, params={"filter": f"created_at{operator}={shown}"})["data"]) == 1


def test_default_choices_refuse_unknown_fields() -> None:
    """That unknown fields are refused is the fake's own choice, taken from its list."""
    assert not FAKE.unknown_filters
    with pytest.raises(Refused):
        parse("coffee=1", DEVICE_FIELDS, pass_unknown=FAKE.unknown_filters)
