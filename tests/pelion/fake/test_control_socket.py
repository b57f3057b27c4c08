"""The control socket: accounts, users, limits, time, logs."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.fake.clock import Clock, timestamp
from tests.pelion.fake.pelion_site import Site, a_site, fixed_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = float(calendar.timegm((2026, 11, 21, 12, 0, 0)))
ME = "/v3/accounts/me"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake whose own clock stands still at noon."""
    with a_site(clock=fixed_clock(NOON)[0]) as site:
        yield site


def test_account_is_made_once(site: Site) -> None:
    """An account that is asked for again is the same one with the same key."""
    first = site.control("POST", "/accounts", json={"name": "once"})
    again = site.control("POST", "/accounts", json={"name": "once"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert set(first.json()) == {"id", "name", "api_key", "api_key_id"}
    other = site.control("POST", "/accounts", json={"name": "other"}).json()
    assert other["id"] != first.json()["id"]


def test_account_whose_key_was_revoked_gets_another(site: Site) -> None:
    """Whoever revoked or disabled the only key of an account is not locked out of it for ever."""
    account = site.account("locked")
    for method, body in (("DELETE", None), ("PUT", {"status": "INACTIVE"})):
        path = f"/v3/api-keys/{account.get('/v3/api-keys/me')['id']}"
        assert account.ask(method, path, json=body).status_code in {200, 204}
        assert account.ask("GET", ME).status_code == 401
        again = site.control("POST", "/accounts", json={"name": "locked"}).json()
        assert again["id"] == account.id
        assert again["api_key"] != account.key
        account.key = again["api_key"]
        assert account.ask("GET", ME).status_code == 200


def test_users(site: Site) -> None:
    """A user is made once; removed, all their keys are refused and listed no more; others' work."""
    account = site.account()
    body = {"name": "anna", "group": "developers"}
    made, again = (account.control("POST", "/users", json=body) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert made.json()["group"] == "developers"
    second = account.user("bert")
    second.ask("POST", "/v3/api-keys", json={"name": "more"})
    extra = next(key for key in account.record.keys.values() if key.name == "more")
    names = {row["name"] for row in account.get("/v3/api-keys")["data"]}
    assert names >= {"more", "key of bert"}
    assert account.control("DELETE", "/users/bert").status_code == 204
    left = {row["name"] for row in account.get("/v3/api-keys")["data"]}
    assert names - left == {"more", "key of bert"}
    assert account.control("DELETE", "/users/bert").status_code == 404
    assert second.ask("GET", ME).status_code == 401
    second.key = extra.secret
    assert second.ask("GET", ME).status_code == 401
    assert account.ask("GET", ME).status_code == 200


def test_limits(site: Site) -> None:
    """Limits are set one by one, told by the account, and put back with the test's other orders."""
    account = site.account()
    answer = account.control("POST", "/limits", json={"certificates": 1})
    assert answer.json() == {"devices_per_certificate": 100, "certificates": 1}
    account.control("POST", "/limits", json={"devices_per_certificate": 2})
    account.certificate()
    refused = account.ask("POST", "/v3/developer-certificates", json={"name": "more"})
    assert refused.status_code == 403
    limits = account.get(ME, params={"include": "limits"})["limits"]
    assert limits == {"developer_certificates": "1", "devices_per_developer_certificate": "2"}
    account.control("POST", "/status", json={"status": "SUSPENDED"})
    assert account.control("DELETE", "/orders").status_code == 204
    assert account.control("POST", "/limits", json={}).json() == {
        "devices_per_certificate": 100,
        "certificates": 10,
    }
    assert account.ask("GET", ME).status_code == 200


def test_time_of_one_account(site: Site) -> None:
    """An account's time is shifted by so many seconds from the host's; another's stays; 0 puts it right."""
    account, other = site.account(), site.account()
    told: list[str] = []
    site.fake.pelion.clock.on_shift(told.append)

    def shift(seconds: float) -> dict[str, Any]:
        answer = site.control("POST", "/clock", json={"account": account.id, "offset_seconds": seconds})
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    assert shift(3600.5) == {"offset_seconds": 3600.5, "now": "2026-11-21T13:00:00.500Z"}
    assert shift(60) == {"offset_seconds": 60, "now": "2026-11-21T12:01:00.000Z"}
    assert account.certificate()["created_at"] == "2026-11-21T12:01:00.000Z"
    assert other.certificate()["created_at"] == "2026-11-21T12:00:00.000Z"
    assert shift(0)["now"] == "2026-11-21T12:00:00.000Z"
    assert told == [account.id] * 3
    shift(7)
    account.control("DELETE", "/orders")
    assert account.certificate("later")["created_at"] == "2026-11-21T12:00:00.000Z"


@pytest.mark.parametrize("offset", [1e300, -1e300, 1e12, "soon", None])
def test_times_that_cannot_be(site: Site, offset: Any) -> None:
    """A time that there is not is 400, and the account's stays what it was."""
    account = site.account()
    site.control("POST", "/clock", json={"account": account.id, "offset_seconds": 5})
    answer = site.control("POST", "/clock", json={"account": account.id, "offset_seconds": offset})
    assert answer.status_code == 400
    assert site.fake.pelion.clock.offset(account.id) == 5


def test_validity_is_by_the_hosts_time(site: Site) -> None:
    """Servers and devices judge a certificate by their own clocks, so an account's shift is not in it."""
    account = site.account()
    site.control("POST", "/clock", json={"account": account.id, "offset_seconds": 86400 * 400})
    made = account.certificate()
    assert made["created_at"].startswith("2027-12-26T")
    validity = account.get(f"/v3/trusted-certificates/{made['id']}")["validity"]
    assert validity == "2036-11-21T12:00:00.000Z"


def test_log(site: Site) -> None:
    """What the servers note is told per account, and apart for connections that nobody knows."""
    account = site.account()
    directory = site.fake.pelion.directory
    directory.note(account.id, "bootstrap refused", code="4.03")
    directory.note("", "handshake refused", reason="unknown CA")
    assert site.control("GET", f"/log?account={account.id}").json()["items"] == [
        {"at": "2026-11-21T12:00:00.000Z", "what": "bootstrap refused", "code": "4.03"}
    ]
    nobodys = site.control("GET", "/log").json()["items"]
    assert nobodys[-1] == {
        "at": "2026-11-21T12:00:00.000Z",
        "what": "handshake refused",
        "reason": "unknown CA",
    }


def test_forget_devices(site: Site) -> None:
    """Devices of one certificate are forgotten, and again it changes nothing; then all of the account."""
    account = site.account()
    one, two = (account.certificate(name)["id"] for name in ("one", "two"))
    for ca_id in (one, one, two):
        account.device(ca_id)
    for _ in range(2):
        assert account.control("DELETE", "/devices", params={"ca_id": one}).status_code == 204
        assert [row["ca_id"] for row in account.get("/v3/devices/")["data"]] == [two]
    assert account.control("DELETE", "/devices").status_code == 204
    assert account.get("/v3/devices/")["data"] == []


def test_servers(site: Site) -> None:
    """Where the servers are, and whom to trust, without any account."""
    servers = site.control("GET", "/servers").json()
    assert {name: server["uri"] for name, server in servers.items()} == {
        "bootstrap": "coaps://127.0.0.1:5684",
        "lwm2m": "coaps://127.0.0.1:5685",
    }
    assert all("BEGIN CERTIFICATE" in server["ca"] for server in servers.values())


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/accounts", {}),
        ("POST", "/accounts", {"name": ""}),
        ("POST", "/accounts", {"name": "a", "coffee": 1}),
        ("POST", "/accounts", []),
        ("POST", "/clock", {"account": "x"}),
        ("POST", "/faults", {"account": "x", "part": "api"}),
    ],
)
def test_bodies_that_cannot_be(site: Site, method: str, path: str, body: Any) -> None:
    """A field that is missing, wrong or unknown is 400."""
    assert site.control(method, path, json=body).status_code == 400


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json(site: Site, content: bytes) -> None:
    """What is no JSON is 400, never 500."""
    answer = site.control("POST", "/accounts", content=content)
    assert (answer.status_code, answer.json()["type"]) == (400, "bad_request")


def test_made_on_a_leap_day() -> None:
    """A certificate of the 29th of February ends on the 28th ten years later, which is no leap year."""
    leap_day = float(calendar.timegm((2028, 2, 29, 12, 0, 0)))
    with a_site(clock=fixed_clock(leap_day)[0]) as site:
        account = site.account()
        made = account.certificate()
        validity = account.get(f"/v3/trusted-certificates/{made['id']}")["validity"]
    assert validity == "2038-02-28T12:00:00.000Z"


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("POST", "/users"),
        ("DELETE", "/users/anna"),
        ("POST", "/limits"),
        ("POST", "/status"),
        ("GET", "/devices"),
        ("DELETE", "/devices"),
        ("GET", "/events"),
        ("DELETE", "/orders"),
    ],
)
def test_unknown_account(site: Site, method: str, below: str) -> None:
    """An account that there is not is 404."""
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    assert site.control(method, f"/accounts/{'0' * 32}{below}", **body).status_code == 404
    assert site.control("GET", f"/log?account={'0' * 32}").status_code == 404


def test_clock_follows_its_source() -> None:
    """The clock is the host's plus an account's shift; times are written with milliseconds and ``Z``."""
    clock, set_to = fixed_clock(0.25)
    clock.shift("a", 1.5)
    assert timestamp(clock.now("a")) == "1970-01-01T00:00:01.750Z"
    set_to(1.9999)
    assert timestamp(clock.now()) == "1970-01-01T00:00:01.999Z"
    assert clock.offset("b") == 0
    assert isinstance(Clock().now().timestamp(), float)
