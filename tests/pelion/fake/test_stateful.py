"""Accounts, certificates and devices in any order of calls, against a plain model of what must be known."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from harness_pelion.fake.directory import TooManyDevices
from tests.pelion.fake.pelion_site import Site, SiteAccount

TRUSTED = "/v3/trusted-certificates"
CREATE = "/v3/developer-certificates"
CERTIFICATES = 3
DEVICES = 2
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])

_site: list[Site] = []


@pytest.fixture(autouse=True, scope="module")
def one_site() -> Any:
    """One fake for all examples; each example has accounts of its own."""
    _site.append(Site())
    yield
    _site.pop().close()


class Machine(RuleBasedStateMachine):
    """Two accounts with small limits.

    :ivar model: certificates of each account by their ids: name, and whether it is active.
    :ivar devices: devices by their ids: account, certificate and state.
    """

    certificates = Bundle("certificates")
    devices_made = Bundle("devices_made")

    @initialize()
    def begin(self) -> None:
        """Make the accounts."""
        self.accounts: list[SiteAccount] = [_site[0].account() for _ in range(2)]
        self.model: list[dict[str, dict[str, Any]]] = [{}, {}]
        self.devices: dict[str, dict[str, Any]] = {}
        limits = {"certificates": CERTIFICATES, "devices_per_certificate": DEVICES}
        for account in self.accounts:
            account.control("POST", "/limits", json=limits)

    @rule(target=certificates, number=st.integers(0, 1), name=NAMES)
    def create(self, number: int, name: str) -> Any:
        """Make a certificate: 409 for a taken name, 403 for one too many, else 201."""
        known = self.model[number]
        answer = self.accounts[number].ask("POST", CREATE, json={"name": name})
        if any(each["name"] == name for each in known.values()):
            assert answer.status_code == 409
            return multiple()
        if len(known) >= CERTIFICATES:
            assert answer.status_code == 403
            return multiple()
        assert answer.status_code == 201
        identifier = answer.json()["id"]
        known[identifier] = {"name": name, "active": True, "der": None}
        known[identifier]["der"] = self.accounts[number].developer(identifier).der
        return (number, identifier)

    @rule(certificate=certificates, name=NAMES, active=st.booleans())
    def change(self, certificate: tuple[int, str], name: str, active: bool) -> None:  # noqa: FBT001 - drawn
        """Rename one and set whether it is trusted."""
        number, identifier = certificate
        known = self.model[number]
        body = {"name": name, "status": "ACTIVE" if active else "INACTIVE"}
        answer = self.accounts[number].ask("PUT", f"{TRUSTED}/{identifier}", json=body)
        if identifier not in known:
            assert answer.status_code == 404
        elif any(each["name"] == name for other, each in known.items() if other != identifier):
            assert answer.status_code == 409
        else:
            assert answer.status_code == 200
            known[identifier].update(name=name, active=active)

    @rule(certificate=certificates, stranger=st.booleans())
    def delete(self, certificate: tuple[int, str], stranger: bool) -> None:  # noqa: FBT001 - drawn
        """Delete one; another account cannot."""
        number, identifier = certificate
        who = 1 - number if stranger else number
        answer = self.accounts[who].ask("DELETE", f"{TRUSTED}/{identifier}")
        if stranger or identifier not in self.model[number]:
            assert answer.status_code == 404
        else:
            assert answer.status_code == 204
            del self.model[number][identifier]

    @rule(target=devices_made, certificate=certificates)
    def bootstrap(self, certificate: tuple[int, str]) -> Any:
        """Bootstrap a new device, which one certificate allows only so often."""
        number, identifier = certificate
        known = self.model[number].get(identifier)
        if known is None or not known["active"]:
            return multiple()
        users = [each for each in self.devices.values() if each["ca_id"] == identifier]
        device_id = secrets.token_hex(16)
        if len(users) >= DEVICES:
            with pytest.raises(TooManyDevices):
                self.accounts[number].device(identifier, device_id)
            return multiple()
        self.accounts[number].device(identifier, device_id)
        self.devices[device_id] = {"account": number, "ca_id": identifier, "state": "bootstrapped"}
        return device_id

    @rule(device_id=devices_made)
    def register(self, device_id: str) -> None:
        """Register a device that is known."""
        if device_id in self.devices:
            _site[0].fake.pelion.directory.registered(device_id, lifetime=60)
            self.devices[device_id]["state"] = "registered"

    @rule(device_id=devices_made)
    def deregister(self, device_id: str) -> None:
        """Deregister a device; one that is not registered stays what it is."""
        if device_id in self.devices:
            _site[0].fake.pelion.directory.deregistered(device_id, "x")
            if self.devices[device_id]["state"] == "registered":
                self.devices[device_id]["state"] = "deregistered"

    @rule(device_id=consumes(devices_made))
    def delete_device(self, device_id: str) -> None:
        """Delete a device; its certificate has room for another."""
        number = self.devices[device_id]["account"] if device_id in self.devices else 0
        answer = self.accounts[number].ask("DELETE", f"/v3/devices/{device_id}/")
        assert answer.status_code == (204 if self.devices.pop(device_id, None) else 404)

    @invariant()
    def everything_is_listed(self) -> None:
        """Lists, anchors and counts are those of the model, in each account by itself."""
        if not hasattr(self, "accounts"):
            return
        anchors = set(_site[0].fake.pelion.directory.trust_anchors())
        for number, account in enumerate(self.accounts):
            rows = account.get(TRUSTED, params={"include": "total_count"})
            known = self.model[number]
            assert {row["id"]: row["name"] for row in rows["data"]} == {
                identifier: each["name"] for identifier, each in known.items()
            }
            assert rows["total_count"] == len(known)
            for each in known.values():
                assert (each["der"] in anchors) == each["active"]
            devices = account.get("/v3/devices/")["data"]
            assert {row["id"]: (row["ca_id"], row["state"]) for row in devices} == {
                identifier: (each["ca_id"], each["state"])
                for identifier, each in self.devices.items()
                if each["account"] == number
            }


TestMachine = pytest.mark.filterwarnings("error")(Machine.TestCase)
TestMachine.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestMachine.__doc__ = "Any order of calls leaves what the model knows."
