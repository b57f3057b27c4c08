"""A system's authorities, set up by the documented calls through hvac, as an operator would do it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hvac.exceptions
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.guardian.making import make_csr, make_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.guardian.making import PrivateKey
    from tests.guardian.vault.served import Served

OPEN_ROLE = {
    "key_type": "any",
    "allow_any_name": True,
    "enforce_hostnames": False,
    "cn_validations": ["disabled"],
    "allowed_uri_sans": ["urn:guardian:*"],
    "use_csr_common_name": False,
    "use_csr_sans": False,
    "ttl": "24h",
}


class Mounted:
    """Two mounts: a root that signed an intermediate authority.

    :ivar system: whose id is in the names of the mounts.
    :ivar root: certificate of the root (PEM).
    :ivar intermediate: certificate of the intermediate (PEM).
    """

    def __init__(self, vault: Served, client: Any, system: str) -> None:
        self.vault = vault
        self.client = client
        self.system = system
        self.mount, root_mount = f"pki-{system}", f"pki-root-{system}"
        pki = client.secrets.pki
        for mount, life in ((root_mount, "175200h"), (self.mount, "87600h")):
            client.sys.enable_secrets_engine("pki", path=mount, config={"max_lease_ttl": life})
        ec = {"key_type": "ec", "key_bits": 256}
        made = pki.generate_root("internal", "root", {**ec, "ttl": "175200h"}, mount_point=root_mount)
        self.root = str(made["data"]["certificate"])
        asked = pki.generate_intermediate("internal", "devices", dict(ec), mount_point=self.mount)
        signed = pki.sign_intermediate(
            asked["data"]["csr"], "devices", {"ttl": "87600h", "max_path_length": 0}, mount_point=root_mount
        )["data"]
        self.intermediate = str(signed["certificate"])
        bundle = f"{self.intermediate}\n{self.root}"
        taken = pki.set_signed_intermediate(bundle, mount_point=self.mount)["data"]
        self.issuer_id = next(issuer for issuer, key in taken["mapping"].items() if key)
        pki.update_issuer(self.issuer_id, {"issuer_name": "intermediate"}, mount_point=self.mount)
        self.write_role("open")

    def write_role(self, name: str, **settings: Any) -> None:
        """Write a role: open to all, but for the settings."""
        role = {**OPEN_ROLE, **settings}
        self.client.secrets.pki.create_or_update_role(name, role, mount_point=self.mount)

    def sign(
        self, csr: bytes | str, name: str = "SN-1", role: str = "open", **parameters: Any
    ) -> dict[str, Any]:
        """Let a CSR be signed and return the whole answer."""
        text = csr if isinstance(csr, str) else pem_of_csr(csr)
        answer: dict[str, Any] = self.client.secrets.pki.sign_certificate(
            role, text, name, {"exclude_cn_from_sans": True, **parameters}, mount_point=self.mount
        )
        return answer

    def issued(self, key: PrivateKey | None = None, name: str = "SN-1", **parameters: Any) -> dict[str, Any]:
        """Let a certificate be made for a key, and return the data of the answer."""
        data: dict[str, Any] = self.sign(make_csr(key or make_key(), name), name, **parameters)["data"]
        return data

    def read(self, serial: str) -> dict[str, Any]:
        """Read a certificate."""
        pki = self.client.secrets.pki
        data: dict[str, Any] = pki.read_certificate(serial, mount_point=self.mount)["data"]
        return data

    def listed(self) -> list[str]:
        """Return the serial numbers of all certificates that the mount has signed, with hyphens."""
        try:
            answer = self.client.secrets.pki.list_certificates(mount_point=self.mount)
        except hvac.exceptions.InvalidPath:  # how the Vault lists nothing
            return []
        keys: list[str] = answer["data"]["keys"]
        return keys

    def write_chain(self, directory: Path) -> tuple[Path, Path]:
        """Write root and intermediate to files for OpenSSL."""
        root, intermediate = directory / "root.pem", directory / "intermediate.pem"
        root.write_text(self.root + "\n")
        intermediate.write_text(self.intermediate + "\n")
        return root, intermediate


def pem_of_csr(csr: bytes) -> str:
    """Return a CSR in PEM."""
    return x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM).decode()
