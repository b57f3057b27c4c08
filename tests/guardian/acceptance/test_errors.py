"""Every error of the seed's troubleshooting, brought about by what it says: its code, and its label.

Labels and codes are the seed's ('Manage device provisioning'), written down here once more on purpose.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.fake.vault_contract import VaultRefused, VaultTimeout
from tests.guardian.fake.rest_site import BASE, COMPONENT, REQUESTS
from tests.guardian.making import MadeRequest, make_key, sign_jws, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guardian.fake.rest_site import Site, SiteSystem
    from tests.guardian.making import PaperDevice

SLOT = COMPONENT["certificates"][0]
TWO_SLOTS = {**COMPONENT, "certificates": [SLOT, {**SLOT, "slot": "tls", "pki_role": "tls"}]}
VALVE = {**COMPONENT, "name": "valve"}


class Trial:
    """An Automatic system, and ways to get requests of it wrong."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Try at a site."""
        self.site = site
        self.patch = monkeypatch

    def system(self, approval: str = "Automatic", **component: Any) -> SiteSystem:
        """Make a system with a pump and a valve."""
        return self.site.system(approval, components=[{**COMPONENT, **component}, VALVE])

    def ends(self, system: SiteSystem, made: MadeRequest) -> dict[str, Any]:
        """Submit a request and return its row when it has failed."""
        identifier = system.submit(made).json()["request_id"]
        return self.site.until(identifier, "error")

    def provisioned(self, system: SiteSystem, **changed: Any) -> PaperDevice:
        """Return a device that is provisioned."""
        device = system.device(**changed)
        made = device.request()
        identifier = system.submit(made).json()["request_id"]
        self.site.until(identifier, "provisioned")
        device.take(self.site.ask("GET", f"{REQUESTS}/{identifier}/certified-profile").text, made)
        return device

    def vault_raises(self, call: str, error: Exception) -> None:
        """Let Vault fail in a call."""

        async def fail(*_arguments: Any, **_named: Any) -> None:
            raise error

        self.patch.setattr(self.site.vault, call, fail)


def appliance_only(trial: Trial) -> dict[str, Any]:
    """The device can only be initially provisioned against an appliance."""
    system = trial.system(appliance_only=True)
    return trial.ends(system, system.device().request())


def duplicate(trial: Trial) -> dict[str, Any]:
    """The hardware ID provided in the PR matches an existing device's hardware ID."""
    system = trial.system()
    trial.provisioned(system, hw_id="SN-1")
    return trial.ends(system, system.device(hw_id="SN-1").request())


def missing_key(trial: Trial) -> dict[str, Any]:
    """The key used to sign the PR does not exist."""
    system = trial.system()
    device = system.device()
    device.signer = make_key()
    return trial.ends(system, device.request())


def malformed(trial: Trial) -> dict[str, Any]:
    """The signature of the PR could not be verified."""
    system = trial.system()
    made = system.device().request()
    forged = sign_jws(made.payload, make_key(), kid=thumbprint_of(system.key))
    return trial.ends(
        system, MadeRequest(content=forged, media_type=made.media_type, payload=made.payload, keys={})
    )


def too_many(trial: Trial) -> dict[str, Any]:
    """The maximum number of this device (component) has already been reached."""
    system = trial.system(max_instances=1)
    trial.provisioned(system)
    return trial.ends(system, system.device().request())


def no_certificates(trial: Trial) -> dict[str, Any]:
    """Vault was unable to sign device certificates."""
    system = trial.system()
    trial.vault_raises("sign_certificate", VaultRefused(500, "no"))
    return trial.ends(system, system.device().request())


def no_profile(trial: Trial) -> dict[str, Any]:
    """Vault was unable to sign a device certified profile."""
    system = trial.system()
    trial.vault_raises("sign_profile", VaultRefused(500, "no"))
    return trial.ends(system, system.device().request())


def timed_out(trial: Trial) -> dict[str, Any]:
    """The service that drives provisioning timed out making a request to Vault."""
    system = trial.system()
    trial.vault_raises("sign_certificate", VaultTimeout("late"))
    return trial.ends(system, system.device().request())


def no_identity(trial: Trial) -> dict[str, Any]:
    """Vault could not find the device identity of the device that signed the PR."""
    system = trial.system()
    device = trial.provisioned(system)
    trial.patch.setattr(trial.site.vault, "known", {})
    return trial.ends(system, device.request())


