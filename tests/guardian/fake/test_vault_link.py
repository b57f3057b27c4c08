"""The link to the Vault: set up and torn down for real, and what comes of servers that are none."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import hvac.exceptions
import pytest
from starlette.responses import JSONResponse

from harness_guardian.fake import vault_set_up
from harness_guardian.fake.vault_contract import VaultRefused, VaultTimeout
from harness_guardian.fake.vault_errors import VaultNonsense, VaultUnreachable
from harness_guardian.fake.vault_lines import VaultLines
from harness_guardian.fake.vault_link import VaultLink
from harness_guardian.fake.vault_paths import leaf_mount, role_name
from harness_guardian.vault.service import VaultService
from tests.guardian.fake.strange_servers import JSON, drip, say, say_nothing, strange_server
from tests.guardian.fake.vault_site import COMPONENT, VaultSite
from tests.guardian.vault.served import TOKEN, openssl, served, served_vault

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from harness_guardian.fake.records import System

DEADLINE = 20.0


@pytest.fixture(scope="module")
def site() -> Iterator[VaultSite]:
    """Give a service whose Vault listens."""
    with served_vault() as served:
        site = VaultSite(served)
        try:
            yield site
        finally:
            site.close()


@pytest.fixture(scope="module")
def system(site: VaultSite) -> System:
    """Give a system that is set up."""
    return site.three_slots()[0]


def ask_at(url: str, system: System, work: Callable[[VaultLink], Coroutine[Any, Any, Any]]) -> Any:
    """Do something through a link to an address, and close it."""

    async def run() -> Any:
        link = VaultLink(lambda: url, TOKEN)
        try:
            return await asyncio.wait_for(work(link), DEADLINE)
        finally:
            link.close()

    del system
    return asyncio.run(run())


def mounts(site: VaultSite) -> dict[str, Any]:
    """Return what is mounted in the Vault."""
    headers = {"X-Vault-Token": TOKEN}
    mounted: dict[str, Any] = httpx.get(f"{site.served.url}/v1/sys/mounts", headers=headers).json()["data"]
    return mounted


def test_system_is_set_up_and_torn_down(site: VaultSite) -> None:
    """Setting up mounts two engines and makes a role for each slot; tearing down leaves nothing of it."""
    system, _device = site.three_slots()
    mount = leaf_mount(system.vault_id)
    client: Any = site.served.client()
    assert {f"{mount}/", f"pki-root-{system.vault_id}/", "transit/"} <= set(mounts(site))
    roles = client.secrets.pki.list_roles(mount_point=mount)["data"]["keys"]
    assert roles == sorted(role_name("pump", slot, slot) for slot in ("identity", "tls", "signing"))
    key = f"{system.vault_id}-profile-signer"
    assert client.secrets.transit.read_key(key)["data"]["type"] == "ecdsa-p256"
    issuer = client.secrets.pki.read_issuer("intermediate", mount_point=mount)["data"]
    assert system.trust is not None
    assert issuer["certificate"].strip() == system.trust.intermediate_pem.strip()

    for _time in range(2):  # the second one finds nothing, which is no error
        site.run(site.link.tear_down(system))
    assert not any(system.vault_id in path for path in mounts(site))
    with pytest.raises(hvac.exceptions.InvalidPath):
        client.secrets.transit.read_key(key)
    client.adapter.close()


def test_failed_set_up_leaves_nothing(site: VaultSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role that the Vault refuses: what had been mounted before it is gone, and the error says why."""
    monkeypatch.setattr(vault_set_up, "LEAF_HOURS", 1)
    before = set(mounts(site))
    slot = {"slot": "identity", "key": "P-256", "ttl": "2h"}
    with pytest.raises(Exception, match="write the role identity") as refused:
        site.system("Manual", {"name": "pump", "certificates": [slot]})

    assert '"ttl" value must be less than "max_ttl" value' in str(refused.value)
    assert set(mounts(site)) <= before | {"transit/"}


@pytest.mark.parametrize(
    ("step", "method", "path"),
    [
        ("generate the root", "POST", "root/generate/internal"),
        ("generate the intermediate authority", "POST", "intermediate/generate/internal"),
        ("sign the intermediate authority", "POST", "root/sign-intermediate"),
        ("hand over the signed intermediate authority", "POST", "intermediate/set-signed"),
        ("read the profile key", "GET", "-profile-signer"),
    ],
)
def test_set_up_step_that_says_nothing_is_nonsense(system: System, step: str, method: str, path: str) -> None:
    """A step that succeeds without what it should have made ends the set-up, which leaves nothing."""
    service = VaultService(TOKEN)

    async def forgetful(scope: Any, receive: Any, send: Any) -> None:
        strikes = (scope["method"], scope["path"].endswith(path)) == (method, True)
        await (JSONResponse({"data": {}}) if strikes else service)(scope, receive, send)

    with served(forgetful) as (url, _loop):
        with pytest.raises(VaultNonsense, match=f": {step}: the answer"):
            ask_at(url, system, lambda link: link.set_up(system))
        left = httpx.get(f"{url}/v1/sys/mounts", headers={"X-Vault-Token": TOKEN}).json()["data"]
    assert set(left) <= {"transit/"}


