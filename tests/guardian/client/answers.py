"""What the service says, literally (guardian fact sheet, sections 4, 10.1 and 10.5)."""

from __future__ import annotations

from typing import Any

ORGANISATION: dict[str, Any] = {
    "name": "run1-gw0",
    "users": [
        {"name": "anna", "role": "Admin", "token": "gdn_anna-0123456789abcdef"},
        {"name": "bert", "role": "Admin", "token": "gdn_bert-0123456789abcdef"},
        {"name": "rita", "role": "Reporter", "token": "gdn_rita-0123456789abcdef"},
        {"name": "liam", "role": "Limited", "token": "gdn_liam-0123456789abcdef"},
        {"name": "lena", "role": "Limited", "token": "gdn_lena-0123456789abcdef"},
    ],
}

PROFILE_JWK = {"crv": "P-256", "kty": "EC", "x": "AA", "y": "BB"}
SIGNER_KEY = {"kid": "k", "jwk": {}, "state": "active"}
ID = "5f0c1f1e-7c59-4b53-a6e0-3b1f2d0a9c11"


def system(**changes: Any) -> dict[str, Any]:
    """Return a system."""
    return {
        "id": "0b6f0a3e5c6d4b7f9a1e2d3c4b5a6978",
        "name": "run1-system-cafe",
        "approval_type": "Automatic",
        "provision_source": "Cloud",
        "complete_on_install": False,
        "signer_keys": [],
        "profile_signer": {"kid": "profile-kid", "jwk": PROFILE_JWK},
        "trust": ["ROOT", "INTERMEDIATE"],
        "components": [
            {"name": "pump", "certificates": [{"slot": "identity", "key": "P-256", "pki_role": "identity"}]}
        ],
        "instances": [{"id": "11111111-2222-4333-8444-555555555555", "name": "Ward A"}],
        **changes,
    }


def row(**changes: Any) -> dict[str, Any]:
    """Return a row."""
    return {
        "id": ID,
        "status": "verifying",
        "error_code": None,
        "version": 1,
        "actions": [],
        "system_name": "run1-system-cafe",
        "system_instance_name": "Ward A",
        "system_instance_id": "11111111-2222-4333-8444-555555555555",
        "component_name": "pump",
        "component_instance_id": None,
        "component_instance_created_on": None,
        "device_hw_id": "SN-1",
        "approval_type": "Automatic",
        "provisioning_status": "Verifying...",
        "request_id": ID,
        "request_created_on": "2026-11-21T10:00:00.000Z",
        "response_id": None,
        "response_created_on": None,
        "provision_source": "Cloud",
        "approved_on": None,
        "approved_by": None,
        "rejected_on": None,
        "rejected_by": None,
        "provisioned_on": None,
        "provisioned_by": None,
        **changes,
    }


def provisioned(**changes: Any) -> dict[str, Any]:
    """Return the row of a device that is provisioned."""
    return row(
        **{
            "status": "provisioned",
            "provisioning_status": "Provisioned",
            "version": 4,
            "component_instance_id": "99999999-2222-4333-8444-555555555555",
            "component_instance_created_on": "2026-11-21T10:00:01.000Z",
            "response_id": "77777777-2222-4333-8444-555555555555",
            "response_created_on": "2026-11-21T10:00:02.000Z",
            "approved_on": "2026-11-21T10:00:01.000Z",
            "approved_by": "System",
            "provisioned_on": "2026-11-21T10:00:02.000Z",
            "provisioned_by": "System",
            **changes,
        }
    )


def history(*statuses: str) -> dict[str, Any]:
    """Return a history."""
    return {
        "items": [
            {
                "status": status,
                "text": status.title(),
                "at": f"2026-11-21T10:00:0{number}.000Z",
                "by": "System",
                "error_code": None,
            }
            for number, status in enumerate(statuses)
        ]
    }


def problem(slug: str, status: int, detail: str, code: str | None = None) -> dict[str, Any]:
    """Return a problem (RFC 9457)."""
    document: dict[str, Any] = {
        "type": f"urn:guardian:problem:{slug}",
        "title": "No",
        "status": status,
        "detail": detail,
        "instance": "/x",
    }
    return document if code is None else {**document, "code": code}
