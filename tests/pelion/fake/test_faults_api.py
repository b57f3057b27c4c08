"""Answers that a test orders: of one account, at one call, so often, and no longer than it wants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.fake.faults import Fault, Faults
from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = "/v3/accounts/me"
CREATE = "/v3/developer-certificates"
TRUSTED = "/v3/trusted-certificates"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake."""
    with a_site() as site:
        yield site


@pytest.fixture
def account(site: Site) -> SiteAccount:
    """An empty account."""
    return site.account()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "rate_limit_exceeded"),
        (500, "internal_server_error"),
        (503, "system_unavailable"),
        (412, "precondition_failed"),
        (406, "not_acceptable"),
        (418, "bad_request"),
    ],
)
def test_ordered_status(account: SiteAccount, status: int, kind: str) -> None:
    """The next call is answered so, in the API's own form, and the one after it rightly."""
    account.fault(kind="status", status=status, retry_after=7)
    struck = account.ask("GET", ME)
    assert (struck.status_code, struck.json()["type"]) == (status, kind)
    assert struck.headers["Retry-After"] == "7"
    assert struck.headers["X-Request-ID"] == struck.json()["request_id"]
    assert account.ask("GET", ME).status_code == 200


def test_without_retry_after(account: SiteAccount) -> None:
    """Nothing is said of waiting when nothing was ordered."""
    account.fault(kind="status", status=429)
    assert "Retry-After" not in account.ask("GET", ME).headers


def test_refused_call_does_nothing(account: SiteAccount) -> None:
    """A call that was answered with an ordered error has made nothing."""
    account.fault(kind="status", status=503, step=f"POST {CREATE}")
    assert account.ask("POST", CREATE, json={"name": "board"}).status_code == 503
    assert account.get(TRUSTED)["data"] == []


def test_at_one_step_only(account: SiteAccount) -> None:
    """A fault of a step lets all others pass, however they are spelled; ids are part of no step's name."""
    made = account.certificate("board")
    account.fault(kind="status", status=503, step=f"GET {TRUSTED}/{{id}}")
    assert account.ask("GET", TRUSTED).status_code == 200
    assert account.ask("GET", ME).status_code == 200
    assert account.ask("GET", f"{TRUSTED}/{made['id']}/").status_code == 503
    assert account.ask("GET", f"{TRUSTED}/{made['id']}").status_code == 200


def test_later_and_more_than_once(account: SiteAccount) -> None:
    """``skip`` calls go well, then ``times`` go wrong."""
    account.fault(kind="status", status=500, step=f"GET {ME}", skip=2, times=3)
    statuses = [account.ask("GET", ME).status_code for _ in range(7)]
    assert statuses == [200, 200, 500, 500, 500, 200, 200]


def test_only_its_account(site: Site, account: SiteAccount) -> None:
    """Another account's calls, and calls without a key, meet nothing."""
    other = site.account()
    account.fault(kind="status", status=503)
    assert other.ask("GET", ME).status_code == 200
    assert site.ask("GET", ME).status_code == 401
    assert account.user("second").ask("GET", ME).status_code == 503


