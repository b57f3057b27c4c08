"""The words of Guardian that both ends know: states, codes, columns, roles.

Texts that a user sees are those of the seed 'Manage device provisioning'; slugs are our own (guardian fact
sheet, section 2). Nothing here encodes, decodes, signs or decides.
"""

from __future__ import annotations

from enum import StrEnum


class ApprovalType(StrEnum):
    """Who approves the provisioning requests of a system."""

    MANUAL = "Manual"
    AUTOMATIC = "Automatic"


class ProvisionSource(StrEnum):
    """Which Guardian a device is provisioned by."""

    APPLIANCE = "Appliance"
    CLOUD = "Cloud"


class Role(StrEnum):
    """What a user may do (guardian fact sheet, section 1.1)."""

    ADMIN = "Admin"
    REPORTER = "Reporter"
    LIMITED = "Limited"


class DuplicatePolicy(StrEnum):
    """What becomes of an initial request for a hardware id that a device of the component has already."""

    DENY = "deny"
    ALLOW_SAME_INSTANCE = "allow_same_instance"
    ALLOW = "allow"


class SignerKeyState(StrEnum):
    """Whether requests may be signed by the key of a provisioning package."""

    ACTIVE = "active"
    PENDING = "pending"
    RETIRED = "retired"


class KeyType(StrEnum):
    """What kind of key a certificate slot holds."""

    P256 = "P-256"
    P384 = "P-384"
    ED25519 = "Ed25519"


class Action(StrEnum):
    """What a user may do with a provisioning request."""

    APPROVE = "approve"
    REJECT = "reject"
    PROVISION = "provision"


class Status(StrEnum):
    """The states of a provisioning request (guardian fact sheet, section 2)."""

    VERIFYING = "verifying"
    AUTO_APPROVED = "auto_approved"
    NEEDS_APPROVAL = "needs_approval"
    APPROVING = "approving"
    COMPLETE_PROVISIONING = "complete_provisioning"
    REJECTING = "rejecting"
    PROVISIONING = "provisioning"
    PROVISIONED = "provisioned"
    REJECTED_BY_USER = "rejected_by_user"
    REJECTED_BY_SYSTEM = "rejected_by_system"
    ERROR = "error"


#: What is shown of each state; of an error the label of its code is shown.
STATUS_TEXTS = {
    Status.VERIFYING: "Verifying...",
    Status.AUTO_APPROVED: "Auto-approved",
    Status.NEEDS_APPROVAL: "Needs approval",
    Status.APPROVING: "Approving...",
    Status.COMPLETE_PROVISIONING: "Complete provisioning",
    Status.REJECTING: "Rejecting...",
    Status.PROVISIONING: "Provisioning",
    Status.PROVISIONED: "Provisioned",
    Status.REJECTED_BY_USER: "Rejected by user",
    Status.REJECTED_BY_SYSTEM: "Rejected by system",
}


class ErrorCode(StrEnum):
    """Why a provisioning request failed (guardian fact sheet, section 3)."""

    APPLIANCE_ONLY = "APPLIANCE_ONLY"
    DUPLICATE_HW_ID_FAILURE = "DUPLICATE_HW_ID_FAILURE"
    MISSING_PR_SIGNER_KEY = "MISSING_PR_SIGNER_KEY"
    PR_SIGNATURE_MALFORMED = "PR_SIGNATURE_MALFORMED"
    MAX_INSTANCE_FAILURE = "MAX_INSTANCE_FAILURE"
    FAIL_SIGN_DEVICE_CERTIFICATES = "FAIL_SIGN_DEVICE_CERTIFICATES"
    FAIL_SIGN_DEVICE_CERTIFIED_PROFILE = "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE"
    VAULT_REQUEST_TIMEOUT = "VAULT_REQUEST_TIMEOUT"
    UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER = "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"
    UNABLE_LOOKUP_DEVICE_CERTIFICATES = "UNABLE_LOOKUP_DEVICE_CERTIFICATES"
    FAIL_SIGN_MISSING_SIGNER_CERTIFICATE = "FAIL_SIGN_MISSING_SIGNER_CERTIFICATE"
    REPROVISIONING_MISMATCH_COMPONENT = "REPROVISIONING_MISMATCH_COMPONENT"
    REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER = "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER"
    REPROVISIONING_MISMATCH_INSTANCE = "REPROVISIONING_MISMATCH_INSTANCE"
    REPROVISIONING_PROVISIONING_COMPONENT = "REPROVISIONING_PROVISIONING_COMPONENT"


