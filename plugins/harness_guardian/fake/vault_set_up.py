"""Setting a system up in the Vault, by documented calls: root, intermediate authority, roles, profile key.

The root's key never leaves its mount, which signs the intermediate authority and nothing after that
(guardian fact sheet, section 10.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from joserfc.jwk import ECKey

from harness_guardian.enums import KeyType
from harness_guardian.fake.vault_contract import LEAF_HOURS, SystemTrust, VaultRefused
from harness_guardian.fake.vault_paths import (
    ISSUER,
    TRANSIT,
    leaf_mount,
    profile_key,
    role_name,
    root_mount,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_guardian.fake.records import CertificateSlot, ComponentDefinition, System
    from harness_guardian.fake.vault_lines import VaultClient, VaultLines

ROOT_LIFE = "175200h"
"""Twenty years."""

INTERMEDIATE_LIFE = "87600h"
"""Ten years."""

SHORTEST_PATIENCE = 5.0
"""Seconds that each step may take at least: a system's own time-out is one for provisioning."""

_KEYS = {KeyType.P256: ("ec", 256), KeyType.P384: ("ec", 384), KeyType.ED25519: ("ed25519", 0)}
_MOUNTED_ALREADY = "path is already in use"


class SetUp:
    """The steps for one system; each is one call."""

    def __init__(self, lines: VaultLines, system: System) -> None:
        """Set a system up.

        :param lines: asked for each call.
        """
        self._lines = lines
        self._system = system
        self._root = root_mount(system.vault_id)
        self._leaf = leaf_mount(system.vault_id)
        self._key = profile_key(system.vault_id)

    async def run(self) -> SystemTrust:
        """Take all steps.

        :raises VaultTimeout: no answer in time.
        :raises VaultRefused: the Vault did not do it.
        """
        await self._mount(self._root, ROOT_LIFE)
        await self._mount(self._leaf, INTERMEDIATE_LIFE)
        root_pem = await self._generate_root()
        intermediate_pem = await self._generate_intermediate()
        await self.write_roles()
        jwk = await self._make_profile_key()
        return SystemTrust(
            root_pem=root_pem,
            intermediate_pem=intermediate_pem,
            profile_signer_kid=jwk.thumbprint(),
            profile_signer_jwk={name: str(value) for name, value in jwk.as_dict(private=False).items()},
        )

    async def write_roles(self) -> None:
        """Write a role for each slot of each component, as the definition is now."""
        for component in self._system.components.values():
            for slot in component.certificates:
                name = role_name(component.name, slot.slot, slot.pki_role)
                settings = _role_settings(self._system, component, slot)
                await self._write_role(name, settings)

    async def take_down(self) -> None:
        """Remove what the steps made; what is not there is left so.

        :raises VaultTimeout: no answer in time.
        :raises VaultRefused: the Vault did not do it.
        """
        await self._unmount(self._leaf)
        await self._unmount(self._root)
        try:
            await self._ask(
                "allow the profile key to be deleted",
                lambda client: client.secrets.transit.update_key_configuration(
                    self._key, deletion_allowed=True, mount_point=TRANSIT
                ),
            )
        except VaultRefused as refusal:
            if refusal.status in {400, 404}:  # there is no such key, or not even the mount
                return
            raise
        await self._ask(
            "delete the profile key",
            lambda client: client.secrets.transit.delete_key(self._key, mount_point=TRANSIT),
        )

    async def _write_role(self, name: str, settings: dict[str, Any]) -> None:
        await self._ask(
            f"write the role {name}",
            lambda client: client.secrets.pki.create_or_update_role(name, settings, mount_point=self._leaf),
        )

    async def _unmount(self, mount: str) -> None:
        await self._ask(f"unmount {mount}", lambda client: client.sys.disable_secrets_engine(mount))

    async def _mount(self, mount: str, life: str) -> None:
        await self._ask(
            f"mount {mount}",
            lambda client: client.sys.enable_secrets_engine(
                "pki", path=mount, config={"default_lease_ttl": "768h", "max_lease_ttl": life}
            ),
        )

    async def _generate_root(self) -> str:
        settings = {
            "issuer_name": "root",
            "key_type": "ec",
            "key_bits": 256,
            "ttl": ROOT_LIFE,
            "organization": self._system.name,
        }
        certificate: str = await self._ask(
            "generate the root",
            lambda client: _certificate(
                client.secrets.pki.generate_root(
                    "internal", f"{self._system.name[:40]} root", settings, mount_point=self._root
                )["data"]["certificate"]
            ),
        )
        return certificate

    async def _generate_intermediate(self) -> str:
        name = f"{self._system.name[:40]} devices"
        settings = {"key_type": "ec", "key_bits": 256, "organization": self._system.name}
        request = await self._ask(
            "generate the intermediate authority",
            lambda client: client.secrets.pki.generate_intermediate(
                "internal", name, dict(settings), mount_point=self._leaf
            )["data"]["csr"],
        )
        terms = {"ttl": INTERMEDIATE_LIFE, "max_path_length": 0, "organization": self._system.name}

        def sign(client: VaultClient) -> tuple[str, str]:
            signed = client.secrets.pki.sign_intermediate(request, name, terms, mount_point=self._root)
            return _certificate(signed["data"]["certificate"]), _certificate(signed["data"]["issuing_ca"])

        def hand_over(client: VaultClient) -> str:
            taken = client.secrets.pki.set_signed_intermediate("\n".join(chain), mount_point=self._leaf)
            # The issuer whose key is here; the root was imported as well, without one.
            with_keys = [str(issuer) for issuer, key in taken["data"]["mapping"].items() if key]
            return with_keys[0]

        chain: tuple[str, str] = await self._ask("sign the intermediate authority", sign)
        await self._name_issuer(await self._ask("hand over the signed intermediate authority", hand_over))
        return chain[0]

    async def _name_issuer(self, issuer: str) -> None:
        await self._ask(
            "name the issuer",
            lambda client: client.secrets.pki.update_issuer(
                issuer, {"issuer_name": ISSUER}, mount_point=self._leaf
            ),
        )
        await self._ask(
            "make it the default issuer",
            lambda client: client.adapter.post(f"/v1/{self._leaf}/config/issuers", json={"default": issuer}),
        )

    async def _make_profile_key(self) -> ECKey:
        try:
            await self._ask(
                "mount transit", lambda client: client.sys.enable_secrets_engine("transit", path=TRANSIT)
            )
        except VaultRefused as refusal:
            if _MOUNTED_ALREADY not in str(refusal):
                raise
        await self._ask(
            "make the profile key",
            lambda client: client.secrets.transit.create_key(
                self._key, key_type="ecdsa-p256", mount_point=TRANSIT
            ),
        )
        key: ECKey = await self._ask(
            "read the profile key",
            lambda client: ECKey.import_key(
                client.secrets.transit.read_key(self._key, mount_point=TRANSIT)["data"]["keys"]["1"][
                    "public_key"
                ]
            ),
        )
        return key

    async def _ask(self, title: str, ask: Callable[[VaultClient], Any]) -> Any:
        seconds = max(self._system.vault_timeout, SHORTEST_PATIENCE)
        return await self._lines.ask(f"Vault for system {self._system.name!r}: {title}", ask, seconds=seconds)


