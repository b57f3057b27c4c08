"""Claiming by CSV in the fake: bodies of every kind, row by row (nrfcloud fact sheet, section 2.4)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.bulk_claims import is_csv, read_rows
from harness_nordic.fake.choices import CONTRARIAN
from harness_nordic.fake.clock import Clock
from harness_nordic.fake.refusals import BadRequest
from tests.nordic.fake.conftest import Door
from tests.nordic.paper_device import NOW, PaperDevice

if TYPE_CHECKING:
    from tests.nordic.fake.conftest import Site

CLAIMS = "/v1/claimed-devices"


def post(site: Site, body: str | bytes, **content: Any) -> Any:
    """Send a body as curl does with ``--data-binary``."""
    return site.ask("POST", CLAIMS, content=body, **content)


def test_body_of_nordics_client(site: Site) -> None:
    """Every field in quotes, LF, no Content-Type but one under a wrong name: as Python's csv writes it."""
    second = site.enrolled(2)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([[device.token(), "nrf-cloud-onboarding,white"] for device in (site.device, second)])

    answer = post(site, text.getvalue(), headers={"contentType": "text/csv"})

    assert answer.status_code == 200
    assert answer.json()["claimedIds"] == [site.device.id, second.id]
    assert answer.json()["failed"] == []
    devices = answer.json()["claimedDevices"]
    assert [device["tags"] for device in devices] == [["nrf-cloud-onboarding", "white"]] * 2
    assert devices == site.ask("GET", CLAIMS).json()["items"]


def test_token_of_the_documents(site: Site) -> None:
    """The documents' own row, whose token lacks a character, fails alone and is told as it was sent."""
    token = (
        "2dn3hQFQMGctS_s1SFah9Ec8pTovDQNQJQ6Xd9jnSmyoRTcyiJBnpFDeHvNg-5iCpT8LJcf7JVzK."
        "oRDoQEmoQRBIfZYQIa6SNb3Ic7oz1UCacFTgWc63TNOE8i3rEa-cZElEUrKOOHlJ0dwGwPvZY0FXcA5L3Zh-TfQBONj1N5LPqYMmJc"
    )

    answer = post(site, f'{token},"Oslo,white"\n{site.device.token()}').json()

    assert answer["claimedIds"] == [site.device.id]
    (failed,) = answer["failed"]
    assert (failed["row"], failed["claimToken"]) == (1, token)
    assert "malformed" in failed["message"]


def test_blank_lines_count_as_lines(site: Site) -> None:
    """The number of a failed row is that of its line, so that it is found in the file."""
    answer = post(site, f"\r\n\nbad\r\n\n{site.device.token()}\n").json()

    assert [failed["row"] for failed in answer["failed"]] == [3]
    assert answer["claimedIds"] == [site.device.id]


def test_byte_order_mark(site: Site) -> None:
    """A mark that spreadsheets write in front of the first row is no part of it."""
    answer = post(site, b"\xef\xbb\xbf" + site.device.token().encode())

    assert answer.json()["claimedIds"] == [site.device.id]


@pytest.mark.parametrize(
    ("body", "content_type", "wanted"),
    [
        (b"x", "", True),
        (b" \r\n\tx", "text/csv", True),
        (b'"{"', "application/x-www-form-urlencoded", True),
        (b"{", "text/csv", False),
        (b" \n{}", "", False),
        (b"[1]", "application/json", False),
        (b"x", "application/problem+json; charset=utf-8", False),
        (b"x", "application/jsonlines", True),
        (b"", "text/csv", False),
        (b" \n", "text/csv", False),
    ],
)
def test_what_is_csv(body: bytes, content_type: str, *, wanted: bool) -> None:
    """The first byte decides; what calls itself JSON is held to it, and nothing is no CSV."""
    assert is_csv(body, content_type) is wanted


