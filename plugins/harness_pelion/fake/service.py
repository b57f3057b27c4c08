"""What the API does: certificates of an account. Accounts and devices have rooms of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness_pelion.enums import CertificateService
from harness_pelion.fake.accounts import Accounts
from harness_pelion.fake.certificates import (
    UnreadableCertificate,
    make_developer_certificate,
    read_der,
    read_pem,
)
from harness_pelion.fake.directory import Directory
from harness_pelion.fake.records import DeveloperCertificate, TrustedCertificate, new_id
from harness_pelion.fake.refusals import duplicate, invalid, limit_exceeded, not_found
from harness_pelion.fake.security_file import security_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.issuing import Issuing
    from harness_pelion.fake.records import Account

LONGEST_DESCRIPTION = 500
"""Characters of a certificate's description [design]."""

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
"""JSON can write one half of a pair alone; no answer could repeat it."""


class PelionService:
    """The service behind the API.

    :ivar choices: what it does where nobody knows what the real service does.
    :ivar directory: what the bootstrap server and the LwM2M server know, too.
    :ivar accounts: who may ask.
    """

    def __init__(self, clock: Clock, choices: Choices, issuing: Issuing) -> None:
        """Make an empty service.

        :param issuing: the authorities of the two servers.
        """
        self.clock = clock
        self.choices = choices
        self.issuing = issuing
        self.directory = Directory(clock, choices)
        self.accounts = Accounts(self.directory, clock)
        self._uris: dict[CertificateService, Callable[[], str]] = {}

    def served_at(self, server: CertificateService, uri: Callable[[], str]) -> None:
        """Say how the address of a server is found out, which is not known before it listens."""
        self._uris[server] = uri

    def server_uri(self, server: CertificateService, account: Account, *, with_account: bool = True) -> str:
        """Return where a server is, for devices of an account."""
        uri = self.uri_of(server)
        return f"{uri}?aid={account.id}" if with_account else uri

    def uri_of(self, server: CertificateService) -> str:
        """Return where a server is."""
        return self._uris[server]()

    # Certificates ------------------------------------------------------------------------------------

    def create_developer_certificate(
        self, account: Account, name: str, description: str, owner: str
    ) -> DeveloperCertificate:
        """Make a developer certificate (pelion fact sheet, section 3).

        :param owner: id of the user who makes it.
        :raises Refused: the name cannot be or is taken, or the account has as many as it may have.
        """
        self._check_texts(name, description)
        self._check_name(account, name)
        self._check_limit(account)
        now = self.clock.now(account.id)
        identifier = new_id()
        # Devices judge it by a clock of their own, however the account's is shifted.
        made = make_developer_certificate(
            account.id, identifier, self.clock.now(), private_extension=self.choices.private_extension
        )
        facts = read_der(made.der)
        certificate = DeveloperCertificate(
            id=identifier,
            account_id=account.id,
            name=name,
            description=description,
            der=made.der,
            key_der=made.key_der,
            owner_id=owner,
            subject=facts.subject,
            issuer=facts.issuer,
            expires=facts.expires,
            created_at=now,
            updated_at=now,
        )
        account.certificates[certificate.id] = certificate
        self.directory.certificates_changed(account)
        return certificate

    def upload_certificate(
        self, account: Account, name: str, pem: str, service: CertificateService, owner: str, **more: Any
    ) -> TrustedCertificate:
        """Trust a certificate of the account's own authority.

        :param pem: the certificate.
        :param more: ``description``, ``status`` and ``enrollment_mode`` as a record has them.
        :raises Refused: name or certificate cannot be, or are there already.
        """
        self._check_texts(name, more.get("description", ""))
        self._check_name(account, name)
        if self.choices.own_authorities_count:
            self._check_limit(account)
        try:
            facts = read_pem(pem)
        except UnreadableCertificate:
            raise invalid("certificate", "expected a certificate in PEM") from None
        if any(each.der == facts.der for each in account.certificates.values()):
            raise duplicate("the certificate is trusted already")
        now = self.clock.now(account.id)
        certificate = TrustedCertificate(
            id=new_id(),
            account_id=account.id,
            name=name,
            der=facts.der,
            service=service,
            owner_id=owner,
            subject=facts.subject,
            issuer=facts.issuer,
            expires=facts.expires,
            created_at=now,
            updated_at=now,
            **more,
        )
        account.certificates[certificate.id] = certificate
        return certificate

    def change_certificate(
        self, account: Account, certificate: TrustedCertificate, changes: dict[str, Any]
    ) -> None:
        """Change what is told of a certificate: name, description, status, service and enrollment mode.

        :raises Refused: a value cannot be, the name is taken, or a developer certificate would be for the
            LwM2M server.
        """
        name = changes.get("name", certificate.name)
        self._check_texts(name, changes.get("description", certificate.description))
        if name != certificate.name:
            self._check_name(account, name)
        developers = isinstance(certificate, DeveloperCertificate)
        if developers and changes.get("service", certificate.service) is not certificate.service:
            raise invalid("service", "a developer certificate is for the bootstrap server")
        for field, value in changes.items():
            setattr(certificate, field, value)
        certificate.updated_at = self.clock.now(account.id)
        self.directory.certificates_changed(account)

    def delete_certificate(self, account: Account, certificate: TrustedCertificate) -> None:
        """Trust a certificate no more; its devices stay in the directory."""
        account.certificates.pop(certificate.id, None)
        self.directory.certificates_changed(account)

    def certificate(self, account: Account, identifier: str) -> TrustedCertificate:
        """Return a trusted certificate, which may be a developer certificate.

        :raises Refused: 404.
        """
        certificate = account.certificates.get(identifier)
        if certificate is None:
            raise not_found("certificate")
        return certificate

    def developer_certificate(self, account: Account, identifier: str) -> DeveloperCertificate:
        """Return a developer certificate.

        :raises Refused: 404.
        """
        certificate = account.certificates.get(identifier)
        if not isinstance(certificate, DeveloperCertificate):
            raise not_found("developer certificate")
        return certificate

    def security_file(self, account: Account, certificate: DeveloperCertificate) -> str:
        """Return the C file of a developer certificate."""
        return security_file(
            endpoint_name=certificate.id,
            account_id=account.id,
            server_uri=self.server_uri(CertificateService.BOOTSTRAP, account),
            certificate=certificate.der,
            root_ca=self.issuing.bootstrap.der,
            private_key=certificate.key_der,
        )

    def _check_texts(self, name: str, description: str) -> None:
        longest = self.choices.longest_name
        if not name.strip() or len(name) > longest or not name.isprintable():
            raise invalid("name", f"expected 1 to {longest} printable characters")
        if len(description) > LONGEST_DESCRIPTION:
            raise invalid("description", f"longer than {LONGEST_DESCRIPTION} characters")
        if _HALF_A_CHARACTER.search(description):
            raise invalid("description", "has half a character in it")

    @staticmethod
    def _check_name(account: Account, name: str) -> None:
        if any(each.name == name for each in account.certificates.values()):
            raise duplicate("there is a certificate of this name already")

    def _check_limit(self, account: Account) -> None:
        all_count = self.choices.own_authorities_count
        count = len(account.certificates if all_count else account.developer_certificates())
        if count >= account.certificates_limit:
            text = f"the account may have {account.certificates_limit} certificates"
            raise limit_exceeded(self.choices.limit_status, text)
