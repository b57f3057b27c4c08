"""Submitting provisioning requests and reading them, by the API (guardian fact sheet, section 10.5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.fake.rest_site import BASE, REQUESTS, Site, a_site, problem
from tests.guardian.making import COSE_TYPE, JWS_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake whose transient statuses do not last."""
    with a_site() as site:
        yield site


# Submitting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_submitted_by_a_device(site: Site, form: str) -> None:
    """A device needs no token: 202, where the row is, and when to ask again."""
    system = site.system()
    made = system.device().request(form)
    answer = system.submit(made, who=None)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{REQUESTS}/{made.request_id}"
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"request_id": made.request_id, "status": "verifying"}


def test_same_bytes_again(site: Site) -> None:
    """The same request once more is the same row: 200, and its status now."""
    system = site.system()
    made = system.device().request()
    system.submit(made)
    site.until(made.request_id, "needs_approval")
    answer = system.submit(made, who=None)
    assert (answer.status_code, answer.json()["status"]) == (200, "needs_approval")
    assert len(system.rows()) == 1


@pytest.mark.parametrize("said", ["application/octet-stream", None, COSE_TYPE, JWS_TYPE])
def test_uploaded_in_a_form(site: Site, said: str | None) -> None:
    """A browser sends the field ``file``; what it does not know it calls octets."""
    system = site.system()
    made = system.device().request("cose" if said == COSE_TYPE else "jws")
    file = ("device.mcpr", made.content, said) if said else ("device.mcpr", made.content)
    answer = site.ask("POST", REQUESTS, "liam", files={"file": file})
    assert (answer.status_code, answer.json()["request_id"]) == (202, made.request_id)


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        ({"file": "no file"}, {}),
        ({}, {"other": ("a.mcpr", b"{}", JWS_TYPE)}),
        ({"x": "1"}, {"file": ("", b"", JWS_TYPE)}),
    ],
)
def test_form_without_a_file(site: Site, fields: dict[str, str], files: dict[str, Any]) -> None:
    """A form has one file in that field, or it is refused."""
    answer = site.ask("POST", REQUESTS, data=fields, files={**files, "y": ("y", b"y")})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_two_files(site: Site) -> None:
    """Which of two files is meant nobody knows."""
    file = ("a.mcpr", b"{}", JWS_TYPE)
    answer = site.ask("POST", REQUESTS, files=[("file", file), ("file", file)])
    assert "one file" in problem(answer, 400, "bad-request")["detail"]


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"--b", b"--b\r\n\r\n", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx'],
)
def test_broken_form(site: Site, body: bytes) -> None:
    """What is no form is refused."""
    for kind in ("multipart/form-data; boundary=b", "multipart/form-data"):
        answer = site.ask("POST", REQUESTS, content=body, headers={"Content-Type": kind})
        problem(answer, 400, "bad-request")


@pytest.mark.parametrize(
    ("headers", "body", "status", "slug"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415, "media-type"),
        ({"Content-Type": "text/plain"}, b"{}", 415, "media-type"),
        ({}, b"{}", 400, "undecodable"),
        ({"Content-Type": JWS_TYPE}, b"", 400, "undecodable"),
        ({"Content-Type": JWS_TYPE}, b"{}", 400, "undecodable"),
        ({"Content-Type": COSE_TYPE}, b"\xd2\x84", 400, "undecodable"),
        ({"Content-Type": JWS_TYPE}, b" " * (64 * 1024 + 1), 413, "too-large"),
    ],
)
def test_refused_without_a_row(
    site: Site, headers: dict[str, str], body: bytes, status: int, slug: str
) -> None:
    """What cannot be read leaves no row."""
    before = site.ask("GET", REQUESTS).json()["total"]
    problem(site.ask("POST", REQUESTS, content=body, headers=headers), status, slug)
    assert site.ask("GET", REQUESTS).json()["total"] == before


def test_form_may_be_as_long_as_a_request(site: Site) -> None:
    """The limit is that of the file, whatever stands around it."""
    for length, status in ((64 * 1024, 400), (64 * 1024 + 1, 413), (80 * 1024, 413)):
        answer = site.ask("POST", REQUESTS, files={"file": ("a", b"x" * length, JWS_TYPE)})
        assert answer.status_code == status


def test_device_of_an_unknown_system(site: Site) -> None:
    """Nobody's device gets a problem and no row; a user's upload becomes a row of the user's organisation."""
    device = site.system().device()
    device.system = "Nobody's"
    made = device.request()
    headers = {"Content-Type": made.media_type}
    answer = site.ask("POST", REQUESTS, None, content=made.content, headers=headers)
    problem(answer, 404, "unknown-system")
    answer = site.ask("POST", REQUESTS, "liam", content=made.content, headers=headers)
    assert answer.status_code == 202
    row = site.until(answer.json()["request_id"], "rejected_by_system")
    assert (row["provisioning_status"], row["rejected_by"]) == ("Rejected by system", "System")


# Reading ------------------------------------------------------------------------------------------------


