"""What a system can be made of: components, their certificates, and settings (guardian fact sheet, 10.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness_guardian.enums import ApprovalType, DuplicatePolicy, KeyType, ProvisionSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSlot:
    """A certificate that each device of a component gets.

    :ivar slot: its name; ``identity`` is what the device signs later requests with.
    :ivar pki_role: role of Vault that signs it; the slot's name by default.
    :ivar ttl: how long it is valid, as Vault reads it; the fake takes at most nine years (``78840h``).
    :ivar eku: extended key usages, for example ``clientAuth``.
    """

    slot: str
    key: KeyType = KeyType.P256
    pki_role: str = ""
    ttl: str = "8760h"
    eku: tuple[str, ...] = ("clientAuth",)

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {
            "slot": self.slot,
            "pki_role": self.pki_role or self.slot,
            "ttl": self.ttl,
            "key": self.key.value,
            "eku": list(self.eku),
        }


#: What the component of the suites has: a key of each kind.
THREE_SLOTS = (
    CertificateSlot(slot="identity"),
    CertificateSlot(slot="tls", key=KeyType.P384, eku=("serverAuth", "clientAuth")),
    CertificateSlot(slot="signing", key=KeyType.ED25519),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDefinition:
    """A type of device.

    :ivar max_instances: of the component in one system instance; ``None``: any number.
    :ivar appliance_only: whether its devices can be provisioned first by an appliance only.
    :ivar hw_id_pattern: regular expression that hardware ids must match; ``None``: any.
    """

    name: str
    certificates: tuple[CertificateSlot, ...] = THREE_SLOTS
    max_instances: int | None = None
    appliance_only: bool = False
    duplicate_hw_id: DuplicatePolicy = DuplicatePolicy.DENY
    hw_id_pattern: str | None = None
    enabled: bool = True

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {
            "name": self.name,
            "max_instances": self.max_instances,
            "appliance_only": self.appliance_only,
            "duplicate_hw_id": self.duplicate_hw_id.value,
            "hw_id_pattern": self.hw_id_pattern,
            "certificates": [slot.fields() for slot in self.certificates],
            "enabled": self.enabled,
        }


#: The component that a system has unless told otherwise.
INFUSION_PUMP = ComponentDefinition(name="infusion-pump")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSettings:
    """The settings of a system besides its components and instances.

    :ivar vault_timeout: seconds that the service waits for Vault; ``None``: as long as it does by default.
    """

    approval: ApprovalType = ApprovalType.AUTOMATIC
    source: ProvisionSource = ProvisionSource.CLOUD
    complete_on_install: bool = False
    vault_timeout: float | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        fields: dict[str, Any] = {
            "approval_type": self.approval.value,
            "provision_source": self.source.value,
            "complete_on_install": self.complete_on_install,
        }
        if self.vault_timeout is not None:
            fields["vault_timeout"] = self.vault_timeout
        return fields
