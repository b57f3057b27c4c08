"""The core API of the fake: rows, operations, devices, updates (nrfcloud fact sheet, section 2.10)."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN
from harness_nordic.fake.clock import Clock
from harness_nordic.fake.core_devices import CoreDevice, CoreDevices
from harness_nordic.fake.core_rows import RowRefused, read_device, read_records
from harness_nordic.fake.refusals import BadRequest, Conflict, NotFound
from tests.nordic.fake.conftest import Door
from tests.nordic.paper_device import NOW

if TYPE_CHECKING:
    from tests.nordic.fake.conftest import Site

PEM = Path("suites/nrfcloud/material/client.pem").read_text().strip()
ROW = f'50363154,tracker,red|Oslo,APP|MODEM,"{PEM}"\n'
"""As ``claim_and_provision_device`` writes it (section 2.10)."""


def onboard(site: Site, body: str | bytes, content_type: str = "text/plain") -> Any:
    """Send rows."""
    return site.ask("POST", "/v1/devices", content=body, headers={"content-type": content_type})


def outcome(site: Site, answer: Any) -> dict[str, str]:
    """Ask what came of an onboarding."""
    assert answer.status_code == 202
    assert set(answer.json()) == {"bulkOpsRequestId"}
    told: dict[str, str] = site.ask(
        "GET", f"/v1/bulk-ops-requests/{answer.json()['bulkOpsRequestId']}"
    ).json()
    return told


def test_onboarded_device_object(site: Site) -> None:
    """The device has what Nordic's tools read of it, and a time."""
    told = outcome(site, onboard(site, ROW))

    assert told["status"] == "SUCCEEDED"
    assert "errorSummaryUrl" not in told
    device = site.ask("GET", "/v1/devices/50363154").json()
    assert device.pop("tenantId") == site.ask("GET", "/v1/account").json()["team"]["tenantId"]
    assert device == {
        "id": "50363154",
        "name": "50363154",
        "type": "Generic",
        "subType": "tracker",
        "tags": ["red", "Oslo"],
        "groups": [],
        "firmware": {"supports": ["APP", "MODEM"]},
        "$meta": {"createdAt": "2023-11-14T22:13:20.000Z", "version": "1.0"},
        "state": {},
    }
    listed = site.ask("GET", "/v1/devices", params={"includeState": "false"}).json()
    assert "state" not in listed["items"][0]


def test_error_summary(site: Site) -> None:
    """Errors are told at an address of their own, without a key, numbered from 0; a blank line is no row."""
    told = outcome(site, onboard(site, f"{ROW}\n{ROW}bad id,,,,x\n", "text/csv"))

    assert told["status"] == "FAILED"
    answer = site.world.ask("GET", told["errorSummaryUrl"])
    assert answer.status_code == 200
    first, second = answer.json()["errors"]
    assert first == "[1]: the team has a device 50363154 already"
    assert second.startswith("[2]: no device id")
    assert site.world.ask("GET", told["errorSummaryUrl"][:-1]).status_code == 404


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (["x", "", "", ""], "4 columns; expected 5"),
        (["", "", "", "", PEM], "no device id"),
        (["x" * 65, "", "", "", PEM], "no device id"),
        (["a/b", "", "", "", PEM], "no device id"),
        (["x", "", "a||b", "", PEM], "a tag that is empty"),
        (["x", "", "t" * 101, "", PEM], "more than 100 characters"),
        (["x", "", "", "APP|FLASH", PEM], "no firmware type: 'FLASH'"),
        (["x", "", "", "", ""], "certificate"),
        (["x", "", "", "", PEM[:200]], "certificate"),
    ],
)
def test_row_that_is_refused(record: list[str], problem: str) -> None:
    """Why a row onboards nothing."""
    with pytest.raises(RowRefused, match=problem):
        read_device(record)


def test_row_without_types() -> None:
    """Where no firmware types are named, the client's own default counts."""
    device = read_device(["x" * 64, "", "", "", PEM])

    assert (device.firmware_types, device.tags, device.sub_type) == (("APP", "MODEM"), (), "")


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xff", b'x,"', b'x,"a"b', b"x\n" * 1001], ids=repr)
def test_body_that_is_refused(site: Site, body: bytes) -> None:
    """What is no CSV, empty or too long is refused as a whole."""
    with pytest.raises(BadRequest):
        read_records(body)
    assert onboard(site, body).status_code == 400
    assert site.ask("GET", "/v1/devices").json()["items"] == []


def test_thousand_certificates_fit(site: Site) -> None:
    """A thousand rows with certificates are more than any other body may be, and are taken."""
    body = "".join(f'device-{number},,,,"{PEM.ljust(1100)}"\n' for number in range(1000))
    assert len(body) > 1024 * 1024

    assert outcome(site, onboard(site, body))["status"] == "SUCCEEDED"
    assert site.ask("GET", "/v1/devices").json()["total"] == 1000
    assert onboard(site, body * 4).status_code == 413


