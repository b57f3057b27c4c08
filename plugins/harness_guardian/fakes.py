"""The factory of the fake: Guardian and the Vault behind it, which know each other by HTTP alone.

To measure what the fake itself costs, subtract the signatures: each entry of the Vault's log (``GET
/vault/log?system=NAME`` of the control socket) has ``seconds``, the time that the call took in the Vault.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.backends.credentials import ca_file, fitting_secret, read_secret
from harness.errors import UsageError
from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.app import GuardianFake
from harness_guardian.fake.choices import CONTRARIAN, FAKE
from harness_guardian.fake.vault_link import VaultLink
from harness_guardian.fake.vault_paths import leaf_mount
from harness_guardian.vault.service import VaultService

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.applications import Starlette

    from harness.backends.contract import FakeSettings
    from harness_guardian.fake.choices import Choices
    from harness_guardian.vault.faults import VaultFaults

ROLE = "role"
VAULT = "vault"
VAULT_TOKEN = "vault-token"  # noqa: S105 - the name of the option
CONTRARIAN_OPTION = "contrarian"
ORGANISATION = "organisation"
VAULT_TOKEN_VARIABLE = "GUARDIAN_VAULT_TOKEN"  # noqa: S105 - the name of a variable
CA_FILE_VARIABLE = "GUARDIAN_VAULT_CA_FILE"

_OPTIONS = (CONTRARIAN_OPTION, ORGANISATION, ROLE, VAULT, VAULT_TOKEN)
_TOKEN = "Vault token"  # noqa: S105 - what it is called
_LONGEST_NAME = 200


@dataclass(slots=True)
class Part:
    """A door of a part that has an address of its own; see :class:`harness.backends.contract.PartDoor`."""

    application: Any
    url: str = ""


class OwnVault:
    """The Vault of ours as Guardian's control socket uses it, where a system is known by its id."""

    def __init__(self, vault: VaultService) -> None:
        """Control a Vault."""
        self._vault = vault

    @property
    def faults(self) -> VaultFaults:
        """What is broken on purpose."""
        return self._vault.faults

    def calls_of(self, system: str) -> Sequence[dict[str, Any]]:
        """Return the calls for a system, oldest first."""
        return self._vault.log.of_system(system)

    def forget_certificate(self, system: str, serial: str) -> bool:
        """Know a certificate no more, and tell whether it was known."""
        return self._vault.forget(leaf_mount(system), serial)

    def revoke_certificate(self, system: str, serial: str) -> bool:
        """Revoke a certificate, and tell whether it is known."""
        return self._vault.revoke(leaf_mount(system), serial)