def no_leaf(trial: Trial) -> dict[str, Any]:
    """Vault could not find device leaf certificates for a device."""
    system = trial.site.system("Automatic", components=[TWO_SLOTS])
    device = system.device()
    device.slots = {"identity": "P-256", "tls": "P-256"}
    made = device.request()
    identifier = system.submit(made).json()["request_id"]
    trial.site.until(identifier, "provisioned")
    device.take(trial.site.ask("GET", f"{REQUESTS}/{identifier}/certified-profile").text, made)
    kept = dict(trial.site.vault.known)
    kept.popitem()  # signed last: the certificate of the second slot
    trial.patch.setattr(trial.site.vault, "known", kept)
    return trial.ends(system, device.request())


def no_issuer(trial: Trial) -> dict[str, Any]:
    """Vault was unable to find the certificate of a vault signer."""
    system = trial.system()
    trial.vault_raises("read_issuer", VaultRefused(404, "unable to find PKI issuer"))
    return trial.ends(system, system.device().request())


def other_component(trial: Trial) -> dict[str, Any]:
    """The PR contains a different component name than the component that signed the PR."""
    system = trial.system()
    return trial.ends(system, trial.provisioned(system).request(component="valve"))


def other_hw_id(trial: Trial) -> dict[str, Any]:
    """The PR has a different hardware ID than the device that signed the PR."""
    system = trial.system()
    device = trial.provisioned(system)
    device.hw_id = "SN-other"
    return trial.ends(system, device.request())


def other_instance(trial: Trial) -> dict[str, Any]:
    """The PR is for a device in a different system instance than the device that signed the PR."""
    system = trial.system()
    return trial.ends(system, trial.provisioned(system).request(system_instance={"name": "Ward B"}))


def in_progress(trial: Trial) -> dict[str, Any]:
    """The PR is a re-provision request for a device that is in the process of provisioning."""
    system = trial.system()
    device = trial.provisioned(system)
    changed = trial.site.ask("PATCH", f"{BASE}/systems/{system.name}", json={"approval_type": "Manual"})
    assert changed.status_code == 200
    first = system.submit(device.request()).json()["request_id"]
    trial.site.until(first, "needs_approval")
    return trial.ends(system, device.request())


ERRORS: list[tuple[str, str, Callable[[Trial], dict[str, Any]]]] = [
    ("Must be provisioned by appliance", "APPLIANCE_ONLY", appliance_only),
    ("Duplicate HW ID", "DUPLICATE_HW_ID_FAILURE", duplicate),
    ("Missing PR signer key", "MISSING_PR_SIGNER_KEY", missing_key),
    ("Malformed PR signature", "PR_SIGNATURE_MALFORMED", malformed),
    ("Max instances exceeded", "MAX_INSTANCE_FAILURE", too_many),
    ("Vault could not sign certificates", "FAIL_SIGN_DEVICE_CERTIFICATES", no_certificates),
    ("Vault could not sign profile", "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE", no_profile),
    ("Vault request timed out", "VAULT_REQUEST_TIMEOUT", timed_out),
    ("Vault could not find PR signer", "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER", no_identity),
    ("Vault could not find device leaf certificates", "UNABLE_LOOKUP_DEVICE_CERTIFICATES", no_leaf),
    ("Vault could not find vault signer certificate", "FAIL_SIGN_MISSING_SIGNER_CERTIFICATE", no_issuer),
    ("Component mismatch", "REPROVISIONING_MISMATCH_COMPONENT", other_component),
    ("HW ID mismatch", "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER", other_hw_id),
    ("Instance mismatch", "REPROVISIONING_MISMATCH_INSTANCE", other_instance),
    ("Device is already provisioning", "REPROVISIONING_PROVISIONING_COMPONENT", in_progress),
]


@pytest.mark.parametrize(("label", "code", "cause"), ERRORS, ids=[code for _label, code, _cause in ERRORS])
def test_error(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    label: str,
    code: str,
    cause: Callable[[Trial], dict[str, Any]],
) -> None:
    """What the seed describes ends with its code; the label is the status, in row, history and profile."""
    row = cause(Trial(site, monkeypatch))
    history = site.ask("GET", f"{REQUESTS}/{row['id']}/history").json()["items"]
    problem = site.ask("GET", f"{REQUESTS}/{row['id']}/certified-profile")

    assert (row["provisioning_status"], row["error_code"]) == (label, code)
    assert (history[-1]["text"], history[-1]["error_code"]) == (label, code)
    assert (problem.status_code, problem.json()["code"]) == (409, code)
    assert label in problem.json()["detail"]
    assert json.dumps(row["actions"]) == "[]"
