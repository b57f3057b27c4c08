"""Calls about certificates and about the servers' credentials (pelion fact sheet, section 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from starlette.responses import JSONResponse, Response

from harness_pelion.enums import CertificateService, CertificateStatus
from harness_pelion.fake.answers import Body, check, read_json, without_nulls
from harness_pelion.fake.certificates import certificate_pem, key_pem
from harness_pelion.fake.clock import timestamp
from harness_pelion.fake.paging import page, page_request
from harness_pelion.fake.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from harness_pelion.fake.doors import Caller, Calls
    from harness_pelion.fake.records import Account, DeveloperCertificate, TrustedCertificate
    from harness_pelion.fake.service import PelionService

# The words of the API come as text, which a strict body takes for no member of an enumeration.
_Service = Annotated[CertificateService, Field(strict=False)]
_Status = Annotated[CertificateStatus, Field(strict=False)]

_REQUIRED = (
    "id",
    "name",
    "service",
    "certificate",
    "issuer",
    "subject",
    "validity",
    "account_id",
    "etag",
    "object",
    "device_execution_mode",
)

_MOST_DAYS = 1_000_000


class DeveloperBody(Body):
    """``POST /v3/developer-certificates``."""

    name: str
    description: str | None = None


class UploadBody(Body):
    """``POST /v3/trusted-certificates``."""

    name: str
    certificate: str
    service: _Service
    description: str | None = None
    status: _Status = CertificateStatus.ACTIVE
    enrollment_mode: bool = False


class ChangeBody(Body):
    """``PUT /v3/trusted-certificates/{id}``."""

    name: str | None = None
    description: str | None = None
    service: _Service | None = None
    status: _Status | None = None
    enrollment_mode: bool | None = None


class CertificateCalls:
    """The calls."""

    def __init__(self, service: PelionService) -> None:
        """Answer for a service."""
        self._service = service

    @property
    def calls(self) -> Calls:
        """All calls by path and method."""
        return {
            "/v3/developer-certificates": {"POST": self.create},
            "/v3/developer-certificates/{id}": {"GET": self.developer},
            "/v3/trusted-certificates": {"GET": self.list, "POST": self.upload},
            "/v3/trusted-certificates/{id}": {"GET": self.get, "PUT": self.change, "DELETE": self.delete},
            "/v3/server-credentials": {"GET": self.all_credentials},
            "/v3/server-credentials/bootstrap": {"GET": self.bootstrap_credentials},
            "/v3/server-credentials/lwm2m": {"GET": self.lwm2m_credentials},
        }

    async def create(self, request: Request, caller: Caller) -> Response:
        """Make a developer certificate: 201; 409 when the name is taken."""
        body = check(DeveloperBody, await read_json(request))
        made = self._service.create_developer_certificate(
            caller.account, body.name, body.description or "", caller.key.owner
        )
        return JSONResponse(self._developer_json(caller.account, made), status_code=201)

    async def developer(self, request: Request, caller: Caller) -> Response:
        """Tell a developer certificate with its key and its C file."""
        found = self._service.developer_certificate(caller.account, request.path_params["id"])
        return JSONResponse(self._developer_json(caller.account, found))

    async def list(self, request: Request, caller: Caller) -> Response:
        """List trusted certificates, developer certificates among them."""
        choices = self._service.choices
        asked = page_request(request.query_params, choices)
        wanted = self._filter(request.query_params, caller.account)
        rows = [*caller.account.certificates.values()]
        return JSONResponse(page(rows, asked, choices, self._json, wanted))

    async def get(self, request: Request, caller: Caller) -> Response:
        """Tell a trusted certificate."""
        return JSONResponse(self._json(self._service.certificate(caller.account, request.path_params["id"])))

    async def upload(self, request: Request, caller: Caller) -> Response:
        """Trust a certificate of the account's own: 201."""
        body = check(UploadBody, await read_json(request))
        made = self._service.upload_certificate(
            caller.account,
            body.name,
            body.certificate,
            body.service,
            caller.key.owner,
            description=body.description or "",
            status=body.status,
            enrollment_mode=body.enrollment_mode,
        )
        return JSONResponse(self._json(made), status_code=201)

    async def change(self, request: Request, caller: Caller) -> Response:
        """Change what is told of a trusted certificate."""
        certificate = self._service.certificate(caller.account, request.path_params["id"])
        body = check(ChangeBody, await read_json(request))
        self._service.change_certificate(caller.account, certificate, body.model_dump(exclude_none=True))
        return JSONResponse(self._json(certificate))

    async def delete(self, request: Request, caller: Caller) -> Response:
        """Trust a certificate no more, whichever kind it is: 204."""
        certificate = self._service.certificate(caller.account, request.path_params["id"])
        self._service.delete_certificate(caller.account, certificate)
        return Response(status_code=204)

    async def all_credentials(self, _request: Request, caller: Caller) -> Response:
        """Tell where both servers are, and whom to trust there."""
        both = {server: self._credentials(caller.account, server) for server in CertificateService}
        short = {server.value: {"url": uri, "certificate": pem} for server, (uri, pem) in both.items()}
        return JSONResponse(short)

    async def bootstrap_credentials(self, _request: Request, caller: Caller) -> Response:
        """Tell where the bootstrap server is, and whom to trust there."""
        return JSONResponse(self._credentials_json(caller.account, CertificateService.BOOTSTRAP))

    async def lwm2m_credentials(self, _request: Request, caller: Caller) -> Response:
        """Tell where the LwM2M server is, and whom to trust there."""
        return JSONResponse(self._credentials_json(caller.account, CertificateService.LWM2M))

    # Views -------------------------------------------------------------------------------------------

    def _json(self, certificate: TrustedCertificate) -> dict[str, Any]:
        document = {
            "object": "trusted-cert",
            "id": certificate.id,
            "etag": timestamp(certificate.updated_at),
            "created_at": timestamp(certificate.created_at),
            "updated_at": timestamp(certificate.updated_at),
            "account_id": certificate.account_id,
            "owner_id": certificate.owner_id,
            "name": certificate.name,
            "description": certificate.description,
            "service": certificate.service.value,
            "status": certificate.status.value,
            "certificate": certificate_pem(certificate.der),
            "issuer": certificate.issuer,
            "subject": certificate.subject,
            "validity": timestamp(certificate.expires),
            "enrollment_mode": certificate.enrollment_mode,
            "device_execution_mode": int(certificate.execution_mode),
        }
        return without_nulls(document, _REQUIRED, self._service.choices)

    def _developer_json(self, account: Account, certificate: DeveloperCertificate) -> dict[str, Any]:
        document = {
            "object": "trusted-cert",
            "id": certificate.id,
            "etag": timestamp(certificate.updated_at),
            "created_at": timestamp(certificate.created_at),
            "account_id": certificate.account_id,
            "name": certificate.name,
            "description": certificate.description,
            "developer_certificate": certificate_pem(certificate.der),
            "developer_private_key": key_pem(certificate.key_der, pkcs8=self._service.choices.key_as_pkcs8),
            "security_file_content": self._service.security_file(account, certificate),
        }
        return without_nulls(document, (), self._service.choices)

    def _credentials(self, account: Account, server: CertificateService) -> tuple[str, str]:
        service = self._service
        uri = service.server_uri(server, account, with_account=service.choices.uri_with_account)
        issuing = service.issuing
        bootstrap = server is CertificateService.BOOTSTRAP
        return uri, (issuing.bootstrap if bootstrap else issuing.lwm2m).pem

    def _credentials_json(self, account: Account, server: CertificateService) -> dict[str, Any]:
        uri, pem = self._credentials(account, server)
        made = timestamp(account.created_at)
        return {
            "object": "server-credentials",
            "id": "0",
            "etag": made,
            "created_at": made,
            "server_uri": uri,
            "server_certificate": pem,
        }

    # Filters -----------------------------------------------------------------------------------------

    def _filter(self, query: Mapping[str, str], account: Account) -> Callable[[TrustedCertificate], bool]:
        """Return whether a certificate is wanted.

        :raises Refused: a value that cannot be.
        """
        tests: list[Callable[[TrustedCertificate], bool]] = []
        if "name__eq" in query:
            name = query["name__eq"]
            tests.append(lambda each: each.name == name)
        if "owner__eq" in query:
            owner = query["owner__eq"]
            tests.append(lambda each: each.owner_id == owner)
        if "service__eq" in query:
            service = query["service__eq"]
            if service not in set(CertificateService):
                raise invalid("service__eq", "expected bootstrap or lwm2m")
            tests.append(lambda each: each.service == service)
        if "enrollment_mode__eq" in query:
            wanted = _flag(query, "enrollment_mode__eq")
            tests.append(lambda each: each.enrollment_mode is wanted)
        if "device_execution_mode__eq" in query:
            mode = _number(query, "device_execution_mode__eq")
            tests.append(lambda each: each.execution_mode == mode)
        if "device_execution_mode__neq" in query:
            other = _number(query, "device_execution_mode__neq")
            tests.append(lambda each: each.execution_mode != other)
        if "expire__eq" in query:
            end = self._service.clock.now(account.id) + timedelta(days=_number(query, "expire__eq"))
            tests.append(lambda each: each.expires <= end)
        for field, text_of in (("issuer", _issuer), ("subject", _subject)):
            part = query.get(f"{field}__like", "").lower()
            if part:
                tests.append(lambda each, part=part, text_of=text_of: part in text_of(each).lower())  # type: ignore[misc]
        return lambda each: all(test(each) for test in tests)


def _issuer(certificate: TrustedCertificate) -> str:
    return certificate.issuer


def _subject(certificate: TrustedCertificate) -> str:
    return certificate.subject


def _number(query: Mapping[str, str], name: str) -> int:
    text = query[name]
    if not (text.isascii() and text.isdigit() and len(text) < len(str(_MOST_DAYS))):
        raise invalid(name, "expected a number")
    return int(text)


def _flag(query: Mapping[str, str], name: str) -> bool:
    flags = {"true": True, "false": False}
    text = query[name].lower()
    if text not in flags:
        raise invalid(name, "expected true or false")
    return flags[text]
