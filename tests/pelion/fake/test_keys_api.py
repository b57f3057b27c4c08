"""The account and its keys: who may ask, several users, keys revoked (pelion fact sheet, section 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = "/v3/accounts/me"
KEYS = "/v3/api-keys"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake."""
    with a_site() as site:
        yield site


@pytest.fixture
def account(site: Site) -> SiteAccount:
    """An empty account."""
    return site.account()


def test_account_of_a_key(account: SiteAccount) -> None:
    """What validates a key: the account with every field that a model requires."""
    document = account.get(ME)
    assert document["object"] == "account"
    assert document["id"] == account.id
    assert document["status"] == "ACTIVE"
    assert document["aliases"] == []
    assert {"etag", "tier", "end_market"} <= set(document)
    assert "limits" not in document
    assert "policies" not in document


def test_limits_and_policies_when_asked(account: SiteAccount) -> None:
    """``include=limits, policies``, as the public client asks, adds both; limits are texts."""
    document = account.site.ask(
        "GET", f"{ME}?include=limits%2C+policies", headers={"Authorization": f"Bearer {account.key}"}
    ).json()
    assert document["policies"] == []
    assert document["limits"]["developer_certificates"] == "10"
    assert document["limits"]["devices_per_developer_certificate"] == "100"


def test_key_looks_like_one(account: SiteAccount) -> None:
    """Keys begin like the service's, and are long."""
    assert re.fullmatch(r"ak_1[A-Za-z0-9]{32,}", account.key)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer two words", "ak_1234567890"],
)
def test_nobody_says_who_asks(site: Site, header: str | None) -> None:
    """A header that is missing or malformed is 401 invalid_token."""
    headers = {} if header is None else {"Authorization": header}
    answer = site.ask("GET", ME, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["ak_1", "ak_1" + "0" * 128, "x"])
def test_unknown_key(site: Site, key: str) -> None:
    """A key that nobody has is 401 invalid_apikey, at every call alike, and is not in the answer."""
    for method, path in (("GET", ME), ("POST", "/v3/developer-certificates"), ("GET", "/v3/devices/")):
        answer = site.ask(method, path, headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json()["type"]) == (401, "invalid_apikey")
        assert key == "x" or key not in answer.text


def test_scheme_in_any_case(account: SiteAccount) -> None:
    """The scheme's name is not case-sensitive [standard: RFC 9110, section 11.1]."""
    assert account.site.ask("GET", ME, headers={"Authorization": f"bearer {account.key}"}).status_code == 200


def test_accounts_know_nothing_of_each_other(site: Site) -> None:
    """What is one account's is 404 for every other, by every call, and in none of its lists."""
    mine, other = site.account(), site.account()
    made = mine.certificate("board")
    device = mine.device(made["id"])
    paths = [
        f"/v3/trusted-certificates/{made['id']}",
        f"/v3/developer-certificates/{made['id']}",
        f"/v3/devices/{device.id}/",
        f"/v3/device-events/{mine.record.events[0].id}/",
        f"{KEYS}/{next(iter(mine.record.keys))}",
    ]
    for path in paths:
        assert mine.ask("GET", path).status_code == 200, path
        assert other.ask("GET", path).status_code == 404, path
    for path in (paths[0], paths[2], paths[4]):
        assert other.ask("DELETE", path).status_code == 404, path
        assert mine.ask("GET", path).status_code == 200, path
    for path in ("/v3/trusted-certificates", "/v3/devices/", "/v3/device-events/"):
        assert other.get(path)["data"] == []


def test_users_share_the_account(account: SiteAccount) -> None:
    """A second user's key sees the same certificates, which know whose they are."""
    second = account.user("second")
    made = second.certificate("board")
    row = account.get(f"/v3/trusted-certificates/{made['id']}")
    assert row["owner_id"] == account.record.users["second"].id
    assert second.key != account.key
    assert second.get(ME)["id"] == account.id