#: The label of each code: what is shown as the status of a request that failed so.
ERROR_LABELS = {
    ErrorCode.APPLIANCE_ONLY: "Must be provisioned by appliance",
    ErrorCode.DUPLICATE_HW_ID_FAILURE: "Duplicate HW ID",
    ErrorCode.MISSING_PR_SIGNER_KEY: "Missing PR signer key",
    ErrorCode.PR_SIGNATURE_MALFORMED: "Malformed PR signature",
    ErrorCode.MAX_INSTANCE_FAILURE: "Max instances exceeded",
    ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES: "Vault could not sign certificates",
    ErrorCode.FAIL_SIGN_DEVICE_CERTIFIED_PROFILE: "Vault could not sign profile",
    ErrorCode.VAULT_REQUEST_TIMEOUT: "Vault request timed out",
    ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER: "Vault could not find PR signer",
    ErrorCode.UNABLE_LOOKUP_DEVICE_CERTIFICATES: "Vault could not find device leaf certificates",
    ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE: "Vault could not find vault signer certificate",
    ErrorCode.REPROVISIONING_MISMATCH_COMPONENT: "Component mismatch",
    ErrorCode.REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER: "HW ID mismatch",
    ErrorCode.REPROVISIONING_MISMATCH_INSTANCE: "Instance mismatch",
    ErrorCode.REPROVISIONING_PROVISIONING_COMPONENT: "Device is already provisioning",
}


class Column(StrEnum):
    """The columns of the Devices page by their slugs, in their order (guardian fact sheet, section 4)."""

    SYSTEM_NAME = "system_name"
    SYSTEM_INSTANCE_NAME = "system_instance_name"
    SYSTEM_INSTANCE_ID = "system_instance_id"
    COMPONENT_NAME = "component_name"
    COMPONENT_INSTANCE_ID = "component_instance_id"
    COMPONENT_INSTANCE_CREATED_ON = "component_instance_created_on"
    DEVICE_HW_ID = "device_hw_id"
    APPROVAL_TYPE = "approval_type"
    PROVISIONING_STATUS = "provisioning_status"
    REQUEST_ID = "request_id"
    REQUEST_CREATED_ON = "request_created_on"
    RESPONSE_ID = "response_id"
    RESPONSE_CREATED_ON = "response_created_on"
    PROVISION_SOURCE = "provision_source"
    APPROVED_ON = "approved_on"
    APPROVED_BY = "approved_by"
    REJECTED_ON = "rejected_on"
    REJECTED_BY = "rejected_by"
    PROVISIONED_ON = "provisioned_on"
    PROVISIONED_BY = "provisioned_by"
    ACTIONS = "actions"


#: The heading of each column, as the seed spells it.
COLUMN_TITLES = {
    Column.SYSTEM_NAME: "System name",
    Column.SYSTEM_INSTANCE_NAME: "System instance name",
    Column.SYSTEM_INSTANCE_ID: "System instance ID",
    Column.COMPONENT_NAME: "Component name",
    Column.COMPONENT_INSTANCE_ID: "Component instance ID",
    Column.COMPONENT_INSTANCE_CREATED_ON: "Component instance created on",
    Column.DEVICE_HW_ID: "Device HW ID",
    Column.APPROVAL_TYPE: "Approval type",
    Column.PROVISIONING_STATUS: "Provisioning status",
    Column.REQUEST_ID: "Request ID",
    Column.REQUEST_CREATED_ON: "Request created on",
    Column.RESPONSE_ID: "Response ID",
    Column.RESPONSE_CREATED_ON: "Response created on",
    Column.PROVISION_SOURCE: "Provision source",
    Column.APPROVED_ON: "Approved on",
    Column.APPROVED_BY: "Approved by",
    Column.REJECTED_ON: "Rejected on",
    Column.REJECTED_BY: "Rejected by",
    Column.PROVISIONED_ON: "Provisioned on",
    Column.PROVISIONED_BY: "Provisioned by",
    Column.ACTIONS: "Actions",
}

#: Who approved, rejected or provisioned where no user did.
SYSTEM_ACTOR = "System"