def _certificate(pem: Any) -> str:
    """Return a certificate as the Vault wrote it.

    :raises ValueError: it is none.
    """
    x509.load_pem_x509_certificate(str(pem).encode())
    return str(pem)


def _role_settings(system: System, component: ComponentDefinition, slot: CertificateSlot) -> dict[str, Any]:
    """Return a role that signs for this slot only what the slot is to be.

    A hardware id is no name of a host, so the validation of names is off; the subject is the role's and the
    caller's, never that of a CSR.
    """
    key_type, key_bits = _KEYS[slot.key]
    return {
        "issuer_ref": ISSUER,
        "ttl": slot.ttl,
        "max_ttl": f"{LEAF_HOURS}h",
        "key_type": key_type,
        "key_bits": key_bits,
        "key_usage": ["DigitalSignature"],
        "server_flag": False,
        "client_flag": False,
        "code_signing_flag": False,
        "email_protection_flag": False,
        "ext_key_usage": list(slot.eku),
        "allow_any_name": True,
        "enforce_hostnames": False,
        "cn_validations": ["disabled"],
        "allow_ip_sans": False,
        "allowed_uri_sans": ["urn:guardian:*"],
        "use_csr_common_name": False,
        "use_csr_sans": False,
        "require_cn": True,
        "ou": [component.name],
        "organization": [system.name],
        "no_store": False,
    }
