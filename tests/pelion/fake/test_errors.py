"""What every answer and every error has in common (pelion fact sheet, section 4: errors)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

HEX_ID = re.compile(r"[0-9a-f]{32}")
NOWHERE = "0" * 32


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake."""
    with a_site() as site:
        yield site


@pytest.fixture(scope="module")
def account(site: Site) -> SiteAccount:
    """An account."""
    return site.account()


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", f"/v3/trusted-certificates/{NOWHERE}", 404, "not_found"),
        ("GET", f"/v3/developer-certificates/{NOWHERE}", 404, "not_found"),
        ("GET", f"/v3/devices/{NOWHERE}/", 404, "not_found"),
        ("GET", f"/v3/device-events/{NOWHERE}/", 404, "not_found"),
        ("GET", f"/v3/api-keys/{NOWHERE}", 404, "not_found"),
        ("GET", "/v3/coffee", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("PATCH", "/v3/trusted-certificates", 405, "method_not_supported"),
        ("GET", "/v3/developer-certificates", 405, "method_not_supported"),
        ("DELETE", f"/v3/developer-certificates/{NOWHERE}", 405, "method_not_supported"),
        ("POST", "/v3/devices/", 405, "method_not_supported"),
        ("POST", "/v3/developer-certificates", 415, "unsupported_media_type"),
    ],
)
def test_body_of_errors(account: SiteAccount, method: str, path: str, status: int, kind: str) -> None:
    """Every error has the same members; the id of the request is in the header, too."""
    answer = account.ask(method, path)
    document = answer.json()
    assert answer.status_code == status
    assert set(document) == {"object", "code", "type", "message", "request_id"}
    assert (document["object"], document["code"], document["type"]) == ("error", status, kind)
    assert HEX_ID.fullmatch(document["request_id"])
    assert answer.headers["X-Request-ID"] == document["request_id"]
    assert answer.headers["Content-Type"] == "application/json"


def test_method_not_supported_says_which_are(account: SiteAccount) -> None:
    """405 comes with the methods that there are."""
    answer = account.ask("PATCH", f"/v3/trusted-certificates/{NOWHERE}")
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {
        "DELETE",
        "GET",
        "HEAD",
        "PUT",
    }


def test_every_answer_has_an_id_of_its_own(account: SiteAccount) -> None:
    """Answers that are no errors have it, too, 204 as well."""
    made = account.certificate("for ids")
    path = f"/v3/trusted-certificates/{made['id']}"
    answers = [account.ask("GET", path), account.ask("GET", path), account.ask("DELETE", path)]
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == 3
    assert all(HEX_ID.fullmatch(each) for each in ids)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"name"', b"\xff", b"[" * 100_000, b"null"])
def test_bodies_that_are_no_objects(account: SiteAccount, body: bytes) -> None:
    """What is no JSON object is 400 bad_request, never 500."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = account.ask("POST", "/v3/developer-certificates", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "bad_request")


def test_body_too_long(account: SiteAccount) -> None:
    """A body beyond 256 KiB is not read to its end: 413."""
    body = b'{"name": "' + b"x" * 300_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = account.ask("POST", "/v3/developer-certificates", content=body, headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/v3/accounts/me",
        "/v3/trusted-certificates",
        "/v3/devices",
        "/v3/device-events",
        "/v3/devicelog",
        "/v3/api-keys",
        "/v3/api-keys/me",
        "/v3/server-credentials",
        "/v3/server-credentials/bootstrap",
        "/v3/server-credentials/lwm2m",
    ],
)
def test_both_spellings(account: SiteAccount, path: str) -> None:
    """With and without a slash at its end every path is taken, and none leads elsewhere."""
    with_slash, without = account.ask("GET", f"{path}/"), account.ask("GET", path)
    assert (with_slash.status_code, without.status_code) == (200, 200)
    if not path.startswith("/v3/api-keys"):  # there the last use of the key is told
        assert with_slash.json() == without.json()


def test_head(account: SiteAccount) -> None:
    """HEAD is answered like GET."""
    assert account.ask("HEAD", "/v3/accounts/me").status_code == 200
    assert account.ask("HEAD", f"/v3/devices/{NOWHERE}/").status_code == 404


def test_failure_of_the_fake_is_an_error_of_the_api(
    site: Site, account: SiteAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the fake itself fail, it says so in the API's form, and what failed reaches its log."""
    monkeypatch.setattr(site.fake.pelion.accounts, "by_key", lambda _key: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        account.ask("GET", "/v3/accounts/me")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(site.fake.service, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://pelion") as client:
            return await client.get("/v3/accounts/me", headers={"Authorization": "Bearer ak_1"})

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["type"]) == (500, "internal_server_error")
