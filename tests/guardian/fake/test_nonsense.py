"""Nonsense at every call: never 500, never half a row, always a problem that says what is wrong."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.guardian.fake.rest_site import BASE, REQUESTS, Site, SiteSystem, a_site
from tests.guardian.making import COSE_TYPE, JWS_TYPE, sign_cose, sign_jws

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXTS = st.text(st.characters(), max_size=40)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["ver", "request_id", "system", "system_instance", "component", "hw_id", "reprovision", "nonce"]
FIELDS += ["created_at", "source", "csrs", "previous", "evidence"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake with one organisation."""
    with a_site() as site:
        yield site


@pytest.fixture(scope="module")
def system(site: Site) -> SiteSystem:
    """A system of it."""
    return site.system()


def sane(answer: httpx.Response) -> None:
    """Check that an answer is no failure, and a refusal a problem."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def rows_are_whole(system: SiteSystem) -> None:
    """Check that every row of the organisation can be listed, read and reported."""
    listed = system.site.ask("GET", REQUESTS, params={"limit": 500})
    assert listed.status_code == 200
    for row in listed.json()["items"][:5]:
        assert row["system_name"]
        assert row["status"]
        assert system.site.ask("GET", f"{REQUESTS}/{row['id']}/history").json()["items"]
    assert system.site.ask("GET", f"{BASE}/reports/device-provisioning").status_code == 200


def test_any_bytes_submitted(site: Site) -> None:
    """Bytes that are no request are refused and leave no row."""
    before = site.ask("GET", REQUESTS).json()["total"]

    @FEW
    @given(st.binary(max_size=300), st.sampled_from([JWS_TYPE, COSE_TYPE, "multipart/form-data", ""]))
    def attempt(body: bytes, kind: str) -> None:
        answer = site.ask("POST", REQUESTS, content=body, headers={"Content-Type": kind})
        assert 400 <= answer.status_code < 500
        sane(answer)

    attempt()
    assert site.ask("GET", REQUESTS).json()["total"] == before


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_any_value_in_a_payload(system: SiteSystem, form: str) -> None:
    """A payload with nonsense in one place is a whole row or none."""
    payload = system.made().payload

    @FEW
    @given(field=st.sampled_from(FIELDS), value=VALUES)
    def attempt(field: str, value: Any) -> None:
        changed = {**payload, field: value}
        try:
            text = json.dumps(changed).encode() if form == "jws" else cbor2.dumps(changed)
        except ValueError:
            return  # CBOR has no half surrogates
        content = sign_jws(text, system.key) if form == "jws" else sign_cose(text, system.key)
        kind = JWS_TYPE if form == "jws" else COSE_TYPE
        answer = system.site.ask("POST", REQUESTS, content=content, headers={"Content-Type": kind})
        sane(answer)
        if answer.status_code < 300:
            identifier = answer.json()["request_id"]
            assert system.site.row(identifier)["id"] == identifier

    attempt()
    rows_are_whole(system)


@pytest.mark.parametrize("name", ["name", "id"])
def test_half_a_character_names_no_instance(system: SiteSystem, name: str) -> None:
    """What JSON can name and no answer could hold is not in the row of the request that has it."""
    content = sign_jws(
        json.dumps({**system.made().payload, "system_instance": {name: "\ud800"}}).encode(), system.key
    )
    answer = system.site.ask("POST", REQUESTS, content=content, headers={"Content-Type": JWS_TYPE})
    row = system.site.until(answer.json()["request_id"], "error")
    assert (row["system_instance_name"], row["error_code"]) == ("", "PR_SIGNATURE_MALFORMED")
    rows_are_whole(system)


def test_any_value_in_an_envelope(system: SiteSystem) -> None:
    """An envelope with nonsense in one place is a whole row or none."""
    envelope = json.loads(system.made().content)

    @FEW
    @given(part=st.sampled_from(["protected", "payload", "signature", "header"]), value=VALUES)
    def attempt(part: str, value: Any) -> None:
        content = json.dumps({**envelope, part: value}).encode()
        sane(system.site.ask("POST", REQUESTS, content=content, headers={"Content-Type": JWS_TYPE}))

    attempt()
    rows_are_whole(system)


def test_any_protected_header(system: SiteSystem) -> None:
    """A protected header of any kind is a whole row or none."""
    envelope = json.loads(system.made().content)

    @FEW
    @given(header=VALUES | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "x5c", "crit"]), VALUES))
    def attempt(header: Any) -> None:
        text = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        content = json.dumps({**envelope, "protected": text}).encode()
        sane(system.site.ask("POST", REQUESTS, content=content, headers={"Content-Type": JWS_TYPE}))

    attempt()
    rows_are_whole(system)


CALLS = [
    ("POST", "/systems"),
    ("PATCH", "/systems/{name}"),
    ("POST", "/systems/{name}/instances"),
    ("POST", "/systems/{name}/signer-keys"),
    ("POST", "/provisioning-requests/bulk"),
    ("PUT", "/me/settings"),
]
KEYS = ["name", "approval_type", "components", "instances", "vault_timeout", "kid", "jwk", "state", "iso"]
KEYS += ["action", "ids", "filter", "complete_on_install", "provision_source", "id", "local_time"]


@FEW
@given(call=st.sampled_from(CALLS), body=VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_any_json(system: SiteSystem, call: tuple[str, str], body: Any) -> None:
    """Any JSON is done or refused, and the systems can be listed afterwards."""
    method, path = call
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    sane(system.site.ask(method, BASE + path.format(name=system.name), content=content, headers=headers))
    assert system.site.ask("GET", f"{BASE}/systems").status_code == 200


QUERY = ["system", "status", "view", "limit", "after", "tz", "provisioned_from", "provisioned_to", "hw_id"]


@FEW
@given(query=st.dictionaries(st.sampled_from(QUERY), st.text(max_size=30), max_size=3))
def test_any_query(site: Site, query: dict[str, str]) -> None:
    """Any query is answered or refused."""
    try:
        answer = site.ask("GET", REQUESTS, params=query)
    except UnicodeEncodeError:
        return  # half a surrogate is in no address
    sane(answer)


@FEW
@given(
    name=st.sampled_from(["If-None-Match", "Prefer", "Authorization", "Content-Type", "Accept"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_any_header(site: Site, system: SiteSystem, name: str, value: str) -> None:
    """Any header is understood, refused or ignored."""
    who = {} if name == "Authorization" else site.users["anna"]
    for path in (REQUESTS, f"{BASE}/systems/{system.name}", f"{REQUESTS}/x/certified-profile"):
        sane(site.ask("GET", path, who, headers={name: value.strip()}))
