"""The management API of the fake: statuses, bodies, roles, teams, pages (nrfcloud fact sheet, section 2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.nordic.fake.conftest import Site

NOBODY = "00000000-0000-4000-8000-000000000000"
CLAIMS = "/v1/claimed-devices"


def test_claimed_device_object(site: Site) -> None:
    """A claim answers 201 with the whole device object."""
    body = {"claimToken": site.device.token(), "tags": ["white", "x" * 100]}

    response = site.ask("POST", CLAIMS, json=body)

    assert response.status_code == 201
    device = response.json()
    assert len(device.pop("ownerId")) == 36
    assert device == {
        "id": site.device.id,
        "deviceType": "nrf9151_LACA",
        "firmwareId": "25c95751-efa4-40d4-8b4a-1dcaab81fac9",
        "imei": site.device.imei,
        "ownershipStatus": "IDENTIFIED",
        "tags": ["white", "x" * 100],
        "status": "READY",
        "claimedAt": "2023-11-14T22:13:20.000Z",
    }


def test_claim_on_the_documented_path(site: Site) -> None:
    """The path of the documented example claims too."""
    response = site.ask("POST", "/v1/identities/claimed-devices", json={"claimToken": site.device.token()})

    assert response.status_code == 201
    assert site.status() == "READY"


def test_claim_twice(claimed: Site) -> None:
    """A claimed device is 409 for its owner and for everybody else, also in a dry run."""
    other = claimed.team()["api_key"]

    for key in (claimed.key, other):
        assert claimed.claim(key=key).status_code == 409
        assert claimed.claim(key=key, params={"dryrun": "true"}).status_code == 409
    assert claimed.ask("GET", f"{CLAIMS}/{claimed.device.id}", key=other).status_code == 404


def test_dry_run_claims_nothing(site: Site) -> None:
    """A dry run answers 202 without a body and leaves the device free."""
    response = site.claim(params={"dryrun": "true"})

    assert (response.status_code, response.content) == (202, b"")
    assert site.ask("GET", CLAIMS).json() == {"items": [], "total": 0}
    assert site.claim().status_code == 201


def test_dry_run_that_is_neither(site: Site) -> None:
    """A dry run is asked for by true and by nothing else."""
    assert site.claim(params={"dryrun": "perhaps"}).status_code == 400
    assert site.claim(params={"dryrun": "false"}).status_code == 201


def test_forged_and_unknown_tokens(site: Site, make_device: Callable[[int], Any]) -> None:
    """A token by a wrong key, of an unknown device or of another device type claims nothing."""
    stranger = make_device(99)
    for token in (
        site.device.token(key=stranger.key),
        stranger.token(),
        site.device.token(device_type=3),
        "",
        "a.b",
    ):
        response = site.ask("POST", CLAIMS, json={"claimToken": token})
        assert response.status_code == 422
        assert response.json()["message"]
        assert response.json()["code"] == 42200
    assert site.ask("GET", CLAIMS).json()["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"claimToken": 7}',
        b'{"claimToken": null}',
        b'{"tags": []}',
        b'{"claimToken": "a", "tags": "b"}',
        b'{"claimToken": "a", "tags": [7]}',
        b'{"claimToken": "a", "tags": [""]}',
        b'{"claimToken": "\\ud800"}',
        b'{"claimToken": "\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_unfit_claims(site: Site, body: bytes) -> None:
    """A body that is called JSON and is no claim is 400 and says what is wrong, as JSON."""
    response = site.ask("POST", CLAIMS, content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 400
    assert response.json()["message"]


def test_tag_too_long(site: Site) -> None:
    """A tag of 101 characters is refused, and the device stays free."""
    body = {"claimToken": site.device.token(), "tags": ["x" * 101]}

    assert site.ask("POST", CLAIMS, json=body).status_code == 400
    assert site.claim().status_code == 201


def test_huge_body(site: Site) -> None:
    """A body over a mebibyte is not read to its end."""
    assert site.ask("POST", CLAIMS, content=b" " * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic abc", "wrong"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CLAIMS),
        ("GET", CLAIMS),
        ("GET", f"{CLAIMS}/{NOBODY}"),
        ("DELETE", f"{CLAIMS}/{NOBODY}"),
        ("POST", f"{CLAIMS}/{NOBODY}/block"),
        ("POST", f"{CLAIMS}/{NOBODY}/unblock"),
        ("POST", f"{CLAIMS}/{NOBODY}/provisioning"),
        ("GET", f"{CLAIMS}/{NOBODY}/provisioning/{NOBODY}"),
    ],
)
def test_nobody_without_a_key(site: Site, method: str, path: str, header: str | None) -> None:
    """Every call needs a team's key; without one it is 401 whatever else is wrong."""
    headers = {} if header is None else {"Authorization": header}

    response = site.world.ask(method, path, headers=headers)

    assert (response.status_code, response.json()["message"]) == (401, "Unauthorized")