def test_row(site: Site) -> None:
    """A row has the twenty columns by their slugs, what may be done, and what is beside."""
    system = site.system()
    device = system.device(hw_id="SN-77")
    made = device.request()
    system.submit(made, "liam")
    row = site.until(made.request_id, "needs_approval")
    created = row.pop("request_created_on")
    assert created.endswith("Z")
    assert created[10:11] == "T"
    assert row == {
        "system_name": system.name,
        "system_instance_name": "Ward A",
        "system_instance_id": system.definition["instances"][0]["id"],
        "component_name": "pump",
        "component_instance_id": None,
        "component_instance_created_on": None,
        "device_hw_id": "SN-77",
        "approval_type": "Manual",
        "provisioning_status": "Needs approval",
        "request_id": made.request_id,
        "response_id": None,
        "response_created_on": None,
        "provision_source": "Cloud",
        "approved_on": None,
        "approved_by": None,
        "rejected_on": None,
        "rejected_by": None,
        "provisioned_on": None,
        "provisioned_by": None,
        "actions": ["approve", "reject"],
        "id": made.request_id,
        "status": "needs_approval",
        "error_code": None,
        "version": 2,
    }


def test_row_of_a_provisioned_device(site: Site) -> None:
    """What was done shows when and by whom; nothing more can be done."""
    row = site.row(site.system().provisioned("liam"))
    assert (row["approved_by"], row["provisioned_by"], row["actions"]) == ("anna", "anna", [])
    moments = [
        row[f"{what}_on"]
        for what in ("request_created", "component_instance_created", "approved", "provisioned")
    ]
    assert moments == sorted(moments)
    assert row["component_instance_id"]
    assert row["response_id"]
    assert row["response_created_on"]


def test_history(site: Site) -> None:
    """The history says each status, its text, when, by whom, and which error."""
    system = site.system()
    identifier = system.waiting()
    site.ask("POST", f"{REQUESTS}/{identifier}/reject", "bert")
    row = site.until(identifier, "rejected_by_user")
    items = site.ask("GET", f"{REQUESTS}/{identifier}/history").json()["items"]
    assert [(item["status"], item["text"], item["by"], item["error_code"]) for item in items] == [
        ("verifying", "Verifying...", "anna", None),
        ("needs_approval", "Needs approval", "System", None),
        ("rejecting", "Rejecting...", "bert", None),
        ("rejected_by_user", "Rejected by user", "bert", None),
    ]
    assert items[0]["at"] == row["request_created_on"]
    assert sorted(item["at"] for item in items) == [item["at"] for item in items]
    assert all(set(item) == {"status", "text", "at", "by", "error_code"} for item in items)


def test_error_shows_its_label_and_code(site: Site) -> None:
    """The status of what failed is the label of its error; its profile is refused with the code."""
    system = site.system()
    device = system.device(hw_id="SN-1")
    first = system.submit(device.request()).json()["request_id"]
    site.until(first, "needs_approval")
    site.ask("POST", f"{REQUESTS}/{first}/approve")
    site.until(first, "complete_provisioning")
    second = system.submit(system.device(hw_id="SN-1").request()).json()["request_id"]
    row = site.until(second, "error")
    assert (row["provisioning_status"], row["error_code"]) == ("Duplicate HW ID", "DUPLICATE_HW_ID_FAILURE")
    answer = site.ask("GET", f"{REQUESTS}/{second}/certified-profile")
    assert answer.status_code == 409
    assert answer.json()["code"] == "DUPLICATE_HW_ID_FAILURE"


def test_device_reads_its_own_request(site: Site) -> None:
    """Who knows the nonce sees row and history, and may do nothing; another nonce finds nothing."""
    system = site.system()
    made, other = system.device().request(), system.device().request()
    system.submit(made, who=None)
    system.submit(other, who=None)
    path = f"{REQUESTS}/{made.request_id}"
    site.until(made.request_id, "needs_approval")
    row = site.ask("GET", path, made.authorization).json()
    assert (row["status"], row["actions"]) == ("needs_approval", [])
    assert site.ask("GET", f"{path}/history", made.authorization).status_code == 200
    problem(site.ask("GET", path, other.authorization), 404, "not-found")
    problem(site.ask("GET", path, {"Authorization": "Guardian-Nonce !"}), 401, "not-authenticated")
    problem(site.ask("GET", f"{REQUESTS}/nothing", made.authorization), 404, "not-found")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer nobodys", "Basic YTpi", "Bearer a b", "Guardian-Nonce"]
)
def test_nobody(site: Site, header: str | None) -> None:
    """Without a token that is somebody's: 401, and how to say who one is."""
    who = {} if header is None else {"Authorization": header}
    for path in (REQUESTS, f"{REQUESTS}/x", f"{BASE}/systems", f"{BASE}/me/settings"):
        answer = site.ask("GET", path, who)
        problem(answer, 401, "not-authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_scheme_in_any_case(site: Site) -> None:
    """The scheme of the token is written in any case (RFC 9110, section 11.1)."""
    token = site.users["anna"]["Authorization"].partition(" ")[2]
    assert site.ask("GET", REQUESTS, {"Authorization": f"bearer {token}"}).status_code == 200


# Problems ------------------------------------------------------------------------------------------------


def test_no_such_call(site: Site) -> None:
    """Paths and methods that there are not are problems as others are."""
    problem(site.ask("GET", f"{BASE}/nothing"), 404, "not-found")
    problem(site.ask("DELETE", REQUESTS), 405, "method-not-allowed")


def test_row_is_json_whatever_stands_in_a_request(site: Site) -> None:
    """Half a surrogate in a name is no reason to fail: refused, or shown."""
    device = site.system().device()
    device.component = "\ud800"
    made = device.request()
    assert b"\\ud800" in json.dumps(made.payload).encode()
    answer = site.ask("POST", REQUESTS, content=made.content, headers={"Content-Type": made.media_type})
    assert answer.status_code in {202, 400}
    assert site.ask("GET", REQUESTS).status_code == 200