def test_changed_definition_changes_the_roles(site: VaultSite, system: System) -> None:
    """A component that is new in the definition gets roles of its own, beside those of the same name."""
    both = [COMPONENT, {**COMPONENT, "name": "cuff"}]
    site.run(site.service.change_system(site.user(), system.name, {"components": both}))
    client: Any = site.served.client()
    roles = client.secrets.pki.list_roles(mount_point=leaf_mount(system.vault_id))["data"]["keys"]
    client.adapter.close()

    assert len(roles) == len(set(roles)) == 6
    assert role_name("cuff", "tls", "tls") in roles


def test_roles_of_slots_have_names_of_their_own() -> None:
    """Two slots that name one PKI role have two roles in the Vault, whose names it takes."""
    names = {role_name("pump", "a", "id"), role_name("pump", "b", "id"), role_name("cuff", "a", "id")}
    assert len(names) == 3
    for odd in ("Üpper role/../x", "", "..", "-"):
        assert role_name("pump", "a", odd).replace("-", "").replace("_", "").isascii()
        assert "/" not in role_name("pump", "a", odd)


def test_revoking_the_unknown_or_revoked_is_no_error(site: VaultSite, system: System) -> None:
    """A certificate that is not there needs no revocation, and none needs two."""
    device = site.device(system, slots={"identity": "P-256", "tls": "P-384", "signing": "Ed25519"})
    serial = site.provisioned(device).certificates[0].serial
    for each in (serial, serial, "01:02:03"):
        site.run(site.link.revoke(system, each))
    assert site.is_revoked(system, serial)
    assert site.run(site.link.read_certificate(system, "01:02:03", request_id="")) is None


@pytest.mark.parametrize(
    "behave",
    [say_nothing, drip(JSON + b"Content-Length: 5000\r\n\r\n{"), drip(b"HTTP/1.1 200 OK\r\nX-Drip:")],
    ids=["silence", "dripping-body", "dripping-head"],
)
def test_time_counts_for_the_whole_answer(system: System, behave: Any) -> None:
    """An answer that is not there whole in time is none; its connection is ended, so that no thread stays."""
    with strange_server(behave) as server:
        slow = changed(system, vault_timeout=0.3)
        with pytest.raises(VaultTimeout, match=r"no complete answer within 0\.3 s"):
            ask_at(server.url, slow, lambda link: link.read_issuer(slow, request_id=""))
        assert server.ended.wait(DEADLINE)
        assert len(server.requests) == 1, "nothing is asked twice"


def test_vault_is_asked_by_tls(system: System, tmp_path: Path) -> None:
    """By TLS a Vault is asked whose authority is known, and no other; silence is cut off there, too."""
    files = tmp_path / "server.pem", tmp_path / "server.key"
    subject = ("-subj", "/CN=vault", "-addext", "subjectAltName=IP:127.0.0.1")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, *subject, "-out", files[0], "-keyout", files[1])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files)
    slow = changed(system, vault_timeout=0.3)

    async def read(url: str, ca_file: str | None, of: System) -> str:
        link = VaultLink(lambda: url, TOKEN, ca_file=ca_file)
        try:
            return await asyncio.wait_for(link.read_issuer(of, request_id=""), DEADLINE)
        finally:
            link.close()

    with strange_server(say(b'{"data": {"certificate": "PEM"}}'), tls) as server:
        assert asyncio.run(read(server.url, str(files[0]), system)) == "PEM"
        with pytest.raises(VaultUnreachable, match="SSLError"):
            asyncio.run(read(server.url, None, system))
    with strange_server(say_nothing, tls) as server:
        with pytest.raises(VaultTimeout):
            asyncio.run(read(server.url, str(files[0]), slow))
        assert server.ended.wait(DEADLINE)