class GuardianWithVault:
    """A fake Guardian with its Vault, or one that uses a Vault somewhere else.

    :ivar parts: the doors besides the main one: the other role of Guardian, and the Vault if it is ours.
    :ivar guardian: Guardian without its Vault.
    :ivar vault: the Vault, if it is ours.
    :ivar vault_token: the token of a Vault of ours.
    :ivar notes: what an operator who started it by hand must know; printed, never logged.
    """

    def __init__(
        self,
        *,
        role: ProvisionSource = ProvisionSource.CLOUD,
        choices: Choices = FAKE,
        elsewhere: str | None = None,
        token: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """Make both.

        :param role: of the main door.
        :param choices: what the fake does where nobody knows what the real service does.
        :param elsewhere: address of a Vault to use instead of one of ours.
        :param token: for that one.
        :param ca_file: authorities to trust in its certificate.
        """
        self.vault: VaultService | None = None
        self.vault_token: str | None = None
        self.parts: dict[str, Part] = {}
        self.notes: Mapping[str, str] = {}
        if elsewhere is None:
            token = self.vault_token = f"hvs.{secrets.token_urlsafe(24)}"
            self.vault = VaultService(token)
            door = Part(self.vault.application)
            self.parts["vault"] = door
            self.link = VaultLink(lambda: door.url, token)
        else:
            self.link = VaultLink(lambda: elsewhere, token or "", ca_file=ca_file)
        own_vault = None if self.vault is None else OwnVault(self.vault)
        self.guardian = GuardianFake(self.link, choices=choices, own_vault=own_vault)
        self._role = role
        other = next(each for each in ProvisionSource if each is not role)
        self.parts[other.value.lower()] = Part(self.guardian.door(other))

    @property
    def service(self) -> Starlette:
        """Guardian in its role."""
        return self.guardian.door(self._role)

    @property
    def control(self) -> Starlette:
        """What only the session may use."""
        return self.guardian.control

    def close(self) -> None:
        """End the threads that ask the Vault; what is under way ends with the loop."""
        self.link.close()


def create(settings: FakeSettings) -> GuardianWithVault:
    """Make the fake that the runner serves.

    The option ``role`` is ``cloud`` or ``appliance``: which Guardian the main door is; the other one has an
    address of its own, as a part. ``vault`` is the address of a Vault to use instead of one of ours, and
    ``vault-token`` a token for it; it may also be in the environment as ``GUARDIAN_VAULT_TOKEN``, or in a
    file for its owner alone that ``GUARDIAN_VAULT_TOKEN_FILE`` names. ``GUARDIAN_VAULT_CA_FILE`` names
    authorities to trust there. ``contrarian`` (``yes`` or ``no``) decides all that nobody knows the other
    way. ``organisation`` makes one at once, for use by hand: its users and their tokens are in the notes.

    :raises UsageError: an option or value that this fake does not have, or no token for a Vault elsewhere.
    """
    options = settings.options
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        expected = f"{', '.join(_OPTIONS[:-1])} or {_OPTIONS[-1]}"
        raise UsageError("no such option of this fake", key="--option", value=unknown[0], expected=expected)
    contrarian = options.get(CONTRARIAN_OPTION, "no")
    if contrarian not in {"yes", "no"}:
        raise UsageError("not an answer", key=CONTRARIAN_OPTION, value=contrarian, expected="yes or no")
    elsewhere = _vault_address(options.get(VAULT))
    if elsewhere is None and VAULT_TOKEN in options:
        raise UsageError("a token for no Vault", key=VAULT_TOKEN, expected=f"the option {VAULT}, too")
    authorities = None if elsewhere is None else ca_file(CA_FILE_VARIABLE)
    fake = GuardianWithVault(
        role=_role(options.get(ROLE, "cloud")),
        choices=CONTRARIAN if contrarian == "yes" else FAKE,
        elsewhere=elsewhere,
        token=None if elsewhere is None else _vault_token(options),
        ca_file=None if authorities is None else str(authorities),
    )
    name = options.get(ORGANISATION)
    if name is not None:
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise UsageError(
                "no name", key=ORGANISATION, value=name, expected=f"1 to {_LONGEST_NAME} characters"
            )
        organisation, _made = fake.guardian.guardian.add_organisation(name)
        fake.notes = {"organisation": name, "pages": "/devices and /provisioning at each Guardian"} | {
            f"token of {user.name} ({user.role.value})": user.token for user in organisation.users.values()
        }
        if fake.vault_token is not None:
            fake.notes = {**fake.notes, "token of the Vault": fake.vault_token}
    return fake


def _role(text: str) -> ProvisionSource:
    roles = {source.value.lower(): source for source in ProvisionSource}
    if text not in roles:
        raise UsageError("no such role", key=ROLE, value=text, expected=" or ".join(sorted(roles)))
    return roles[text]


def _vault_address(text: str | None) -> str | None:
    """Return where the Vault is that is to be used.

    :raises UsageError: that is no address, or has a password in it.
    """
    if text is None:
        return None
    expected = "for example https://vault.example:8200"
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise UsageError("no address", key=VAULT, expected=expected) from None
    if not known or parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("no address of a Vault", key=VAULT, expected=expected)
    return text.rstrip("/")


def _vault_token(options: Mapping[str, str]) -> str:
    """Return the token for a Vault elsewhere: the option's, the environment's, or that of a file.

    :raises UsageError: there is none, it is none, or others may read the file.
    """
    given = options.get(VAULT_TOKEN)
    if given:
        return fitting_secret(given, named_by=VAULT_TOKEN, what=_TOKEN)
    token = read_secret(VAULT_TOKEN_VARIABLE, what=_TOKEN)
    if token is None:
        raise UsageError(
            "no token for the Vault",
            key=VAULT_TOKEN_VARIABLE,
            expected=f"a token in the environment, in a file that {VAULT_TOKEN_VARIABLE}_FILE names, or "
            f"by the option {VAULT_TOKEN}=@FILE",
        )
    return token
