"""What is the same of all calls: envelope, errors, token, verbs, health; and that no nonsense breaks it."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import hvac
import hvac.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_guardian.vault.service import VaultService
from tests.guardian.making import make_csr, make_key
from tests.guardian.vault.authority import pem_of_csr
from tests.guardian.vault.served import TOKEN, first_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.vault.authority import Mounted
    from tests.guardian.vault.served import Served

HEADERS = {"X-Vault-Token": TOKEN}


def test_success_has_vaults_envelope(mounted: Mounted) -> None:
    """The eight members of Vault's answers, whatever the call; each answer has an id of its own."""
    answers = [mounted.sign(make_csr(make_key(), "a")) for _ in range(2)]

    for answer in answers:
        assert set(answer) == {
            "request_id",
            "lease_id",
            "renewable",
            "lease_duration",
            "data",
            "wrap_info",
            "warnings",
            "auth",
        }
        assert (answer["lease_id"], answer["renewable"], answer["lease_duration"]) == ("", False, 0)
        assert (answer["wrap_info"], answer["warnings"], answer["auth"]) == (None, None, None)
        uuid.UUID(answer["request_id"])
    assert answers[0]["request_id"] != answers[1]["request_id"]


@pytest.fixture(scope="module")
def http(vault: Served) -> Iterator[httpx.Client]:
    """Give a client of HTTP alone, with the token."""
    with httpx.Client(base_url=f"{vault.url}/v1/", headers=HEADERS, timeout=20) as client:
        yield client


@pytest.mark.parametrize("token", ["", "hvs.another", TOKEN + "x", "hvs.\u00fc"])
def test_other_tokens_are_refused(http: httpx.Client, mounted: Mounted, token: str) -> None:
    """Whoever has not the token may do nothing but read what anybody may."""
    headers = {b"X-Vault-Token": token.encode()}
    calls = [
        ("GET", "sys/mounts"),
        ("POST", "sys/mounts/x"),
        ("GET", "auth/token/lookup-self"),
        ("POST", f"{mounted.mount}/sign/open"),
        ("GET", f"{mounted.mount}/issuer/default"),
        ("POST", f"{mounted.mount}/revoke"),
        ("LIST", f"{mounted.mount}/certs"),
        ("GET", "nothing/at/all"),
    ]
    for method, path in calls:
        answer = http.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"errors": ["permission denied"]}), path
    assert http.get(f"{mounted.mount}/ca/pem", headers=headers).status_code == 200


def test_client_knows_whether_it_is_authenticated(vault: Served, client: hvac.Client) -> None:
    """Hvac's own question; a bearer token is as good as Vault's header."""
    other = vault.client("hvs.another")
    assert client.is_authenticated()
    assert not other.is_authenticated()
    other.adapter.close()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.get(f"{vault.url}/v1/auth/token/lookup-self", headers=bearer)
    assert answer.status_code == 200
    assert TOKEN not in answer.text


def test_put_is_as_good_as_post(http: httpx.Client, mounted: Mounted) -> None:
    """Both verbs write."""
    body = {"csr": pem_of_csr(make_csr(make_key(), "a")), "common_name": "a", "exclude_cn_from_sans": True}
    for method in ("POST", "PUT"):
        assert http.request(method, f"{mounted.mount}/sign/open", json=body).status_code == 200


def test_list_is_a_verb_and_a_parameter(vault: Served, mounted: Mounted) -> None:
    """LIST, and GET with list=true, which hvac sends when it is strict."""
    strict = hvac.Client(url=vault.url, token=TOKEN, strict_http=True)
    both = [
        client.secrets.pki.list_roles(mount_point=mounted.mount)["data"]
        for client in (mounted.client, strict)
    ]
    strict.adapter.close()

    assert both[0] == both[1]
    assert "open" in both[0]["keys"]


