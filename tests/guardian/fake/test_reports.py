"""The report, byte for byte, and read back by another reader."""

from __future__ import annotations

import calendar
import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness_guardian.enums import Column
from harness_guardian.fake.choices import CONTRARIAN, FAKE
from harness_guardian.fake.reports import cell, content_disposition, file_name, report

if TYPE_CHECKING:
    from harness_guardian.fake.reports import Value

THEN = calendar.timegm((2026, 11, 21, 1, 24, 33))

#: Order and spelling: guardian fact sheet, section 4.
HEADER = (
    b"System name,System instance name,System instance ID,Component name,Component instance ID,"
    b"Component instance created on,Device HW ID,Approval type,Provisioning status,Request ID,"
    b"Request created on,Response ID,Response created on,Provision source,Approved on,Approved by,"
    b"Rejected on,Rejected by,Provisioned on,Provisioned by"
)


def row(**changed: Value) -> dict[Column, Value]:
    """Make the values of a provisioned device."""
    values: dict[Column, Value] = {
        Column.SYSTEM_NAME: "Infusion",
        Column.SYSTEM_INSTANCE_NAME: "Ward A",
        Column.SYSTEM_INSTANCE_ID: "c1c0ffee-0000-4000-8000-000000000001",
        Column.COMPONENT_NAME: "pump",
        Column.COMPONENT_INSTANCE_ID: "c1c0ffee-0000-4000-8000-000000000002",
        Column.COMPONENT_INSTANCE_CREATED_ON: THEN + 1.0,
        Column.DEVICE_HW_ID: "SN-0001",
        Column.APPROVAL_TYPE: "Manual",
        Column.PROVISIONING_STATUS: "Provisioned",
        Column.REQUEST_ID: "c1c0ffee-0000-4000-8000-000000000003",
        Column.REQUEST_CREATED_ON: float(THEN),
        Column.RESPONSE_ID: "c1c0ffee-0000-4000-8000-000000000004",
        Column.RESPONSE_CREATED_ON: THEN + 2.0,
        Column.PROVISION_SOURCE: "Cloud",
        Column.APPROVED_ON: THEN + 1.0,
        Column.APPROVED_BY: "anna",
        Column.REJECTED_ON: None,
        Column.REJECTED_BY: None,
        Column.PROVISIONED_ON: THEN + 2.9,
        Column.PROVISIONED_BY: "bert",
    }
    return {**values, **{Column(name): value for name, value in changed.items()}}


def test_no_row() -> None:
    """A report of nothing is its header, one line that ends with CRLF."""
    assert report([], FAKE) == HEADER + b",Error code\r\n"


def test_a_provisioned_device() -> None:
    """Every column in its place, dates in ISO 8601 UTC to the second, nothing where nothing is."""
    assert report([(row(), None)], FAKE) == (
        HEADER + b",Error code\r\n"
        b"Infusion,Ward A,c1c0ffee-0000-4000-8000-000000000001,pump,c1c0ffee-0000-4000-8000-000000000002,"
        b"2026-11-21T01:24:34Z,SN-0001,Manual,Provisioned,c1c0ffee-0000-4000-8000-000000000003,"
        b"2026-11-21T01:24:33Z,c1c0ffee-0000-4000-8000-000000000004,2026-11-21T01:24:35Z,Cloud,"
        b"2026-11-21T01:24:34Z,anna,,,2026-11-21T01:24:35Z,bert,\r\n"
    )


def test_error_code_is_last() -> None:
    """Behind the twenty columns of the page comes the code."""
    written = report([(row(provisioning_status="Duplicate HW ID"), "DUPLICATE_HW_ID_FAILURE")], FAKE)
    assert written.endswith(b",bert,DUPLICATE_HW_ID_FAILURE\r\n")


def test_contrarian_report_has_no_error_code() -> None:
    """Whether the report has that column is a choice."""
    assert report([], CONTRARIAN) == HEADER + b"\r\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (b"plain", b"plain"),
        (b"two words", b"two words"),
        (b"a,b", b'"a,b"'),
        (b'the "old" one', b'"the ""old"" one"'),
        (b'"', b'""""'),
        (b"two\r\nlines", b'"two\r\nlines"'),
        (b"two\nlines", b'"two\nlines"'),
        (b"=1+1", b"'=1+1"),
        (b"+47", b"'+47"),
        (b"-1", b"'-1"),
        (b"@SUM(A1)", b"'@SUM(A1)"),
        (b"\tx", b"'\tx"),
        (b'=HYPERLINK("http://x","y")', b'"\'=HYPERLINK(""http://x"",""y"")"'),
        (b"a=1", b"a=1"),
        (b"'x", b"'x"),
        (b"Stra\xc3\x9fe \xe2\x82\xac", b"Stra\xc3\x9fe \xe2\x82\xac"),
    ],
)
def test_one_cell(text: bytes, written: bytes) -> None:
    """What stands in a cell: quotes where RFC 4180 needs them, an apostrophe before what is a formula."""
    made = report([(row(system_name=text.decode()), None)], FAKE)
    assert made.startswith(HEADER + b",Error code\r\n" + written + b",Ward A,")


def test_no_byte_order_mark() -> None:
    """UTF-8, and nothing before the first letter."""
    assert report([(row(system_name="\u00e5"), None)], FAKE)[:6] == b"System"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3))
def test_read_back_by_another_reader(texts: list[str]) -> None:
    """Python's csv reads whatever stands in a name as it was, but for the apostrophe."""
    name, hw_id, user = texts
    values = row(system_name=name, device_hw_id=hw_id, provisioned_by=user)
    made = report([(values, "APPLIANCE_ONLY"), (row(), None)], FAKE).decode()
    header, first, second = csv.reader(io.StringIO(made, newline=""), strict=True)
    assert (len(header), len(first), len(second)) == (21, 21, 21)
    for title, text in (("System name", name), ("Device HW ID", hw_id), ("Provisioned by", user)):
        apostrophe = "'" if text[:1] in {"=", "+", "-", "@", "\t"} and text else ""
        assert first[header.index(title)] == apostrophe + text
    assert (first[20], second[20]) == ("APPLIANCE_ONLY", "")


@example("=1+1")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_is_a_formula(text: str) -> None:
    """No text whatever begins as a formula does."""
    assert not cell(text).startswith(("=", "+", "-", "@", "\t"))


def test_file_name() -> None:
    """Name of the system and the moment, in UTC and without separators."""
    assert file_name("Infusion", THEN, FAKE) == "device-provisioning-report_Infusion_20261121T012433Z.csv"
    assert file_name(None, THEN, FAKE) == "device-provisioning-report_all-systems_20261121T012433Z.csv"
    assert file_name("Infusion", THEN, CONTRARIAN) == "provisioning_Infusion_20261121T012433Z.csv"


def test_file_name_leads_nowhere() -> None:
    """No name of a system makes a path or a second header of the file's name."""
    name = file_name('../a\\b:"c"\r\nX: y', THEN, FAKE)
    assert name == "device-provisioning-report_..-a-b--c---X- y_20261121T012433Z.csv"


def test_content_disposition() -> None:
    """A name in ASCII stands in quotes; another one is given by RFC 6266's second form, too."""
    assert content_disposition("a b.csv") == 'attachment; filename="a b.csv"'
    assert content_disposition("\u00e5.csv") == "attachment; filename=\"-.csv\"; filename*=UTF-8''%C3%A5.csv"
