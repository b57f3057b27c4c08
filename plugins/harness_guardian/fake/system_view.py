"""A system as JSON (guardian fact sheet, section 10.1): its definition, and what Vault made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness_guardian.fake.records import (
        CertificateSlot,
        ComponentDefinition,
        SignerKey,
        System,
        SystemInstance,
    )


def system_json(system: System) -> dict[str, Any]:
    """Return a system."""
    trust = system.trust
    return {
        "id": system.id,
        "name": system.name,
        "approval_type": system.approval_type.value,
        "provision_source": system.provision_source.value,
        "complete_on_install": system.complete_on_install,
        "vault_timeout": system.vault_timeout,
        "signer_keys": [signer_key_json(key) for key in system.signer_keys.values()],
        "profile_signer": None
        if trust is None
        else {"kid": trust.profile_signer_kid, "jwk": dict(trust.profile_signer_jwk)},
        "trust": [] if trust is None else [trust.root_pem, trust.intermediate_pem],
        "components": [_component_json(component) for component in system.components.values()],
        "instances": [instance_json(instance) for instance in system.instances.values()],
    }


def instance_json(instance: SystemInstance) -> dict[str, str]:
    """Return an instance of a system."""
    return {"id": instance.id, "name": instance.name}


def signer_key_json(key: SignerKey) -> dict[str, Any]:
    """Return the public key of a provisioning package."""
    return {"kid": key.kid, "jwk": dict(key.jwk), "state": key.state.value}


def _component_json(component: ComponentDefinition) -> dict[str, Any]:
    return {
        "name": component.name,
        "max_instances": component.max_instances,
        "appliance_only": component.appliance_only,
        "duplicate_hw_id": component.duplicate_hw_id.value,
        "hw_id_pattern": component.hw_id_pattern,
        "certificates": [_slot_json(slot) for slot in component.certificates],
        "enabled": component.enabled,
    }


def _slot_json(slot: CertificateSlot) -> dict[str, Any]:
    return {
        "slot": slot.slot,
        "pki_role": slot.pki_role,
        "ttl": slot.ttl,
        "key": slot.key.value,
        "eku": list(slot.eku),
    }