def test_type_of_the_body(site: Site) -> None:
    """Rows are text; anything else is 415."""
    assert onboard(site, ROW, "application/json").status_code == 415
    assert onboard(site, ROW, "Text/CSV; charset=utf-8").status_code == 202


def test_operations_and_jobs_of_another_team(site: Site) -> None:
    """Nothing of a team is found by another."""
    onboard(site, ROW)
    operation = onboard(site, ROW).json()["bulkOpsRequestId"]
    bundle = site.ask("GET", "/v1/firmwares").json()["items"][0]["bundleId"]
    job = site.ask("POST", "/v1/fota-jobs", json={"bundleId": bundle, "tags": ["red"]}).json()["jobId"]
    other = site.team()["api_key"]

    for path in (f"bulk-ops-requests/{operation}", f"fota-jobs/{job}", "devices/50363154"):
        assert site.ask("GET", f"/v1/{path}").status_code == 200
        assert site.ask("GET", f"/v1/{path}", key=other).status_code == 404
    assert site.ask("DELETE", f"/v1/fota-jobs/{job}", key=other).status_code == 404
    assert site.ask("DELETE", f"/v1/fota-jobs/{job}").status_code == 204
    assert site.ask("GET", f"/v1/fota-jobs/{job}").status_code == 404


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["a", "b", "c"]),
        ({"pageSort": "desc"}, ["c", "b", "a"]),
        ({"pageSort": "desc", "pageLimit": "2"}, ["c", "b"]),
        ({"deviceIds": "a,c"}, ["a", "c"]),
        ({"firmwareSupport": ["BOOT", "MODEM"]}, ["a", "b"]),
        ({"tags": "red"}, ["b", "c"]),
        ({"tags": "red", "firmwareSupport": "APP"}, ["c"]),
        ({"deviceIds": "x"}, []),
    ],
    ids=str,
)
def test_list_of_devices(site: Site, query: dict[str, Any], ids: list[str]) -> None:
    """Filters, order and pages as Nordic's tool asks for them."""
    onboard(site, f'a,,,BOOT,"{PEM}"\nb,,red,MODEM,"{PEM}"\nc,,red|x,APP,"{PEM}"\n')

    answer = site.ask("GET", "/v1/devices", params=query)

    assert [device["id"] for device in answer.json()["items"]] == ids


def test_pages_newest_first(site: Site) -> None:
    """The pages of a falling order follow each other, too."""
    onboard(site, "".join(f'd{number},,,,"{PEM}"\n' for number in range(5)))
    found: list[str] = []
    query = {"pageSort": "desc", "pageLimit": "2"}
    for _page in range(3):
        page = site.ask("GET", "/v1/devices", params=query).json()
        found += [device["id"] for device in page["items"]]
        query["pageNextToken"] = page.get("pageNextToken", "")

    assert found == ["d4", "d3", "d2", "d1", "d0"]
    assert "pageNextToken" not in page


@pytest.mark.parametrize("query", [{"pageSort": "up"}, {"firmwareSupport": "FLASH"}], ids=str)
def test_list_that_cannot_be(site: Site, query: dict[str, str]) -> None:
    """A value that is none is refused with the name of the query."""
    answer = site.ask("GET", "/v1/devices", params=query)

    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"bundleId": "no", "tags": ["x"]}, "bundleId"),
        ({"bundleId": "{bundle}"}, "either deviceIds or tags"),
        ({"bundleId": "{bundle}", "tags": ["x"], "deviceIds": ["y"]}, "either deviceIds or tags"),
        ({"bundleId": "{bundle}", "deviceIds": ["50363154", "y"]}, "deviceIds"),
        ({"tags": ["x"]}, "bundleId"),
    ],
    ids=str,
)
def test_job_that_cannot_be(site: Site, body: dict[str, Any], message: str) -> None:
    """An update is one of the bundles, for devices of the team or for tags; nothing is ordered by others."""
    onboard(site, ROW)
    bundle = site.ask("GET", "/v1/firmwares").json()["items"][0]["bundleId"]
    named = {**body, "bundleId": bundle} if body.get("bundleId") == "{bundle}" else body

    answer = site.ask("POST", "/v1/fota-jobs", json=named)

    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert site.ask("GET", "/v1/fota-jobs").json()["items"] == []


def test_name_and_state(site: Site) -> None:
    """A name is a list of one text, a state an object that is merged; both are answered 202."""
    onboard(site, ROW)
    device = "/v1/devices/50363154"

    assert site.ask("PUT", device + "/name", json=["Hugo"]).status_code == 202
    assert site.ask("PATCH", device + "/state", json={"desired": {"a": 1, "b": 2}}).status_code == 202
    assert site.ask("PATCH", device + "/state", json={"desired": {"a": None}}).status_code == 202
    assert site.ask("PUT", device + "/name", json=["a", "b"]).status_code == 400
    assert site.ask("PATCH", device + "/state", json=[1]).status_code == 400
    deep: dict[str, Any] = {}
    for _level in range(21):
        deep = {"x": deep}
    assert "deeper" in site.ask("PATCH", device + "/state", json=deep).json()["message"]

    read = site.ask("GET", device).json()
    assert (read["name"], read["state"]) == ("Hugo", {"desired": {"b": 2}})