def test_nobody_there(system: System) -> None:
    """A port that nobody listens on is no time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(VaultUnreachable, match="read the issuer"):
        ask_at(f"http://127.0.0.1:{port}", system, lambda link: link.read_issuer(system, request_id=""))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": {"certificate": 5}}',
    ],
)
def test_success_that_says_nothing_is_nonsense(system: System, content: bytes) -> None:
    """An answer 200 without what the call has is refused as such, with the name of the call."""
    with strange_server(say(content)) as server, pytest.raises(VaultNonsense, match="answer"):
        ask_at(server.url, system, lambda link: link.read_issuer(system, request_id=""))


@pytest.mark.parametrize(
    "answer", [b'{"data": {"signature": "nothing"}}', b'{"data": {"signature": "vault:v1"}}']
)
def test_signature_of_another_form_is_nonsense(system: System, answer: bytes) -> None:
    """What does not begin as Vault's signatures do is none."""
    with strange_server(say(answer)) as server, pytest.raises(VaultNonsense):
        ask_at(server.url, system, lambda link: link.sign_profile(system, b"x", request_id=""))


def test_redirection_is_not_followed(system: System) -> None:
    """The token does not go to where a Vault sends us."""
    with strange_server(say(b"{}")) as other:
        head = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + other.url.encode() + b"/v1/x\r\n"
        with strange_server(say(b"", head)) as server, pytest.raises(VaultNonsense):
            ask_at(server.url, system, lambda link: link.read_issuer(system, request_id=""))
        assert other.requests == []


def test_token_is_in_no_message(system: System) -> None:
    """Neither a message nor a traceback of a failed call has the token, whatever the Vault says."""
    answers = (b'{"errors": ["permission denied"]}', b"garbage")
    for content in answers:
        with strange_server(
            say(content, b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n")
        ) as server:
            with pytest.raises(VaultRefused) as refused:
                ask_at(server.url, system, lambda link: link.read_issuer(system, request_id=""))
            assert refused.value.status == 403
            assert TOKEN not in "".join(traceback.format_exception(refused.value))
            assert f"X-Vault-Token: {TOKEN}".encode() in server.requests[0]


def test_proxies_of_the_environment_are_not_used(
    site: VaultSite, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that is set for other purposes does not see the token."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    pem = ask_at(site.served.url, system, lambda link: link.read_issuer(system, request_id=""))
    assert "BEGIN CERTIFICATE" in pem


def test_waiting_for_a_turn_does_not_count(site: VaultSite) -> None:
    """A call's time begins when a thread has it: one that waits for its turn is not late."""
    release = threading.Event()

    async def run() -> list[str]:
        lines = VaultLines(lambda: site.served.url, TOKEN, threads=1)
        try:
            first = asyncio.create_task(lines.ask("first", lambda _client: told(release), seconds=DEADLINE))
            second = asyncio.create_task(lines.ask("second", lambda _client: "second", seconds=0.2))
            asyncio.get_running_loop().call_later(0.4, release.set)
            return list(await asyncio.wait_for(asyncio.gather(first, second), DEADLINE))
        finally:
            lines.close()

    assert asyncio.run(run()) == ["first", "second"]


def told(release: threading.Event) -> str:
    """Answer when it is time."""
    assert release.wait(DEADLINE)
    return "first"


def test_given_up_call_frees_its_thread(site: VaultSite, system: System) -> None:
    """A caller that goes away ends the connection; the one thread then takes the next call."""

    async def run() -> str:
        urls = [server.url, site.served.url]
        lines = VaultLines(lambda: urls.pop(0), TOKEN, threads=1)
        try:
            task = asyncio.create_task(
                lines.ask("first", lambda client: client.sys.read_seal_status(), seconds=DEADLINE)
            )
            assert await asyncio.to_thread(server.asked.wait, DEADLINE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await asyncio.wait_for(lines.ask("second", lambda _client: "second", seconds=10), DEADLINE)
        finally:
            lines.close()

    del system
    with strange_server(say_nothing) as server:
        assert asyncio.run(run()) == "second"
        assert server.ended.wait(DEADLINE)


def test_closing_ends_what_is_under_way(system: System) -> None:
    """Closed under a call, the link ends the call and its threads; later calls are refused at once."""

    async def run() -> None:
        link = VaultLink(lambda: server.url, TOKEN)
        task = asyncio.create_task(link.read_issuer(system, request_id=""))
        assert await asyncio.to_thread(server.asked.wait, DEADLINE)
        link.close()
        with pytest.raises((VaultTimeout, VaultRefused)):
            await asyncio.wait_for(task, DEADLINE)
        with pytest.raises(VaultUnreachable, match="is ending"):
            await link.read_issuer(system, request_id="")

    before = lines_alive()
    with strange_server(say_nothing) as server:
        asyncio.run(run())
    assert lines_alive() <= before


def lines_alive() -> set[threading.Thread]:
    """Return the threads that ask Vaults now."""
    return {thread for thread in threading.enumerate() if thread.name == "vault line"}


def changed(system: System, **settings: Any) -> System:
    """Return a system that differs in some settings."""
    return replace(system, **settings)
