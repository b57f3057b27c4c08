"""Every call by everybody: each role, a device, another organisation, nobody (fact sheet, section 10.5)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.fake.rest_site import BASE, COMPONENT, REQUESTS, Site, SiteSystem, a_site
from tests.guardian.making import make_key, public_jwk_of, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Call = Callable[[Site, SiteSystem, str], tuple[str, str, dict[str, Any]]]

ASKERS = ("Admin", "Reporter", "Limited", "other Limited", "device", "other organisation", "nobody")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake with two organisations."""
    with a_site() as site:
        site.users["stranger"] = site.organisation("other")["anna"]
        yield site


def _submit(site: Site, system: SiteSystem, _identifier: str) -> tuple[str, str, dict[str, Any]]:
    del site
    made = system.device().request()
    return "POST", REQUESTS, {"content": made.content, "headers": {"Content-Type": made.media_type}}


def _about(method: str, tail: str, **content: Any) -> Call:
    return lambda _site, _system, identifier: (method, f"{REQUESTS}/{identifier}{tail}", content)


def _system(method: str, tail: str, **content: Any) -> Call:
    return lambda _site, system, _identifier: (method, f"{BASE}/systems/{system.name}{tail}", content)


def _plain(method: str, path: str, **content: Any) -> Call:
    return lambda _site, _system, _identifier: (method, f"{BASE}{path}", content)


def _bulk(_site: Site, _system: SiteSystem, identifier: str) -> tuple[str, str, dict[str, Any]]:
    return "POST", f"{REQUESTS}/bulk", {"json": {"action": "reject", "ids": [identifier]}}


def _new_system(_site: Site, _system: SiteSystem, _identifier: str) -> tuple[str, str, dict[str, Any]]:
    definition = {
        "name": f"New {uuid.uuid4()}",
        "approval_type": "Manual",
        "components": [COMPONENT],
        "instances": [{"name": "Ward A"}],
    }
    return "POST", f"{BASE}/systems", {"json": definition}


def _key(_site: Site, system: SiteSystem, _identifier: str) -> tuple[str, str, dict[str, Any]]:
    key = make_key()
    body = {"kid": thumbprint_of(key), "jwk": public_jwk_of(key), "state": "pending"}
    return "POST", f"{BASE}/systems/{system.name}/signer-keys", {"json": body}


#: The request is liam's and waits for approval. In the order of ASKERS: status of the answer.
TABLE: dict[str, tuple[Call, tuple[int, ...]]] = {
    "submit": (_submit, (202, 403, 202, 202, 202, 202, 202)),
    "list": (_plain("GET", "/provisioning-requests"), (200, 200, 200, 200, 401, 200, 401)),
    "read": (_about("GET", ""), (200, 200, 200, 404, 200, 404, 401)),
    "history": (_about("GET", "/history"), (200, 200, 200, 404, 200, 404, 401)),
    "approve": (_about("POST", "/approve"), (202, 403, 403, 404, 401, 404, 401)),
    "reject": (_about("POST", "/reject"), (202, 403, 403, 404, 401, 404, 401)),
    "provision": (_about("POST", "/provision"), (409, 403, 403, 404, 401, 404, 401)),
    "bulk": (_bulk, (200, 403, 403, 403, 401, 200, 401)),
    "profile": (_about("GET", "/certified-profile"), (202, 403, 202, 404, 202, 404, 401)),
    "installed": (_about("POST", "/installed"), (409, 403, 403, 404, 409, 404, 401)),
    "report": (_plain("GET", "/reports/device-provisioning"), (200, 200, 200, 200, 401, 200, 401)),
    "systems": (_plain("GET", "/systems"), (200, 403, 403, 403, 401, 200, 401)),
    "make system": (_new_system, (201, 403, 403, 403, 401, 201, 401)),
    "system": (_system("GET", ""), (200, 403, 403, 403, 401, 404, 401)),
    "change system": (
        _system("PATCH", "", json={"complete_on_install": False}),
        (200, 403, 403, 403, 401, 404, 401),
    ),
    "delete system": (_system("DELETE", ""), (204, 403, 403, 403, 401, 404, 401)),
    "instances": (_system("GET", "/instances"), (200, 403, 403, 403, 401, 404, 401)),
    "add instance": (_system("POST", "/instances", json={"name": "W"}), (201, 403, 403, 403, 401, 404, 401)),
    "signer keys": (_system("GET", "/signer-keys"), (200, 403, 403, 403, 401, 404, 401)),
    "add signer key": (_key, (201, 403, 403, 403, 401, 404, 401)),
    "settings": (_plain("GET", "/me/settings"), (200, 200, 200, 200, 401, 200, 401)),
    "change settings": (
        _plain("PUT", "/me/settings", json={"iso": False, "local_time": False}),
        (200, 200, 200, 200, 401, 200, 401),
    ),
}