@pytest.mark.parametrize("role", ["owner", "admin", "editor"])
def test_roles_that_may_do_everything(site: Site, role: str) -> None:
    """Owners, admins and editors may use the service."""
    key = site.team(role=role)["api_key"]

    assert site.claim(key=key).status_code == 201
    assert site.ask("DELETE", f"{CLAIMS}/{site.device.id}", key=key).status_code == 204


def test_viewers_read_only(claimed: Site) -> None:
    """A viewer of the team reads everything and changes nothing."""
    owner = claimed.ask("GET", f"{CLAIMS}/{claimed.device.id}").json()["ownerId"]
    viewer = claimed.team(role="viewer", owner_id=owner)["api_key"]
    command = claimed.add({"finished": {}})
    device = f"{CLAIMS}/{claimed.device.id}"

    for path in (CLAIMS, device, f"{device}/provisioning/{command['id']}"):
        assert claimed.ask("GET", path, key=viewer).status_code == 200
    for method, path in (
        ("POST", CLAIMS),
        ("DELETE", device),
        ("POST", f"{device}/block"),
        ("POST", f"{device}/unblock"),
        ("POST", f"{device}/provisioning"),
    ):
        assert claimed.ask(method, path, key=viewer).status_code == 403
    assert claimed.status() == "PENDING"


def test_another_team_sees_nothing(claimed: Site) -> None:
    """Another team's device is not found, whatever is done to it, and stays as it is."""
    other = claimed.team()["api_key"]
    command = claimed.add({"finished": {}})
    device = f"{CLAIMS}/{claimed.device.id}"

    for method, path in (
        ("GET", device),
        ("DELETE", device),
        ("POST", f"{device}/block"),
        ("POST", f"{device}/unblock"),
        ("POST", f"{device}/provisioning"),
        ("GET", f"{device}/provisioning/{command['id']}"),
    ):
        response = claimed.ask(method, path, key=other, json={"request": {"finished": {}}})
        assert response.status_code == 404, (method, path)
    assert claimed.ask("GET", CLAIMS, key=other).json() == {"items": [], "total": 0}
    assert claimed.status() == "PENDING"


def test_pages(site: Site) -> None:
    """A list comes in pages of ten, each device once, in the order of the claims, also while some go."""
    devices = [site.device, *(site.enrolled(number) for number in range(2, 24))]
    for device in devices:
        assert site.claim(device).status_code == 201

    first = site.ask("GET", CLAIMS).json()
    assert first["total"] == 23
    assert [item["id"] for item in first["items"]] == [device.id for device in devices[:10]]

    gone = f"{CLAIMS}/{first['items'][-1]['id']}"
    assert site.ask("DELETE", gone).status_code == 204
    found = [item["id"] for item in first["items"]]
    page = first
    while "pageNextToken" in page:
        query = {"pageLimit": "7", "pageNextToken": page["pageNextToken"]}
        page = site.ask("GET", CLAIMS, params=query).json()
        assert len(page["items"]) <= 7
        found += [item["id"] for item in page["items"]]
    assert found == [device.id for device in devices]