@pytest.mark.parametrize(
    ("method", "path", "status", "errors"),
    [
        ("GET", "pki-none/cert/01", 404, ['no handler for route "pki-none/cert/01". route entry not found.']),
        ("GET", "{mount}/nothing", 404, ["unsupported path"]),
        ("GET", "{mount}/roles/none", 404, []),
        ("DELETE", "{mount}/sign/open", 405, ["unsupported operation"]),
        ("GET", "{mount}/revoke", 405, ["unsupported operation"]),
        ("PATCH", "{mount}/roles/open", 405, ["unsupported operation"]),
        ("GET", "sys/nothing", 404, ["unsupported path"]),
        ("POST", "auth/token/create", 404, ["unsupported path"]),
    ],
)
def test_what_is_not_there_is_said(
    http: httpx.Client, mounted: Mounted, method: str, path: str, status: int, errors: list[str]
) -> None:
    """Unknown mounts, paths, objects and verbs, each in Vault's own words."""
    answer = http.request(method, path.format(mount=mounted.mount))

    assert answer.status_code == status
    assert answer.json() == {"errors": errors}
    assert answer.headers["content-type"] == "application/json"


def test_path_without_version_is_none(vault: Served) -> None:
    """Everything is below /v1."""
    assert httpx.get(f"{vault.url}/sys/mounts", headers=HEADERS).status_code == 404


