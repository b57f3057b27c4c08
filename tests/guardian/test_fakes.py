"""The factory: its options, its doors, and Guardian and Vault together in a process of their own."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.backends.contract import FakeSettings
from harness.errors import UsageError
from harness.redaction import Redactor
from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.choices import CONTRARIAN, FAKE
from harness_guardian.fakes import create
from harness_guardian.plugin import harness_backends, harness_secrets
from tests.guardian.making import SLOTS, PaperDevice, make_key, public_jwk_of, thumbprint_of
from tests.guardian.vault.served import TOKEN, served

if TYPE_CHECKING:
    from pathlib import Path

    from harness_guardian.fakes import GuardianWithVault


def made(**options: str) -> GuardianWithVault:
    """Make a fake by options, whose names have hyphens."""
    fake = create(FakeSettings(options={name.replace("_", "-"): value for name, value in options.items()}))
    fake.close()
    return fake


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of whoever runs the tests count."""
    for name in ("GUARDIAN_VAULT_TOKEN", "GUARDIAN_VAULT_TOKEN_FILE", "GUARDIAN_VAULT_CA_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_cloud_has_appliance_and_vault_beside_it() -> None:
    """Without options the main door is the cloud's, and the two other doors have addresses of their own."""
    fake = made()

    assert set(fake.parts) == {"appliance", "vault"}
    assert fake.service is fake.guardian.door(ProvisionSource.CLOUD)
    assert fake.parts["appliance"].application is fake.guardian.door(ProvisionSource.APPLIANCE)
    assert fake.vault is not None
    assert fake.parts["vault"].application is fake.vault.application
    assert fake.guardian.guardian.choices is FAKE
    assert dict(fake.notes) == {}


def test_appliance_has_the_cloud_beside_it() -> None:
    """In the other role the main door is the appliance's."""
    fake = made(role="appliance", contrarian="yes")

    assert set(fake.parts) == {"cloud", "vault"}
    assert fake.service is fake.guardian.door(ProvisionSource.APPLIANCE)
    assert fake.parts["cloud"].application is fake.guardian.door(ProvisionSource.CLOUD)
    assert fake.guardian.guardian.choices is CONTRARIAN


def test_each_fake_has_a_vault_token_of_its_own_that_is_known_for_a_secret() -> None:
    """Two fakes' Vaults do not take each other's token, and the redactor hides both."""
    tokens = {str(made().vault_token), str(made().vault_token)}

    assert len(tokens) == 2
    redactor = Redactor(harness_secrets())
    for token in tokens:
        assert token not in redactor.redact(f"X-Vault-Token: {token}")


def test_organisation_of_the_operator_is_in_the_notes() -> None:
    """By hand somebody needs tokens: all five users' are noted, and no others."""
    fake = made(organisation="by hand")
    users = fake.guardian.guardian.organisation("by hand").users

    assert fake.notes["organisation"] == "by hand"
    assert fake.notes["token of anna (Admin)"] == users["anna"].token
    assert fake.notes["token of the Vault"] == fake.vault_token
    assert len([label for label in fake.notes if label.startswith("token of ")]) == len(users) + 1 == 6
    (spec,) = harness_backends()
    assert made(**spec.serve_options).notes, "served by hand, it tells tokens"


def test_vault_elsewhere_is_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an address of a Vault there is none of ours; its token comes from option, variable or file."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    url = "https://vault.example:8200"
    assert set(made(vault=url, vault_token=TOKEN).parts) == {"appliance"}
    monkeypatch.setenv("GUARDIAN_VAULT_TOKEN_FILE", str(file))
    assert made(vault=url).vault is None
    monkeypatch.setenv("GUARDIAN_VAULT_TOKEN", TOKEN)
    file.unlink()
    assert made(vault=f"{url}/").vault is None


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"rule": "cloud"}, "--option"),
        ({"role": "Cloud"}, "role"),
        ({"contrarian": "maybe"}, "contrarian"),
        ({"organisation": " "}, "organisation"),
        ({"organisation": "x" * 201}, "organisation"),
        ({"vault": "vault.example"}, "vault"),
        ({"vault": "ftp://vault.example"}, "vault"),
        ({"vault": "http://[::1"}, "vault"),
        ({"vault": "https://user:secret@vault.example", "vault_token": TOKEN}, "vault"),
        ({"vault": "https://vault.example"}, "GUARDIAN_VAULT_TOKEN"),
        ({"vault": "https://vault.example", "vault_token": "two words"}, "vault-token"),
        ({"vault_token": TOKEN}, "vault-token"),
    ],
)
def test_option_that_does_not_fit_is_named(options: dict[str, str], key: str) -> None:
    """One message with the key and what was expected; a token or password is not repeated."""
    with pytest.raises(UsageError) as refused:
        made(**options)
    assert refused.value.key == key
    assert refused.value.expected
    for secret in (TOKEN, "secret", "two words"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_token_file_of_everybody_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """A file that others may read holds no secret any more; the message says how to mend it."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)
    monkeypatch.setenv("GUARDIAN_VAULT_TOKEN_FILE", str(file))
    with pytest.raises(UsageError, match="others may read the token") as refused:
        made(vault="https://vault.example")
    assert f"chmod 600 {file}" in str(refused.value)
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_token_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is missing, a directory, empty, or holds something else."""
    empty, odd = tmp_path / "empty", tmp_path / "odd"
    empty.touch(0o600)
    odd.touch(0o600)
    odd.write_text("two words")
    tmp_path.chmod(0o700)
    for file, text in (
        (tmp_path / "missing", "cannot be read"),
        (tmp_path, "no plain file"),
        (empty, "holds no Vault token"),
        (odd, "holds no Vault token"),
    ):
        monkeypatch.setenv("GUARDIAN_VAULT_TOKEN_FILE", str(file))
        with pytest.raises(UsageError, match=text):
            made(vault="https://vault.example")


def test_file_of_authorities_has_to_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of authorities that is not there is a usage error, not a failure of each call later."""
    monkeypatch.setenv("GUARDIAN_VAULT_CA_FILE", str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="no such file"):
        made(vault="https://vault.example", vault_token=TOKEN)


def test_guardian_and_its_vault_work_together() -> None:
    """Through the fake's own doors: system, request, profile, and the Vault's log and faults by control."""
    fake = create(FakeSettings())
    assert fake.vault is not None
    with served(fake.vault.application) as (url, _loop), asyncio.Runner() as runner:
        fake.parts["vault"].url = url
        try:
            runner.run(asyncio.wait_for(provision_twice(fake), 30))
        finally:
            fake.close()


async def provision_twice(fake: GuardianWithVault) -> None:
    """Provision a device, and fail to provision another; see what the Vault was asked."""
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(fake.control), base_url="http://c") as control,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(fake.service), base_url="http://g/api/v1", timeout=30
        ) as cloud,
    ):
        users = (await control.post("/organisations", json={"name": "acme"})).json()["users"]
        cloud.headers["Authorization"] = f"Bearer {users[0]['token']}"
        key = make_key()
        slots = [{"slot": slot, "key": kind} for slot, kind in SLOTS.items()]
        definition: dict[str, Any] = {
            "name": "System",
            "approval_type": "Automatic",
            "components": [{"name": "pump", "certificates": slots}],
            "instances": [{"name": "Ward A"}],
            "signer_keys": [{"kid": thumbprint_of(key), "jwk": public_jwk_of(key)}],
        }
        assert (await cloud.post("/systems", json=definition)).status_code == 201
        statuses = []
        for fault in (None, "sign-profile"):
            if fault:
                order = {"organisation": "acme", "call": fault, "kind": "status", "times": 1}
                assert (await control.post("/vault/faults", json=order)).status_code == 201
            request = PaperDevice(system="System", signer=key).request()
            headers = {"Content-Type": request.media_type, "Prefer": "wait=20"}
            await cloud.post("/provisioning-requests", content=request.content, headers=headers)
            path = f"/provisioning-requests/{request.request_id}"
            profile = await cloud.get(f"{path}/certified-profile", headers=headers)
            statuses.append((profile.status_code, (await cloud.get(path)).json()["status"]))
        log = (await control.get("/vault/log", params={"system": "System"})).json()["items"]
        serial = next(entry["serial"] for entry in log if entry["call"] == "sign")
        of_system = {"system": "System"}
        spoilt = [
            (await control.post(f"/vault/certificates/{serial}/revoke", params=of_system)).status_code,
            (await control.delete(f"/vault/certificates/{serial}", params=of_system)).status_code,
            (await control.delete(f"/vault/certificates/{serial}", params=of_system)).status_code,
        ]

    assert statuses == [(200, "provisioned"), (409, "error")]
    calls = [entry["call"] for entry in log if entry["call"] not in {"set-up", "other"}]
    once = ["read-issuer", *["sign"] * 3, "sign-profile"]
    assert calls == [*once, *once, *["revoke"] * 3]
    assert spoilt == [204, 204, 404]