def test_bundles(site: Site) -> None:
    """What may be ordered has what Nordic's tool reads; the list can be narrowed to modem firmware."""
    bundles = site.ask("GET", "/v1/firmwares", params={"pageLimit": "100", "modemOnly": "true"}).json()[
        "items"
    ]

    assert {bundle["type"] for bundle in bundles} == {"MODEM", "MDM_FULL"}
    assert all(
        {"bundleId", "name", "description", "type", "version", "size", "lastModified"} <= set(bundle)
        for bundle in bundles
    )


def test_contrarian_core() -> None:
    """All rows or none, an operation that takes its time, no groups, a deletion that is answered."""
    fake = NrfCloudFake(Clock(lambda: NOW), choices=CONTRARIAN)
    key, door = fake.provisioning.add_member().api_key, Door(fake.service)

    def ask(method: str, path: str, **content: Any) -> Any:
        return door.ask(method, path, key=key, **content)

    def send(rows: str) -> str:
        answer = ask("POST", "/v1/devices", content=rows, headers={"Content-Type": "text/csv"})
        identifier: str = answer.json()["bulkOpsRequestId"]
        return f"/v1/bulk-ops-requests/{identifier}"

    refused = send(ROW + "bad\n")
    assert [ask("GET", refused).json()["status"] for _time in range(2)] == ["IN_PROGRESS", "FAILED"]
    assert ask("GET", "/v1/devices").json()["items"] == []
    send(ROW)
    assert "groups" not in ask("GET", "/v1/devices/50363154").json()
    deleted = ask("DELETE", "/v1/devices/50363154")
    assert (deleted.status_code, deleted.json()["id"]) == (202, "50363154")


def test_onboarding_by_provisioning() -> None:
    """A device that is provisioned again keeps its name, state and time, and joins another group."""
    core = CoreDevices(Clock(lambda: NOW))
    first = core.onboard("team", CoreDevice(id="x", sub_type="a", groups=("g",), tags=("t",)))
    first.name = "Hugo"

    again = core.onboard("team", CoreDevice(id="x", sub_type="b", groups=("h",), firmware_types=("APP",)))

    assert again is first
    assert (again.name, again.sub_type, again.groups, again.tags) == ("Hugo", "b", ("g", "h"), ("t",))
    assert again.firmware_types == ("APP",)
    with pytest.raises(Conflict):
        core.add("team", CoreDevice(id="x"))
    core.add("other", CoreDevice(id="x"))
    core.delete("other", "x")
    with pytest.raises(NotFound):
        core.device("other", "x")
    assert core.devices("team") == [first]


states = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.dictionaries(st.text(max_size=3), states, max_size=3), max_size=4))
def test_shadow_never_holds_null(changes: list[dict[str, Any]]) -> None:
    """However changes add up, ``null`` takes away, and the last value of a key counts."""
    device = CoreDevice(id="x")
    for change in changes:
        device.take_state(change)

    def holds_null(value: Any) -> bool:
        return value is None or (isinstance(value, dict) and any(map(holds_null, value.values())))

    assert not holds_null(device.shadow)
    for key, value in (changes[-1] if changes else {}).items():
        if not isinstance(value, dict):
            assert device.shadow.get(key) == value


def test_fault_on_a_call_of_the_core(site: Site) -> None:
    """Faults of the management API strike the core too, but never the summary that needs no key."""
    told = outcome(site, onboard(site, "bad\n"))
    owner = site.ask("GET", "/v1/account").json()["team"]["tenantId"]
    order = {"on": "management", "kind": "status", "owner": owner, "status": 503, "times": 1}
    assert site.control.ask("POST", "/faults", json=order).status_code == 201

    assert site.world.ask("GET", told["errorSummaryUrl"]).status_code == 200
    assert site.ask("GET", "/v1/devices").status_code == 503
    assert site.ask("GET", "/v1/devices").status_code == 200


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_state_with_a_number_that_json_has_not(site: Site, number: str) -> None:
    """A shadow that could never be shown again is refused, however deep the number is."""
    onboard(site, ROW)
    path = "/v1/devices/50363154"

    answer = site.ask("PATCH", f"{path}/state", content=f'{{"a": [{{"b": {number}}}]}}'.encode())

    assert answer.status_code == 400
    assert site.ask("GET", path).json()["state"] == {}


def test_certificate_of_a_version_that_is_none() -> None:
    """What another parser would stumble over is a row that is refused."""
    der = ssl.PEM_cert_to_DER_cert(PEM)
    version = bytes.fromhex("a003020102")
    assert version in der
    strange = ssl.DER_cert_to_PEM_cert(der.replace(version, bytes.fromhex("a003020107"), 1))

    with pytest.raises(RowRefused, match="the certificate cannot be read"):
        read_device(["50363154", "", "", "", strange])
