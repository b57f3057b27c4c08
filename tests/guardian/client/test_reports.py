"""Reports and settings."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BackendFault
from harness_guardian.client_reports import read_report

if TYPE_CHECKING:
    from harness_guardian.client import GuardianClient
    from tests.guardian.client.conftest import Stage

REPORT = "/api/v1/reports/device-provisioning"
SETTINGS = "/api/v1/me/settings"
CSV = b'System name,Request ID\r\n"a ""b"", c",r1\r\nd,r2\r\n'


def test_report(guardian: GuardianClient, stage: Stage) -> None:
    """The file as it came, its name, and its lines by headings."""
    name = "device-provisioning-report_s_20261121T012433Z.csv"
    stage.cloud.says("GET", REPORT, 200, CSV, Content_Disposition=f'attachment; filename="{name}"')

    report = guardian.report(system="s")

    assert stage.cloud.requests("GET", REPORT)[0].path == f"{REPORT}?scope=all&system=s"
    assert (report.filename, report.content, report.text) == (name, CSV, CSV.decode())
    assert report.header == ("System name", "Request ID")
    line = report.row_of("r1")
    assert line is not None
    assert line["System name"] == 'a "b", c'
    assert report.row_of("r3") is None


def test_selected(guardian: GuardianClient, stage: Stage) -> None:
    """Ids go in one parameter; a report without a name has none."""
    stage.cloud.says("GET", REPORT, 200, CSV)

    assert guardian.report("selected", ids=["r1", "r2"]).filename == ""
    assert stage.cloud.requests("GET", REPORT)[0].path == f"{REPORT}?scope=selected&ids=r1%2Cr2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no header"),
        (b"a,b\r\nc\r\n", "line 2 of the report has 1 cells, its header 2"),
        (b'a,b\r\n"c', "cannot be read"),
        (b"a,\xff\r\n", "cannot be read"),
    ],
)
def test_no_report(content: bytes, message: str) -> None:
    """What is no report is the service's fault."""
    with pytest.raises(BackendFault, match=message):
        read_report(content)


@settings(max_examples=40)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=width, max_size=width),
            min_size=1,
            max_size=5,
        )
    )
)
def test_any_report_is_read(lines: list[list[str]]) -> None:
    """What another writer quotes is read as it was, whatever is in the cells."""
    header, *rest = lines
    header = [f"{number} {text}" for number, text in enumerate(header)]
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows([header, *rest])

    report = read_report(file.getvalue().encode())

    assert list(report.header) == header
    assert [[row[title] for title in header] for row in report.rows] == rest


@settings(max_examples=40)
@given(st.binary(max_size=100))
def test_any_bytes_are_a_report_or_none(content: bytes) -> None:
    """Nothing else comes of bad bytes than a fault of the service."""
    try:
        report = read_report(content)
    except BackendFault:
        return
    assert all(len(row) <= len(report.header) for row in report.rows)


def test_settings(guardian: GuardianClient, stage: Stage) -> None:
    """What is not given stays as it is."""
    stage.cloud.says("GET", SETTINGS, 200, {"iso": False, "local_time": True})
    stage.cloud.says("PUT", SETTINGS, 200, {"iso": True, "local_time": True})

    assert guardian.settings().local_time
    assert guardian.change_settings(iso=True).iso

    (asked,) = stage.cloud.requests("PUT", SETTINGS)
    assert asked.json == {"iso": True, "local_time": True}
    guardian.change_settings(local_time=False)
    assert stage.cloud.requests("PUT", SETTINGS)[1].json == {"iso": False, "local_time": False}