def test_garbage(account: SiteAccount) -> None:
    """The call is done, but its answer is no JSON."""
    account.fault(kind="garbage", step=f"POST {CREATE}")
    answer = account.ask("POST", CREATE, json={"name": "board"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert [row["name"] for row in account.get(TRUSTED)["data"]] == ["board"]


def test_withdrawn(site: Site, account: SiteAccount) -> None:
    """Orders are taken back one by one, all of an account, and with all else that a test ordered."""
    first = account.fault(kind="status", status=503)
    assert site.control("DELETE", f"/faults/{first}").status_code == 204
    assert site.control("DELETE", f"/faults/{first}").status_code == 404
    assert account.ask("GET", ME).status_code == 200
    other = site.account()
    kept = other.fault(kind="status", status=503)
    for below in (f"/faults?account={account.id}", f"/accounts/{account.id}/orders"):
        account.fault(kind="status", status=503, times=5)
        account.fault("lwm2m", kind="close", step="register", times=2)
        waiting = site.control("GET", f"/faults?account={account.id}").json()["items"]
        assert [(each["part"], each["kind"], each["times"]) for each in waiting] == [
            ("api", "status", 5),
            ("lwm2m", "close", 2),
        ]
        assert site.control("DELETE", below).status_code == 204
        assert site.control("GET", f"/faults?account={account.id}").json()["items"] == []
        assert account.ask("GET", ME).status_code == 200
    waiting = site.control("GET", f"/faults?account={other.id}").json()["items"]
    assert [each["id"] for each in waiting] == [kept]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"kind": "coffee"}, "kind"),
        ({"kind": "close"}, "kind"),
        ({"kind": "status"}, "status"),
        ({"kind": "status", "status": 200}, "status"),
        ({"kind": "status", "status": "500"}, "status"),
        ({"kind": "status", "status": 503, "retry_after": -1}, "retry_after"),
        ({"kind": "hang_up", "status": 503}, "status"),
        ({"kind": "garbage", "delay": 1}, "delay"),
        ({"kind": "garbage", "times": 0}, "times"),
        ({"kind": "garbage", "skip": -1}, "skip"),
        ({"kind": "garbage", "part": "coffee"}, "part"),
        ({"kind": "garbage", "step": "GET /v3/device/{id}"}, "step"),
        ({"kind": "garbage", "step": "PATCH /v3/devices/{id}"}, "step"),
        ({"kind": "close", "part": "lwm2m", "step": "finish"}, "step"),
        ({"kind": "close", "part": "bootstrap", "step": ""}, "step"),
        ({"kind": "damaged-tlv", "part": "bootstrap", "step": "finish"}, "step"),
        ({"kind": "wrong-device-certificate", "part": "bootstrap", "step": "server"}, "step"),
        ({"kind": "damaged-tlv", "part": "lwm2m"}, "kind"),
        ({"kind": "close", "part": "lwm2m", "code": "5.03"}, "code"),
        ({"kind": "refuse", "part": "lwm2m", "cod": "5.03"}, "cod"),
        ({"kind": "refuse", "part": "lwm2m", "code": "503"}, "code"),
        ({"kind": "refuse", "part": "lwm2m", "code": "2.99"}, "code"),
        ({"kind": "refuse", "part": "lwm2m", "code": 5.03}, "code"),
        ({"kind": "refuse", "part": "lwm2m", "code": None}, "code"),
        ({}, "kind"),
    ],
)
def test_orders_that_cannot_be(site: Site, account: SiteAccount, order: dict[str, Any], field: str) -> None:
    """An order that would never strike as it says is refused when it is given."""
    answer = site.control("POST", "/faults", json={"account": account.id, "part": "api", **order})
    assert answer.status_code == 400
    assert [each["name"] for each in answer.json()["fields"]] == [field]
    assert account.ask("GET", ME).status_code == 200


@pytest.mark.parametrize(
    ("order", "known"),
    [
        ({"part": "lwm2m", "kind": "hold"}, "handshake, register, update, deregister, vendor, class"),
        ({"part": "bootstrap", "kind": "damaged-tlv"}, "security, server, device"),
        (
            {"part": "bootstrap", "kind": "close"},
            "handshake, request, delete, security, server, device, finish",
        ),
    ],
)
def test_unknown_step(site: Site, account: SiteAccount, order: dict[str, Any], known: str) -> None:
    """Who misspells a step is told which ones there are for this kind."""
    answer = site.control("POST", "/faults", json={"account": account.id, "step": "registr", **order})
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"] == f"step: expected one of {known}"
    assert site.control("GET", f"/faults?account={account.id}").json()["items"] == []


def test_unknown_call(site: Site, account: SiteAccount) -> None:
    """A step of the API is one of its calls; all of them are told."""
    order = {"account": account.id, "part": "api", "kind": "garbage", "step": "GET /v3/accounts/mine"}
    answer = site.control("POST", "/faults", json=order)
    assert answer.status_code == 400, answer.text
    told = answer.json()["fields"][0]["message"]
    calls = told.removeprefix("expected one of ").split(", ")
    assert {f"GET {ME}", f"POST {CREATE}", "DELETE /v3/devices/{id}"} <= set(calls)
    assert len(set(calls)) == len(calls)


def test_kind_waits_for_where_it_shows() -> None:
    """Without a step a fault passes over those at which it would strike and change nothing."""
    faults = Faults()
    faults.order(Fault(account_id="a", part="bootstrap", kind="wrong-device-certificate"))
    assert [step for step in ("handshake", "request", "delete") if faults.next("bootstrap", "a", step)] == []
    assert faults.next("bootstrap", "a", "security") is not None
    faults.order(Fault(account_id="a", part="bootstrap", kind="hold"))
    assert faults.next("bootstrap", "a", "handshake") is not None


def test_order_for_nobody(site: Site) -> None:
    """A fault belongs to an account that there is."""
    order = {"account": "0" * 32, "part": "api", "kind": "garbage"}
    assert site.control("POST", "/faults", json=order).status_code == 404


def test_parts_do_not_meet() -> None:
    """Each part asks for its own faults, and gets the details that were ordered."""
    faults = Faults()
    faults.order(
        Fault(account_id="a", part="bootstrap", kind="refuse", step="finish", details={"code": "5.03"})
    )
    assert faults.next("lwm2m", "a", "finish") is None
    assert faults.next("bootstrap", "b", "finish") is None
    assert faults.next("bootstrap", "a", "request") is None
    struck = faults.next("bootstrap", "a", "finish")
    assert struck is not None
    assert (struck.kind, struck.details) == ("refuse", {"code": "5.03"})
    assert faults.next("bootstrap", "a", "finish") is None
