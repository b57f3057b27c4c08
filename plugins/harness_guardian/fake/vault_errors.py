"""What may come of a call to the Vault instead of what was asked for: the kinds of refusal."""

from __future__ import annotations

from harness_guardian.fake.vault_contract import VaultRefused


class VaultUnreachable(VaultRefused):
    """There was no answer: nobody listens there, or the connection ended."""

    def __init__(self, detail: str) -> None:
        """Say how."""
        super().__init__(0, detail)


class VaultNonsense(VaultRefused):
    """The answer was a success, and yet none that the call has."""

    def __init__(self, detail: str) -> None:
        """Say what was asked."""
        super().__init__(200, detail)


class VaultNotFound(VaultRefused):
    """What was named is not there."""


class VaultIssuerUnknown(VaultRefused):
    """The Vault does not know the issuer that is to sign (guardian fact sheet, section 11.1)."""
