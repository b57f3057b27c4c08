"""What the service answers, validated before anybody uses it. Unknown fields are let pass.

Shapes: guardian fact sheet, sections 4, 6 and 10.5.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.errors import RequestRefused
from harness_guardian.enums import (
    Action,
    ApprovalType,
    Column,
    ErrorCode,
    ProvisionSource,
    Role,
    SignerKeyState,
    Status,
)

if TYPE_CHECKING:
    import httpx

Model = TypeVar("Model", bound=BaseModel)

FINAL = frozenset({Status.PROVISIONED, Status.REJECTED_BY_USER, Status.REJECTED_BY_SYSTEM, Status.ERROR})
"""The states that a request never leaves (guardian fact sheet, section 2)."""

SETTLED = FINAL | {Status.NEEDS_APPROVAL, Status.COMPLETE_PROVISIONING}
"""The states that a request does not leave by itself."""

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Moment = Annotated[datetime | None, BeforeValidator(lambda value: value or None)]
Code = Annotated[ErrorCode | None, BeforeValidator(lambda value: value or None)]


class Answer(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True)


class RequestRow(Answer):
    """A row of the list of provisioning requests: the columns by their slugs (section 4) and what is beside.

    :ivar id: request id, by which it is asked for.
    :ivar status: state that it is in; of a row of the history the state that it was in.
    :ivar version: grows with each state.
    """

    id: str
    status: Status
    error_code: Code = None
    version: int = 0
    actions: tuple[Action, ...] = ()
    system_name: Text = ""
    system_instance_name: Text = ""
    system_instance_id: Text = ""
    component_name: Text = ""
    component_instance_id: Text = ""
    component_instance_created_on: Moment = None
    device_hw_id: Text = ""
    approval_type: ApprovalType | None = None
    provisioning_status: Text = ""
    request_id: Text = ""
    request_created_on: Moment = None
    response_id: Text = ""
    response_created_on: Moment = None
    provision_source: ProvisionSource | None = None
    approved_on: Moment = None
    approved_by: Text = ""
    rejected_on: Moment = None
    rejected_by: Text = ""
    provisioned_on: Moment = None
    provisioned_by: Text = ""

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is."""
        return self.status in FINAL

    def column(self, column: Column) -> Any:
        """Return the value of one of the 20 columns of data."""
        return getattr(self, column.value)


class RowPage(Answer):
    """A page of a list (section 10.5)."""

    items: tuple[RequestRow, ...]
    total: int
    next: str | None = None


class HistoryEntry(Answer):
    """One state that a request passed.

    :ivar at: when it came into it.
    :ivar by: who brought it there: a user, or ``System``.
    """

    status: Status
    text: str
    at: datetime
    by: Text = ""
    error_code: Code = None


class HistoryRecord(Answer):
    """All states that a request passed, oldest first."""

    items: tuple[HistoryEntry, ...]


class SubmittedRequest(Answer):
    """What a service says of a request that was submitted.

    :ivar created: whether it is new; the same bytes submitted again are not.
    :ivar location: where it is asked for.
    :ivar retry_after: seconds after which it is worth asking; ``None`` where the service says nothing.
    """

    request_id: str
    status: Status
    created: bool = True
    location: str = ""
    retry_after: float | None = None


class Problem(Answer):
    """Why a request was refused (RFC 9457).

    :ivar type: ``urn:guardian:problem:SLUG``.
    :ivar code: the seed's error code where one exists.
    """

    type: Text = ""
    title: Text = ""
    status: int | None = None
    detail: Text = ""
    instance: Text = ""
    code: Text = ""

    @property
    def slug(self) -> str:
        """The last part of the type."""
        return self.type.rpartition(":")[2]


class BulkResult(Answer):
    """What became of one of several requests.

    :ivar status: state that it is in now, where the service knows it.
    """

    id: str
    ok: bool
    status: Status | None = None
    problem: Problem | None = None


class BulkRecord(Answer):
    """What became of several requests, in the order of the call."""

    results: tuple[BulkResult, ...]


class DisplaySettings(Answer):
    """How dates are shown to a user (section 7)."""

    iso: bool = False
    local_time: bool = False


class InstanceRecord(Answer):
    """An instance of a system."""

    id: str
    name: str


class SignerKeyRecord(Answer):
    """The public half of the key of a provisioning package."""

    kid: str
    jwk: dict[str, Any] = Field(default_factory=dict)
    state: SignerKeyState = SignerKeyState.ACTIVE


class ProfileSigner(Answer):
    """The public key that certified profiles are signed with."""

    kid: str
    jwk: dict[str, Any]


class SystemRecord(Answer):
    """A system as the service describes it (section 10.1).

    :ivar trust: certificates (PEM): the root, then the intermediate.
    :ivar components: as they were sent.
    """

    id: str
    name: str
    approval_type: ApprovalType
    provision_source: ProvisionSource = ProvisionSource.CLOUD
    complete_on_install: bool = False
    signer_keys: tuple[SignerKeyRecord, ...] = ()
    profile_signer: ProfileSigner
    trust: tuple[str, ...]
    components: tuple[dict[str, Any], ...]
    instances: tuple[InstanceRecord, ...]


class UserRecord(Answer):
    """A user of an organisation of a fake, as its control socket tells it."""

    name: str
    role: Role
    token: str = Field(repr=False)


class OrganisationRecord(Answer):
    """An organisation of a fake, as its control socket tells it."""

    name: str
    users: tuple[UserRecord, ...]


class OrderedRecord(Answer):
    """What a fake says of a fault or a hold that was ordered."""

    id: str


class VaultCall(Answer):
    """One call that Vault was asked to answer for a system.

    :ivar call: ``sign``, ``sign-profile``, ``read-issuer``, ``read-certificate``, ``revoke`` or ``set-up``.
    :ivar slot: of the certificate that was signed.
    :ivar serial: of the certificate that was signed, read or revoked.
    :ivar status: of Vault's answer; ``None`` when it gave none.
    :ivar request_id: of the provisioning request that it was for, where it is known.
    """

    at: datetime
    call: str
    slot: Text = ""
    role: Text = ""
    serial: Text = ""
    status: int | None = None
    request_id: Text = ""


class VaultCalls(Answer):
    """All calls for a system, oldest first."""

    items: tuple[VaultCall, ...]


class Refused(RequestRefused):
    """The service refused a call; what it says of it is at hand (RFC 9457).

    :ivar slug: of the problem's type.
    :ivar code: the seed's error code where one exists.
    """

    def __init__(self, operation: str, status: int, problem: Problem, text: str) -> None:
        """Keep the parts for the suite and compose the text for a person."""
        self.slug = problem.slug
        self.code = problem.code
        super().__init__(operation, status, text)


def problem_of(response: httpx.Response) -> Problem:
    """Return what a service says of a refusal; empty where it says nothing that can be read."""
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return Problem()