def _headers(site: Site, asker: str, device: dict[str, str]) -> dict[str, str]:
    users = {
        "Admin": "anna",
        "Reporter": "rita",
        "Limited": "liam",
        "other Limited": "lena",
        "other organisation": "stranger",
    }
    return device if asker == "device" else {} if asker == "nobody" else site.users[users[asker]]


@pytest.mark.parametrize("call", TABLE)
def test_call_by_everybody(site: Site, call: str) -> None:
    """Each call has the answer of the table for each asker; a refusal is a problem and does nothing."""
    ask, expected = TABLE[call]
    system = site.system()
    answers = []
    made = system.device().request()
    assert system.submit(made, "liam").status_code == 202
    row = site.until(made.request_id, "needs_approval")
    for asker in ASKERS[::-1]:  # the Admin last: an Admin's call may change what the others are asked about
        method, path, content = ask(site, system, made.request_id)
        answer = site.ask(method, path, _headers(site, asker, made.authorization), **content)
        answers.append(answer.status_code)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
            assert site.row(made.request_id) == row
    assert dict(zip(ASKERS, answers[::-1], strict=True)) == dict(zip(ASKERS, expected, strict=True))


def test_limited_users_see_their_own(site: Site) -> None:
    """List, count, bulk and report of a Limited user know what they uploaded and nothing else."""
    system = site.system()
    own, others = (
        system.waiting("liam"),
        [system.waiting("lena"), system.waiting("anna"), system.waiting(None)],
    )
    listed = site.ask("GET", REQUESTS, "liam", params={"system": system.name}).json()
    assert (listed["total"], [item["id"] for item in listed["items"]]) == (1, [own])
    assert listed["items"][0]["actions"] == []
    report = site.ask("GET", f"{BASE}/reports/device-provisioning", "liam", params={"system": system.name})
    assert own in report.text
    assert not any(other in report.text for other in others)
    chosen = {"scope": "selected", "ids": f"{own},{others[0]}"}
    assert site.ask("GET", f"{BASE}/reports/device-provisioning", "liam", params=chosen).status_code == 404


def test_reporter_sees_everything_and_may_do_nothing(site: Site) -> None:
    """A Reporter sees every row of the organisation, and no action on any."""
    system = site.system()
    ids = {system.waiting("liam"), system.waiting(None), system.waiting("anna", "appliance")}
    rows = system.rows("rita")
    assert {row["id"] for row in rows} == ids
    assert [row["actions"] for row in rows] == [[], [], []]


def test_another_organisation_sees_nothing(site: Site) -> None:
    """Rows, systems and reports of one organisation are nowhere in another's."""
    system = site.system()
    identifier = system.waiting()
    for path in ("/provisioning-requests", "/systems", "/reports/device-provisioning"):
        text = site.ask("GET", f"{BASE}{path}", "stranger").text
        assert identifier not in text
        assert f'"{system.name}"' not in text
    bulk = {"action": "approve", "ids": [identifier]}
    (result,) = site.ask("POST", f"{REQUESTS}/bulk", "stranger", json=bulk).json()["results"]
    assert (result["ok"], result["status"], result["problem"]["status"]) == (False, None, 404)
