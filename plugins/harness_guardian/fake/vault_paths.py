"""Where in the Vault things of a system are: mounts, issuer, roles and key. The names are our own."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness_guardian.fake.records import System

ISSUER = "intermediate"
"""Name of the issuer that signs for devices."""

TRANSIT = "transit"
"""The mount of the keys that sign certified profiles; all systems share it."""


def root_mount(vault_id: str) -> str:
    """Return the mount of a system's root, which signs the intermediate authority and nothing else.

    :param vault_id: :attr:`System.vault_id`.
    """
    return f"pki-root-{vault_id}"


def leaf_mount(vault_id: str) -> str:
    """Return the mount that signs for a system's devices."""
    return f"pki-{vault_id}"


def profile_key(vault_id: str) -> str:
    """Return the name of the key that signs a system's certified profiles."""
    return f"{vault_id}-profile-signer"


def role_name(component: str, slot: str, pki_role: str) -> str:
    """Return the role for one slot of a component.

    Several components may name one ``pki_role``, but a role of Vault fixes the subject's component, the kind
    of key and the extended key usages: so each slot has one of its own, whose name begins with that one.
    """
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", pki_role).strip("-") or "role"
    mark = hashlib.sha256(f"{component}\0{slot}".encode()).hexdigest()[:8]
    return f"{readable}-{mark}"


def request_path(system: System, role: str) -> str:
    """Return where a role signs, by name of the issuer."""
    return f"/v1/{leaf_mount(system.vault_id)}/issuer/{ISSUER}/sign/{role}"
