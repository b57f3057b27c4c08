"""What a fake is ordered to do: faults, holds, dwell and clock; Vault's log; and that all of it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import BackendFault, RequestRefused
from harness_guardian.enums import Status

if TYPE_CHECKING:
    from typing import Any

    from harness_guardian.client import GuardianClient
    from tests.guardian.client.conftest import Stage

ORDERS = "/organisations/run1-gw0/orders"
LOG = "/vault/log"


def _call(**changes: Any) -> dict[str, Any]:
    return {
        "at": "2026-11-21T10:00:00.000Z",
        "call": "sign",
        "system": "0b",
        "slot": "identity",
        "role": "identity",
        "serial": "0a:0b",
        "status": 200,
        "request_id": None,
        "seconds": 0.001,
        **changes,
    }


def test_fault(guardian: GuardianClient, stage: Stage) -> None:
    """It is ordered in the organisation's name, and taken back with its block."""
    stage.control.says("POST", "/vault/faults", 201, {"id": "f1"})
    stage.control.says("DELETE", "/vault/faults/f1", 204)

    with guardian.vault.fault("sys", call="sign", kind="status", status=500, errors=["no"], times=2) as fault:
        assert fault.id == "f1"
        assert stage.control.requests("DELETE", "/vault/faults/f1") == []

    assert stage.control.requests("POST", "/vault/faults")[0].json == {
        "organisation": "run1-gw0",
        "system": "sys",
        "call": "sign",
        "serial": None,
        "kind": "status",
        "status": 500,
        "errors": ["no"],
        "seconds": None,
        "times": 2,
    }
    assert len(stage.control.requests("DELETE", "/vault/faults/f1")) == 1


def test_hold(guardian: GuardianClient, stage: Stage) -> None:
    """It ends with its block, also after an exception; that it is gone already is well."""
    stage.control.says("POST", "/holds", 201, {"id": "h1"})
    stage.control.says("DELETE", "/holds/h1", 404)

    with pytest.raises(ZeroDivisionError), guardian.hold("sys", Status.VERIFYING):
        raise ZeroDivisionError

    (asked,) = stage.control.requests("POST", "/holds")
    assert asked.json == {"organisation": "run1-gw0", "system": "sys", "status": "verifying"}
    assert len(stage.control.requests("DELETE", "/holds/h1")) == 1


def test_order_that_makes_no_sense(guardian: GuardianClient, stage: Stage) -> None:
    """What the fake does not take is told."""
    stage.control.says("POST", "/vault/faults", 422, {"detail": "no such kind"})

    with pytest.raises(RequestRefused, match="no such kind"):
        guardian.vault.fault("sys", call="sign", kind="tea")


def test_dwell_and_clock(guardian: GuardianClient, stage: Stage) -> None:
    """Both are the organisation's own, and known to be out of the ordinary until the test ends."""
    for what in ("dwell", "clock"):
        stage.control.says("PUT", f"/organisations/run1-gw0/{what}", 204)

    guardian.dwell(0.5)
    assert not guardian.ordered.clock_shifted
    guardian.shift_clock(60)

    assert stage.control.requests("PUT", "/organisations/run1-gw0/dwell")[0].json == {"seconds": 0.5}
    assert stage.control.requests("PUT", "/organisations/run1-gw0/clock")[0].json == {"offset_seconds": 60}
    guardian.undo_orders()
    assert guardian.ordered.clock_shifted
    guardian.undo()
    assert not guardian.ordered.clock_shifted


def test_orders_end_with_the_test(guardian: GuardianClient, stage: Stage) -> None:
    """Who ordered nothing takes nothing back; a new client takes back what a dead one left."""
    assert len(stage.control.requests("DELETE", ORDERS)) == 1
    guardian.undo_orders()
    assert len(stage.control.requests("DELETE", ORDERS)) == 1
    stage.control.says("PUT", "/organisations/run1-gw0/dwell", 204)

    guardian.other_admin.dwell(0)
    guardian.forget()
    guardian.forget()

    assert len(stage.control.requests("DELETE", ORDERS)) == 2


def test_control_that_fails_keeps_nothing_from_being_undone(guardian: GuardianClient, stage: Stage) -> None:
    """Systems are deleted although orders could not be taken back, and the failure is told."""
    stage.system()
    stage.control.says("PUT", "/organisations/run1-gw0/dwell", 204)
    guardian.create_system()
    guardian.dwell(0)
    stage.control.forget()
    stage.control.says("DELETE", ORDERS, 500)

    with pytest.raises(BackendFault):
        guardian.undo()

    assert len(stage.cloud.requests("DELETE", "/api/v1/systems/[^/]+")) == 1


def test_log(guardian: GuardianClient, stage: Stage) -> None:
    """What Vault was asked, oldest first; an answer that nobody got has no status."""
    calls = [_call(), _call(call="sign-profile", slot=None, serial=None, status=None)]
    stage.control.says("GET", LOG, 200, {"items": calls})

    first, second = guardian.vault.log("sys")

    assert stage.control.requests("GET", LOG)[0].path == f"{LOG}?system=sys"
    assert (first.call, first.slot, first.serial, first.status) == ("sign", "identity", "0a:0b", 200)
    assert (second.slot, second.serial, second.status, second.request_id) == ("", "", None, "")


def test_waiting_for_a_call(guardian: GuardianClient, stage: Stage) -> None:
    """The log is looked at again until the call is in it."""
    stage.control.says("GET", LOG, 200, {"items": []})
    stage.control.says("GET", LOG, 200, {"items": [_call(call="revoke")]})

    assert len(guardian.vault.wait_for_calls("sys", "revoke", 1)) == 1
    assert len(stage.control.requests("GET", LOG)) == 2


def test_waiting_for_a_call_in_vain(guardian: GuardianClient, stage: Stage) -> None:
    """What was waited for is told, and how much of it came."""
    stage.control.says("GET", LOG, 200, {"items": [_call()]})

    with pytest.raises(BackendFault, match=r"asked to sign 2 times for sys within 0\.03 s; it was 1 times"):
        guardian.vault.wait_for_calls("sys", "sign", 2, timeout=0.03)


@pytest.mark.parametrize(
    ("change", "method", "path"),
    [
        ("forget", "DELETE", "/vault/certificates/0a%3A0b"),
        ("revoke", "POST", "/vault/certificates/0a%3A0b/revoke"),
    ],
)
def test_certificates(guardian: GuardianClient, stage: Stage, change: str, method: str, path: str) -> None:
    """A certificate is named by its serial number, and its system by name."""
    stage.control.says(method, path, 204)

    getattr(guardian.vault, change)("0a:0b", "sys")

    assert stage.control.requests(method, path)[0].path == f"{path}?system=sys"