def test_made_told_once_and_revoked(account: SiteAccount) -> None:
    """A new key is told in the answer that made it, works at once, and works no more after its deletion."""
    made = account.ask("POST", KEYS, json={"name": "robot"})
    assert made.status_code == 201
    document = made.json()
    robot = SiteAccount(account.site, account.id, document["key"])
    assert document["object"] == "api-key"
    assert document["last_login_time"] == 0
    assert robot.get(f"{KEYS}/me")["id"] == document["id"]
    listed = account.get(KEYS)["data"]
    assert [row["name"] for row in listed] == ["key of owner", "robot"]
    for shown in (*listed, account.get(f"{KEYS}/{document['id']}"), account.get(f"{KEYS}/me")):
        assert account.key not in str(shown)
        assert robot.key not in str(shown)
    assert account.get(f"{KEYS}/{document['id']}")["last_login_time"] > 0
    assert account.ask("DELETE", f"{KEYS}/{document['id']}").status_code == 204
    refused = robot.ask("GET", ME)
    assert (refused.status_code, refused.json()["type"]) == (401, "invalid_apikey")
    assert account.ask("GET", f"{KEYS}/{document['id']}").status_code == 404


def test_inactive_key(account: SiteAccount) -> None:
    """A key that is set inactive is refused until it is active again."""
    second = account.user("second")
    identifier = second.get(f"{KEYS}/me")["id"]
    path = f"{KEYS}/{identifier}"
    assert account.ask("PUT", path, json={"status": "INACTIVE", "name": "asleep"}).json()["name"] == "asleep"
    assert second.ask("GET", ME).status_code == 401
    assert account.ask("PUT", path, json={"status": "ACTIVE"}).status_code == 200
    assert second.get(f"{KEYS}/me")["name"] == "asleep"


def test_keys_by_owner(account: SiteAccount) -> None:
    """Keys can be made for another user of the account, and listed by owner and by their text."""
    second = account.user("second")
    owner = account.record.users["second"].id
    made = account.ask("POST", KEYS, json={"name": "for second", "owner": owner}).json()
    assert made["owner"] == owner
    found = account.get(KEYS, params={"owner__eq": owner})["data"]
    assert [row["name"] for row in found] == ["key of second", "for second"]
    assert [row["id"] for row in account.get(KEYS, params={"key__eq": made["key"]})["data"]] == [made["id"]]
    moved = account.ask("PUT", f"{KEYS}/{made['id']}", json={"owner": account.record.users["owner"].id})
    assert moved.json()["owner"] == account.record.users["owner"].id
    stranger = account.ask("POST", KEYS, json={"name": "x", "owner": "0" * 32})
    assert (stranger.status_code, stranger.json()["fields"][0]["name"]) == (400, "owner")
    assert second.ask("GET", ME).status_code == 200


def test_developers_manage_no_keys(account: SiteAccount) -> None:
    """A user who is no administrator makes certificates, but no keys: 403 access_denied."""
    developer = account.user("dev", "developers")
    developer.certificate("board")
    identifier = account.get(f"{KEYS}/me")["id"]
    tries = [
        ("POST", KEYS, {"name": "x"}),
        ("PUT", f"{KEYS}/{identifier}", {"name": "x"}),
        ("DELETE", f"{KEYS}/{identifier}", None),
    ]
    for method, path, body in tries:
        answer = developer.ask(method, path, json=body)
        assert (answer.status_code, answer.json()["type"]) == (403, "access_denied")
    assert account.ask("GET", ME).status_code == 200


def test_suspended_account(account: SiteAccount) -> None:
    """No key of a suspended account does anything: 403 access_denied, until it is active again."""
    assert account.control("POST", "/status", json={"status": "SUSPENDED"}).status_code == 204
    answer = account.ask("GET", ME)
    assert (answer.status_code, answer.json()["type"]) == (403, "access_denied")
    account.control("POST", "/status", json={"status": "ACTIVE"})
    assert account.ask("GET", ME).status_code == 200


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "status": "ASLEEP"}, {"name": 5}])
def test_keys_that_cannot_be(account: SiteAccount, body: dict[str, object]) -> None:
    """A key without a name or with a status that there is not is 400."""
    answer = account.ask("POST", KEYS, json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "validation_error")
    assert len(account.get(KEYS)["data"]) == 1