@pytest.mark.parametrize(
    ("line", "token", "tags", "problem"),
    [
        ("t", "t", (), ""),
        ("t,", "t", (), ""),
        ('t,""', "t", (), ""),
        ("t,a", "t", ("a",), ""),
        ('"t","a,b"', "t", ("a", "b"), ""),
        (' t , "a, b" ', "t", ("a", "b"), ""),
        ('t,"say ""hello"""', "t", ('say "hello"',), ""),
        ("t,ä", "t", ("ä",), ""),
        (",a", "", ("a",), ""),
        ("t,a,b", "t", (), "3 columns"),
        ('t,"a', "", (), "not CSV"),
        ('t,"a"u', "", (), "not CSV"),
        ('t,"a,,b"', "t", ("a", "", "b"), "an empty tag"),
        ("t," + "x" * 101, "t", ("x" * 101,), "more than 100 characters"),
        ("t," + "x" * 100, "t", ("x" * 100,), ""),
        ("a.b.c", "a.b.c", (), "3 parts"),
    ],
)
def test_row(line: str, token: str, tags: tuple[str, ...], problem: str) -> None:
    """One line, what it holds, and why it can be no claim."""
    (row,) = read_rows(line.encode())

    assert (row.number, row.token, row.tags) == (1, token, tags)
    assert problem in row.problem
    assert bool(problem) is bool(row.problem)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xff", "no UTF-8 at byte 0"),
        (b"a\0b", "zero bytes"),
        (b"\n\r\n", "no row"),
        (b"x\n" * 1001, "1001 rows; expected 1000"),
    ],
)
def test_body_that_is_refused(body: bytes, message: str) -> None:
    """Bodies that are no rows are refused as a whole, with the reason."""
    with pytest.raises(BadRequest, match=message):
        read_rows(body)


def test_thousand_rows_and_blank_lines(site: Site) -> None:
    """Blank lines are no rows: a thousand of the one may stand among any number of the other."""
    body = "bad\n\n" * 999 + site.device.token()

    answer = post(site, body)

    assert answer.status_code == 200
    assert answer.json()["claimedIds"] == [site.device.id]


fields = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\0{\ufeff"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(fields, min_size=1, max_size=3), min_size=1, max_size=8),
    end=st.sampled_from("\r\n"),
)
def test_rows_as_csv_writes_them(rows: list[list[str]], end: str) -> None:
    """Whatever Python's csv writes in a line is read back in its row, and no row is shifted."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)

    found = {row.number: row for row in read_rows(text.getvalue().encode())}

    assert sorted(found) == list(range(1, len(rows) + 1))
    for number, columns in enumerate(rows, 1):
        assert found[number].token == columns[0].strip()
        if len(columns) > 2:
            assert found[number].problem
        elif len(columns) == 2 and not found[number].problem:
            assert found[number].tags == (
                tuple(tag.strip() for tag in columns[1].split(",")) if columns[1].strip() else ()
            )


@settings(max_examples=80, deadline=None)
@given(body=st.binary(max_size=200) | st.text(alphabet='a.,"\n\r {', max_size=80).map(str.encode))
def test_any_body_is_rows_or_refused(body: bytes) -> None:
    """Rows are numbered in order, no number twice, whatever the body; everything else is a refusal."""
    try:
        rows = read_rows(body)
    except BadRequest:
        return
    numbers = [row.number for row in rows]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == len(
        [line for line in body.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    ) or body.startswith(b"\xef\xbb\xbf")


def test_contrarian_answer() -> None:
    """The other choice tells devices under ``claimedIds``, and tokens under ``failed``."""
    fake = NrfCloudFake(Clock(lambda: NOW), choices=CONTRARIAN)
    key = fake.provisioning.add_member().api_key
    device = PaperDevice()
    assert Door(fake.control).ask("POST", "/factory", json=device.record()).status_code == 201

    answer = Door(fake.service).ask("POST", CLAIMS, key=key, content=f"bad\n{device.token()}").json()

    assert set(answer) == {"claimedIds", "failed"}
    assert [claimed["id"] for claimed in answer["claimedIds"]] == [device.id]
    assert answer["failed"] == ["bad"]