@pytest.mark.parametrize(
    "query",
    [
        {"pageLimit": "0"},
        {"pageLimit": "101"},
        {"pageLimit": "-1"},
        {"pageLimit": "ten"},
        {"pageLimit": "٣"},
        {"pageNextToken": "x"},
        {"pageNextToken": "%"},
        {"pageNextToken": ""},
    ],
    ids=repr,
)
def test_unfit_pages(site: Site, query: dict[str, str]) -> None:
    """A page that cannot be is 400."""
    assert site.ask("GET", CLAIMS, params=query).status_code == 400


def test_filters(site: Site) -> None:
    """A list can be narrowed by tag, status, type and IMEI."""
    second = site.enrolled(2)
    site.ask("POST", CLAIMS, json={"claimToken": site.device.token(), "tags": ["white"]})
    site.claim(second)
    site.ask("POST", f"{CLAIMS}/{second.id}/block")

    for query, expected in (
        ({"tag": "white"}, [site.device.id]),
        ({"status": "BLOCKED"}, [second.id]),
        ({"imei": second.imei}, [second.id]),
        ({"deviceType": "nrf9151_LACA"}, [site.device.id, second.id]),
        ({"deviceType": "nrf9160_SICA"}, []),
    ):
        items = site.ask("GET", CLAIMS, params=query).json()["items"]
        assert [item["id"] for item in items] == expected


def test_unclaim(claimed: Site) -> None:
    """Unclaiming is 204 once and 404 then; commands vanish, and a new claim is clean."""
    command = claimed.add({"finished": {}})
    device = f"{CLAIMS}/{claimed.device.id}"

    response = claimed.ask("DELETE", device)
    assert (response.status_code, response.content) == (204, b"")
    assert claimed.ask("DELETE", device).status_code == 404
    assert claimed.ask("GET", device).status_code == 404

    assert claimed.claim(key=claimed.team()["api_key"]).status_code == 201
    assert claimed.ask("GET", f"{device}/provisioning/{command['id']}").status_code == 404
    assert claimed.served() == []


def test_block_and_unblock(claimed: Site) -> None:
    """A block is 204, shows, and gives way to the status of before, however often it is repeated."""
    device = f"{CLAIMS}/{claimed.device.id}"
    for _round in range(2):
        response = claimed.ask("POST", f"{device}/block")
        assert (response.status_code, response.content) == (204, b"")
        assert claimed.status() == "BLOCKED"
    assert claimed.ask("POST", f"{device}/unblock").status_code == 204
    assert claimed.status() == "READY"

    claimed.add({"finished": {}})
    claimed.ask("POST", f"{device}/block")
    assert claimed.ask("POST", f"{device}/unblock").status_code == 204
    assert claimed.status() == "PENDING"


def test_unknown_paths_and_methods(site: Site) -> None:
    """What there is not is 404, what cannot be done is 405, both as JSON."""
    assert site.ask("GET", "/v2/claimed-devices").json()["code"] == 40400
    assert site.ask("PATCH", CLAIMS).json()["code"] == 40500


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary(max_size=60)
    | json_values.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda value: json.dumps({"request": value}).encode())
    | json_values.map(lambda value: json.dumps({"claimToken": value, "tags": value}).encode())
)
def test_any_body_is_refused_without_a_trace(claimed: Site, body: bytes) -> None:
    """Bodies of any kind are refused by 400 or 422, or row by row, never by a failure, and change nothing."""
    before = claimed.ask("GET", CLAIMS).content

    claim = claimed.ask("POST", CLAIMS, content=body)
    command = claimed.ask("POST", f"{CLAIMS}/{claimed.device.id}/provisioning", content=body)

    if claim.status_code == 200:  # what begins like no object are rows (section 2.4)
        assert not body.lstrip().startswith(b"{")
        assert claim.json()["claimedIds"] == []
        assert claim.json()["failed"]
    else:
        assert claim.status_code in {400, 422}
        assert claim.json()["message"]
    assert command.status_code == 400
    assert claimed.ask("GET", CLAIMS).content == before