def test_engines_are_mounted_and_unmounted(vault: Served, client: Any) -> None:
    """A mount is listed, taken once, and gone with all it had; unmounting what is not there is no error."""
    mount = f"pki-{uuid.uuid4().hex}"
    client.sys.enable_secrets_engine("pki", path=mount)
    assert client.sys.list_mounted_secrets_engines()["data"][f"{mount}/"]["type"] == "pki"
    for path in (mount, f"{mount}/below"):
        with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
            client.sys.enable_secrets_engine("pki", path=path)
        assert first_error(refused.value) == f"path is already in use at {path}/"
    client.secrets.pki.create_or_update_role("a", {"key_type": "ec"}, mount_point=mount)
    for _time in range(2):
        client.sys.disable_secrets_engine(mount)
    assert f"{mount}/" not in client.sys.list_mounted_secrets_engines()["data"]
    client.sys.enable_secrets_engine("pki", path=mount)
    with pytest.raises(hvac.exceptions.InvalidPath):
        client.secrets.pki.read_role("a", mount_point=mount)


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("kv-1", {"type": "kv"}, 'plugin not found in the catalog: "kv"'),
        ("sys/x", {"type": "pki"}, "cannot mount under 'sys/x'"),
        ("a b", {"type": "pki"}, "cannot mount under 'a b'"),
        ("x" * 300, {"type": "pki"}, "cannot mount under"),
        ("odd", {"type": "pki", "config": 5}, "Field validation failed: config is no map"),
        (
            "short",
            {"type": "pki", "config": {"max_lease_ttl": "1h", "default_lease_ttl": "2h"}},
            "default lease TTL greater than max lease TTL",
        ),
    ],
)
def test_what_cannot_be_mounted(http: httpx.Client, path: str, body: dict[str, Any], text: str) -> None:
    """Each mistake has its own words."""
    answer = http.post(f"sys/mounts/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith(text)


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_body_that_is_no_object_is_refused(http: httpx.Client, mounted: Mounted, body: bytes) -> None:
    """A body has to be a JSON object."""
    answer = http.post(f"{mounted.mount}/sign/open", content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith("failed to parse JSON input")


def test_body_that_is_too_long_is_refused(http: httpx.Client, mounted: Mounted) -> None:
    """More than a mebibyte is not read."""
    content = b'{"a": "' + b"x" * (1 << 20) + b'"}'
    answer = http.post(f"{mounted.mount}/sign/open", content=content)
    assert answer.status_code == 413
    assert answer.json()["errors"][0].startswith("http: request body too large")


def test_health_and_seal() -> None:
    """A sealed Vault says so by status and body, answers nothing else, and goes on when it is unsealed."""
    service = VaultService(TOKEN)
    with asyncio.Runner() as runner:

        def ask(path: str) -> httpx.Response:
            return runner.run(asked(service, "GET", path))

        assert ask("sys/health").status_code == 200
        assert ask("sys/health?activecode=299").status_code == 299
        assert ask("sys/health?activecode=x").status_code == 200
        told = ask("sys/health").json()
        assert (told["initialized"], told["sealed"], told["standby"]) == (True, False, False)
        service.seal(sealed=True)
        assert ask("sys/health").status_code == 503
        assert ask("sys/health?sealedcode=250").json()["sealed"] is True
        assert ask("sys/seal-status").json()["sealed"] is True
        refused = ask("sys/mounts")
        assert (refused.status_code, refused.json()) == (503, {"errors": ["Vault is sealed"]})
        service.seal(sealed=False)
        assert ask("sys/mounts").status_code == 200


def test_hvac_reads_health(client: Any) -> None:
    """By both of its methods."""
    assert client.sys.read_health_status().status_code == 200
    assert client.sys.read_health_status(method="GET")["sealed"] is False
    assert client.sys.is_sealed() is False


async def asked(service: VaultService, method: str, path: str, **content: Any) -> httpx.Response:
    """Ask a service without a socket; an exception in it fails the test."""
    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://vault/v1") as client:
        return await client.request(method, path, headers=HEADERS, **content)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SENSIBLE = st.sampled_from(
    [
        "a.example",
        "urn:guardian:x",
        "10h",
        "default",
        "pem",
        "jws",
        "sha2-256",
        "AAAA",
        "01:02",
        pem_of_csr(make_csr(make_key(), "a")),
    ]
)
FIELDS = [
    *("csr", "common_name", "alt_names", "uri_sans", "ip_sans", "ttl", "format", "exclude_cn_from_sans"),
    *("serial_number", "certificate", "issuer_name", "default", "type", "config", "key_bits", "max_ttl"),
    *("allow_any_name", "ou", "organization", "country", "key_usage", "ext_key_usage", "max_path_length"),
    *("input", "signature", "hash_algorithm", "marshaling_algorithm", "prehashed", "deletion_allowed"),
]
PATHS = [
    *("pki/sign/open", "pki/issuer/default/sign/open", "pki/sign-verbatim", "pki/revoke", "pki/roles/x"),
    *("pki/root/generate/internal", "pki/intermediate/generate/internal", "pki/root/sign-intermediate"),
    *("pki/intermediate/set-signed", "pki/issuer/default", "pki/config/issuers", "sys/mounts/x"),
    *("transit/keys/k", "transit/keys/k/config", "transit/sign/k", "transit/verify/k"),
]


@pytest.fixture(scope="module")
def furnished() -> Iterator[tuple[asyncio.Runner, VaultService]]:
    """Give a Vault with an authority, a role and a key, which is asked without a socket."""
    service = VaultService(TOKEN)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("sys/mounts/pki", {"type": "pki"}),
        ("sys/mounts/transit", {"type": "transit"}),
        ("pki/root/generate/internal", {"common_name": "root", "key_type": "ec"}),
        ("pki/roles/open", {"key_type": "any", "allow_any_name": True, "enforce_hostnames": False}),
        ("transit/keys/k", {"type": "ecdsa-p256"}),
    ]
    with asyncio.Runner() as runner:
        for path, body in steps:
            assert runner.run(asked(service, "POST", path, json=body)).status_code in {200, 204}
        yield runner, service


@given(
    path=st.sampled_from(PATHS),
    fields=st.dictionaries(st.sampled_from(FIELDS), VALUES | SENSIBLE, max_size=6),
)
def test_no_body_breaks_a_call(
    furnished: tuple[asyncio.Runner, VaultService], path: str, fields: dict[str, Any]
) -> None:
    """Whatever the fields hold, a call is answered: done, or refused with a text that says why."""
    runner, service = furnished
    if "generate" in path:
        fields = {**fields, "key_type": "ec", "key_bits": fields.get("key_bits") or 256}
    content = json.dumps(fields)  # NaN and halves of characters, too
    answer = runner.run(asked(service, "POST", path, content=content))

    assert answer.status_code in {200, 204, 400, 404}
    if answer.status_code == 400:
        assert answer.json()["errors"][0]


@settings(max_examples=12, deadline=None)
@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "LIST", "DELETE", "HEAD"]))
def test_no_path_breaks_a_call(
    furnished: tuple[asyncio.Runner, VaultService], path: str, method: str
) -> None:
    """Whatever is asked for below a mount is answered, also colons, percent signs and half a word."""
    runner, service = furnished
    quoted = "".join(f"%{byte:02X}" for byte in path.encode("utf-8", "replace"))
    for below in ("pki/cert", "pki/issuer", "transit/keys", ""):
        answer = runner.run(asked(service, method, f"{below}/{quoted}"))
        assert answer.status_code in {200, 204, 400, 404, 405}
