"""Certificates, keys and servers' credentials: what is asked before a device is provisioned.

Each certificate and key is in the ledger before the service hears of it. Source: pelion fact sheet, sections
3 and 4.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization

from harness.backends.answers import parse_answer
from harness.errors import BackendFault, RequestRefused, UsageError
from harness_pelion.client_door import CREATED, GONE, NO_CONTENT, OK
from harness_pelion.client_models import (
    AccountRecord,
    ApiKeyRecord,
    CertificateRecord,
    CombinedCredentials,
    DeveloperCertificateRecord,
    Identified,
    Model,
    Row,
    ServerCredentials,
)
from harness_pelion.client_world import Made
from harness_pelion.enums import CertificateService, ExecutionMode
from harness_pelion.key_forms import known_forms
from harness_pelion.resources import DeveloperCredentials

if TYPE_CHECKING:
    import httpx

    from harness_pelion.client_door import Door
    from harness_pelion.client_world import World

#: The kinds of what is in the ledger.
CERTIFICATE, API_KEY = "certificate", "api-key"

_PLACES = {CERTIFICATE: "/v3/trusted-certificates", API_KEY: "/v3/api-keys"}


class DeveloperCertificate:
    """A developer certificate of the account; its private key is a secret.

    :ivar record: as the service described it.
    """

    def __init__(self, record: DeveloperCertificateRecord) -> None:
        """Hold what the service answered."""
        self.record = record

    @property
    def id(self) -> str:
        """Its id, which is also the endpoint name of its devices (pelion fact sheet, section 3)."""
        return self.record.id

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self.record.name

    def __repr__(self) -> str:
        """Say which, and nothing of its key."""
        return f"DeveloperCertificate({self.id}, {self.name!r})"

    def credentials(self, name: str | None = None) -> DeveloperCredentials:
        """Return what its C file holds.

        :param name: what the files are called in stores and on the device; by default as the certificate.
        :raises BackendFault: the service's C file cannot be read.
        """
        try:
            return DeveloperCredentials.from_c(
                self.record.security_file_content, name or self.name, file="security_file_content"
            )
        except UsageError as error:
            raise BackendFault(f"the developer certificate {self.id}: {error}") from error


class CertificateCalls(ABC):
    """Calls about certificates; part of :class:`~harness_pelion.client.PelionClient`."""

    world: World
    door: Door

    # -- account and keys ---------------------------------------------------------------------------------

    def account(self) -> AccountRecord:
        """Return the account that the key belongs to, with its limits; so a key is validated (section 4)."""
        return self._get(
            "/v3/accounts/me", AccountRecord, "GetMyAccount", params={"include": "limits, policies"}
        )

    def api_keys(self) -> list[ApiKeyRecord]:
        """Return the keys of the account."""
        return self.door.rows("/v3/api-keys", ApiKeyRecord, operation="ListApiKeys")

    def my_api_key(self) -> ApiKeyRecord:
        """Return the key that is in use."""
        return self._get("/v3/api-keys/me", ApiKeyRecord, "GetMyApiKey")

    def create_api_key(self, name: str) -> ApiKeyRecord:
        """Make a further key of the account; it is deleted with the test. The key itself is a secret."""
        operation = "CreateApiKey"
        made = self._note(API_KEY, name)
        response = self._make(made, "/v3/api-keys", operation, {"name": name})
        record = self._made(made, parse_answer(ApiKeyRecord, response, operation))
        self.world.session.register_secret(record.key, "Pelion API key")
        return record

    def delete_api_key(self, key_id: str) -> None:
        """Delete a key of the account."""
        self._delete(API_KEY, key_id, "DeleteApiKey")

    # -- developer certificates ---------------------------------------------------------------------------

    def create_developer_certificate(self, name: str, description: str | None = None) -> DeveloperCertificate:
        """Make a developer certificate; it is deleted with the test.

        :param name: unique in the account.
        :raises PelionRefused: the name is taken or unfit, or the account has as many as it may have.
        """
        operation = "CreateDeveloperCertificate"
        made = self._note(CERTIFICATE, name)
        body = {"name": name} if description is None else {"name": name, "description": description}
        response = self._make(made, "/v3/developer-certificates", operation, body)
        self._made(made, parse_answer(Identified, response, operation))
        return self._developer_certificate(parse_answer(DeveloperCertificateRecord, response, operation))

    def developer_certificate(self, certificate_id: str) -> DeveloperCertificate:
        """Return a developer certificate with its private key.

        :raises PelionRefused: there is none.
        """
        path = f"/v3/developer-certificates/{certificate_id}"
        return self._developer_certificate(
            self._get(path, DeveloperCertificateRecord, "GetDeveloperCertificate")
        )

    def developer_certificates(self) -> list[CertificateRecord]:
        """Return all developer certificates of the account, without their keys."""
        return self.trusted_certificates(device_execution_mode__eq=int(ExecutionMode.DEVELOPMENT))

    def find_developer_certificate(self, name: str) -> DeveloperCertificate | None:
        """Return the developer certificate of a name; ``None`` when there is none."""
        found = [each for each in self.developer_certificates() if each.name == name and each.is_developer]
        return self.developer_certificate(found[0].id) if found else None

    @property
    def certificates_made(self) -> tuple[str, ...]:
        """Ids of the certificates that the running test made and did not delete, oldest first."""
        there = [made for made in self.world.made if made.kind == CERTIFICATE and not made.deleted]
        return tuple(made.id for made in there if made.id)

    def _developer_certificate(self, record: DeveloperCertificateRecord) -> DeveloperCertificate:
        register = self.world.session.register_secret
        register(record.developer_private_key, "private key")
        try:
            key = serialization.load_pem_private_key(record.developer_private_key.encode(), None)
        except (ValueError, TypeError) as error:
            raise BackendFault(
                f"the developer certificate {record.id} has a private key that cannot be read: "
                f"{type(error).__name__}"
            ) from None
        for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
            der = key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
            for text in known_forms(der):
                register(text, "private key")
        return DeveloperCertificate(record)

    # -- trusted certificates -----------------------------------------------------------------------------

    def trusted_certificates(self, **params: Any) -> list[CertificateRecord]:
        """Return all certificates that the account trusts.

        :param params: filters and order as the service has them, for example ``name__eq``.
        """
        return self.door.rows(
            "/v3/trusted-certificates", CertificateRecord, operation="ListTrustedCertificates", params=params
        )

    def trusted_certificate(self, certificate_id: str) -> CertificateRecord:
        """Return a certificate that the account trusts.

        :raises PelionRefused: there is none.
        """
        path = f"/v3/trusted-certificates/{certificate_id}"
        return self._get(path, CertificateRecord, "GetTrustedCertificate")

    def upload_certificate(
        self, name: str, pem: str, service: CertificateService = CertificateService.BOOTSTRAP
    ) -> CertificateRecord:
        """Upload a certificate to trust; it is deleted with the test."""
        operation = "CreateTrustedCertificate"
        made = self._note(CERTIFICATE, name)
        body = {"name": name, "certificate": pem, "service": service.value}
        response = self._make(made, "/v3/trusted-certificates", operation, body)
        return self._made(made, parse_answer(CertificateRecord, response, operation))

    def change_certificate(self, certificate_id: str, **fields: Any) -> CertificateRecord:
        """Change a certificate that was made here, for example its ``status``."""
        operation = "UpdateTrustedCertificate"
        response = self.door.request(
            "PUT",
            f"/v3/trusted-certificates/{certificate_id}",
            operation=operation,
            accept=OK,
            json=fields,
        )
        return parse_answer(CertificateRecord, response, operation)

    def delete_certificate(self, certificate_id: str) -> None:
        """Delete a certificate, also a developer certificate (pelion fact sheet, section 4).

        :raises PelionRefused: there is none.
        """
        self._delete(CERTIFICATE, certificate_id, "DeleteTrustedCertificate")

    # -- servers ------------------------------------------------------------------------------------------

    def bootstrap_server(self) -> ServerCredentials:
        """Return where devices bootstrap, and by which certificate they know that server."""
        return self._get("/v3/server-credentials/bootstrap", ServerCredentials, "GetBootstrapCredentials")

    def lwm2m_server(self) -> ServerCredentials:
        """Return where devices register, and by which certificate they know that server."""
        return self._get("/v3/server-credentials/lwm2m", ServerCredentials, "GetLwm2mCredentials")

    def server_credentials(self) -> CombinedCredentials:
        """Return both at once."""
        return self._get("/v3/server-credentials", CombinedCredentials, "GetServerCredentials")

    # -- what is made, and undone -------------------------------------------------------------------------

    def _get(self, path: str, model: type[Model], operation: str, **content: Any) -> Model:
        response = self.door.request("GET", path, operation=operation, accept=OK, **content)
        return parse_answer(model, response, operation)

    def _note(self, kind: str, name: str) -> Made:
        """Note in the ledger what is about to be made."""
        number = self.world.session.accounts.note(kind, name, **self.world.labels)
        made = Made(kind=kind, name=name, number=number)
        self.world.made.append(made)
        return made

    def _make(self, made: Made, path: str, operation: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return self.door.request("POST", path, operation=operation, accept=CREATED, json=body)
        except RequestRefused as refused:
            if not refused.in_doubt:
                self._settle(made)
            raise

    def _made(self, made: Made, record: Row) -> Row:
        made.id = record.id
        self.world.session.accounts.amend(made.number, id=record.id)
        return record

    def _settle(self, made: Made) -> None:
        self.world.session.accounts.settle(made.number)
        self.world.made.remove(made)

    def _delete(self, kind: str, identifier: str, operation: str) -> None:
        path = f"{_PLACES[kind]}/{identifier}"
        self.door.request("DELETE", path, operation=operation, accept=NO_CONTENT)
        for made in [each for each in self.world.made if (each.kind, each.id) == (kind, identifier)]:
            if kind == CERTIFICATE:
                made.deleted = True  # its devices are not
            else:
                self._settle(made)

    @abstractmethod
    def delete_devices_of(self, certificate_id: str) -> int:
        """Let the directory forget all devices of a certificate; see :mod:`harness_pelion.client_devices`."""

    def undo_made(self) -> list[BackendFault]:
        """Delete what the running test made and what is still there, newest first, with the devices of it.

        :return: what could not be deleted, and why; it stays in the ledger.
        """
        faults = []
        for made in reversed(self.world.made):
            try:
                if made.deleted:
                    self._delete_devices(made.id)
                else:
                    self.delete_quietly(made.kind, made.id, made.name)
            except BackendFault as fault:
                faults.append(fault)
            else:
                self.world.session.accounts.settle(made.number)
        self.world.made.clear()
        return faults

    def delete_quietly(self, kind: str, identifier: str, name: str) -> str:
        """Delete something that was made here, if it is still there, and devices that used it.

        :param identifier: empty when no answer told it: then it is looked for by its name.
        :return: what became of it.
        """
        identifiers = [identifier] if identifier else self._ids_of(kind, name)
        deleted = False
        for each in identifiers:
            with self.world.proving(each):
                response = self.door.request(
                    "DELETE",
                    f"{_PLACES[kind]}/{each}",
                    operation=f"delete {kind} {name}",
                    accept=NO_CONTENT | GONE,
                )
            deleted = deleted or response.status_code in NO_CONTENT
            if kind == CERTIFICATE:  # only now: with it another device might have come
                self._delete_devices(each)
        return "deleted" if deleted else "gone already"

    def _delete_devices(self, certificate_id: str) -> None:
        if self.world.control is None:  # a fake forgets those of its account all at once
            self.delete_devices_of(certificate_id)

    def _ids_of(self, kind: str, name: str) -> list[str]:
        rows = self.trusted_certificates() if kind == CERTIFICATE else self.api_keys()
        return [row.id for row in rows if row.name == name]
