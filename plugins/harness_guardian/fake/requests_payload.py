"""The payload of a provisioning request (guardian fact sheet, section 10.3), in both forms of its envelope.

JSON has texts where CBOR may have bytes: nonce and CSRs are read from either.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from harness_guardian.enums import ProvisionSource  # noqa: TC001 - pydantic reads it at run time
from harness_guardian.fake import refusals
from harness_guardian.fake.envelopes import decode_base64url

if TYPE_CHECKING:
    from collections.abc import Mapping

NONCE_LENGTH = 16
MOST_SLOTS = 32
"""Certificate slots of a component; no request has more CSRs."""

_LARGEST_CSR = 8 * 1024
_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _bytes_of_base64url(value: Any) -> Any:
    return decode_base64url(value) if isinstance(value, str) else value


def _bytes_of_base64(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _canonical_uuid(value: Any) -> Any:
    text = str(value) if isinstance(value, uuid.UUID) else value
    if isinstance(text, str) and str(uuid.UUID(text)) != text:
        raise ValueError("not a UUID in its canonical form")
    return text


def _moment(value: Any) -> Any:
    """Read RFC 3339; CBOR's own dates are read already."""
    if not isinstance(value, str):
        return value
    if not _RFC_3339.fullmatch(value):
        raise ValueError("not a date and time of RFC 3339")
    return datetime.fromisoformat(value.upper())


Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class _Part(BaseModel):
    """Base: strict of what it knows; what it does not know it leaves, so that later devices can say more."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Csr(_Part):
    """A certificate signing request for a slot.

    :ivar csr: DER of PKCS#10.
    """

    slot: Name
    csr: Annotated[bytes, BeforeValidator(_bytes_of_base64), Field(min_length=1, max_length=_LARGEST_CSR)]


class NamedInstance(_Part):
    """The system instance that a device belongs to, by id, name or both."""

    id: Name | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _says_something(self) -> NamedInstance:
        if self.id is None and self.name is None:
            raise ValueError("expected an id or a name")
        return self


class PreviousResponse(_Part):
    """What provisioned the device the last time."""

    response_id: Annotated[str, BeforeValidator(_canonical_uuid)]


class RequestPayload(_Part):
    """What a device asks for.

    :ivar created_at: by the device's clock.
    :ivar source: the Guardian that the device means, if it says so.
    """

    ver: Literal[1]
    request_id: Annotated[str, BeforeValidator(_canonical_uuid)]
    system: Name
    system_instance: NamedInstance
    component: Name
    hw_id: Annotated[str, StringConstraints(pattern=r"^[ -~]{1,36}\z")]
    reprovision: bool
    nonce: Annotated[
        bytes,
        BeforeValidator(_bytes_of_base64url),
        Field(min_length=NONCE_LENGTH, max_length=NONCE_LENGTH),
    ]
    created_at: Annotated[datetime, BeforeValidator(_moment)]
    source: Annotated[ProvisionSource, Field(strict=False)] | None = None
    csrs: Annotated[tuple[Csr, ...], Field(strict=False, min_length=1, max_length=MOST_SLOTS)]
    previous: PreviousResponse | None = None
    evidence: Any = None

    @model_validator(mode="after")
    def _one_csr_a_slot(self) -> RequestPayload:
        if len({csr.slot for csr in self.csrs}) != len(self.csrs):
            raise ValueError("a slot has more than one CSR")
        return self

    @property
    def created_seconds(self) -> float:
        """When the device made it, in seconds since the epoch; also of moments that UTC has no year for."""
        return self.created_at.timestamp()

    def csr(self, slot: str) -> bytes | None:
        """Return the CSR of a slot (DER), if there is one."""
        return next((each.csr for each in self.csrs if each.slot == slot), None)


class Identity(_Part):
    """Who a request says that it is of: without that there is no row (guardian fact sheet, section 10.3).

    Nothing more is asked of it: what breaks a rule shows in the row.
    """

    ver: int
    request_id: str | uuid.UUID
    system: Name
    component: Annotated[str, StringConstraints(min_length=1)]
    hw_id: Annotated[str, StringConstraints(min_length=1)]


def read_identity(payload: Mapping[str, Any]) -> Identity:
    """Read who a request is of.

    :raises Refused: 400, it does not say.
    """
    try:
        return Identity.model_validate(payload)
    except ValidationError as error:
        raise refusals.undecodable(f"the payload does not say of whom it is: {first_fault(error)}") from None


def read_payload(payload: Mapping[str, Any]) -> RequestPayload:
    """Read a payload whole.

    :raises ValueError: it breaks the schema; says where, and never repeats a value.
    """
    try:
        return RequestPayload.model_validate(payload)
    except ValidationError as error:
        raise ValueError(first_fault(error)) from None


def read_nonce(payload: Mapping[str, Any]) -> bytes | None:
    """Return the nonce of a payload, also of one that breaks the schema elsewhere; ``None`` for none.

    By it the device learns what became of its request, whatever else is wrong with that.
    """
    nonce = payload.get("nonce")
    try:
        data = decode_base64url(nonce) if isinstance(nonce, str) else nonce
    except ValueError:
        return None
    return data if isinstance(data, bytes) and len(data) == NONCE_LENGTH else None


def first_fault(error: ValidationError) -> str:
    """Return the first thing that is wrong, and where."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
