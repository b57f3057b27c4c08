"""What the Devices page is asked for survives its own addresses, whatever somebody types into one."""

from __future__ import annotations

import ast
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from harness_guardian.enums import COLUMN_TITLES, ERROR_LABELS, STATUS_TEXTS, Action
from harness_guardian.fake.pages.addresses import (
    asked_panel,
    device_address,
    follow_address,
    read_query,
    safe_return,
)
from tests.guardian.pages.seed import COLUMNS, MANUAL_STATUSES, TESTS

NAMES = [
    "system",
    "system_instance",
    "component",
    "hw_id",
    "status",
    "view",
    "provisioned_from",
    "provisioned_to",
    "page",
    "quick_status",
    "several",
    "bulk",
]
# What a URL can carry; lone surrogates cannot be sent.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["history", "current", "several", "2", "0", "-1", "9" * 400, "٣"]
)
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=12)


@settings(max_examples=50)
@given(PAIRS)
def test_any_query_is_read_and_written_back(pairs: list[tuple[str, str]]) -> None:
    """Reading never fails, and what was read is the same after it went through an address of ours."""
    query = read_query(QueryParams(pairs))

    again = read_query(QueryParams(parse_qsl(urlsplit(query.address).query)))

    assert again == query
    assert safe_return(query.address) == query.address
    assert query.page >= 1
    assert dict(query.narrowing()).keys() <= set(NAMES) - {"page", "system"}


@given(st.text(max_size=40))
def test_any_id_has_an_address_of_its_own(identifier: str) -> None:
    """No id leads out of the pages, or to another page than its own."""
    for address in (device_address(identifier), follow_address(identifier)):
        assert address.count("/") == 2
        assert urlsplit(address).netloc == ""
        assert not set("?#\\") & set(address)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", None),
        ("approve=a", (Action.APPROVE, "a")),
        ("reject=b", (Action.REJECT, "b")),
        ("bulk=provision", (Action.PROVISION, None)),
        ("bulk=delete", None),
        ("approve=", None),
    ],
)
def test_panel_that_is_asked_for(query: str, expected: tuple[Action, str | None] | None) -> None:
    """A panel is for one request or for all that are shown, and for no other action than the three."""
    assert asked_panel(QueryParams(query), Action) == expected


def test_words_of_the_seed_are_those_of_the_package() -> None:
    """Labels that were copied from the seed for the tests are those that the package shows."""
    assert list(COLUMN_TITLES.values()) == COLUMNS
    assert set(MANUAL_STATUSES) == {*STATUS_TEXTS.values(), *ERROR_LABELS.values()} - {"Auto-approved"}


def test_every_test_that_the_list_names_is_there() -> None:
    """Each thing that the seed names of the pages has a test in Chromium of the name that is listed."""
    directory = Path(__file__).parents[1] / "pages"
    there = {
        f"{path.name}::{node.name}"
        for path in directory.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }

    assert set(TESTS.values()) <= there
