"""Names and numbers that both ends of the nRF Cloud protocols use; nothing here encodes or decides.

The fake, the virtual board and the host's own client may all import this module and share nothing else.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class DeviceStatus(StrEnum):
    """Status of a claimed device (nrfcloud fact sheet, section 2.5)."""

    READY = "READY"
    PENDING = "PENDING"
    PROVISIONED = "PROVISIONED"
    ERROR = "ERROR"
    BLOCKED = "BLOCKED"


class CommandStatus(StrEnum):
    """Status of a provisioning command (nrfcloud fact sheet, section 2.5)."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class CommandType(StrEnum):
    """Key of a request in a provisioning command (nrfcloud fact sheet, section 2.8)."""

    CLOUD_ACCESS_KEY_GENERATION = "cloudAccessKeyGeneration"
    CLIENT_PRIVATE_KEY_GENERATION = "clientPrivateKeyGeneration"
    CERTIFICATE_SIGNING_REQUEST = "certificateSigningRequest"
    CLIENT_CERTIFICATE = "clientCertificate"
    SERVER_CERTIFICATE = "serverCertificate"
    CLIENT_PRIVATE_KEY = "clientPrivateKey"
    PRE_SHARED_KEY = "preSharedKey"
    CONFIG = "config"
    FINISHED = "finished"


class AfterError(StrEnum):
    """What becomes of the commands behind one that failed (nrfcloud fact sheet, section 3.7)."""

    WITHHOLD = "withhold"
    DROP = "drop"


class FirmwareType(StrEnum):
    """What a device can be updated with over the air (nrfcloud fact sheet, section 2.10)."""

    APP = "APP"
    MODEM = "MODEM"
    BOOT = "BOOT"
    SOFTDEVICE = "SOFTDEVICE"
    BOOTLOADER = "BOOTLOADER"


class FaultPlace(StrEnum):
    """Where a fault of the fake strikes: at a device's fetch or report, or at the management API."""

    FETCH = "fetch"
    REPORT = "report"
    MANAGEMENT = "management"


class FaultKind(StrEnum):
    """What a fault of the fake does (nrfcloud fact sheet, section 9: fault-injection list)."""

    STATUS = "status"
    DELAY = "delay"
    TRUNCATED = "truncated"
    INDEFINITE = "indefinite"
    TOO_MANY = "too-many"
    OVERSIZE = "oversize"
    DUPLICATE = "duplicate"
    GARBAGE = "garbage"
    LOST_ANSWER = "lost-answer"


class Role(StrEnum):
    """Role of a team member (nrfcloud fact sheet, section 2.1)."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class CredentialType(IntEnum):
    """Type of a credential in the modem's store (nrfcloud fact sheet, section 5.4)."""

    ROOT_CA = 0
    CLIENT_CERT = 1
    CLIENT_KEY = 2
    PSK = 3
    PSK_IDENTITY = 4
    PUBLIC_KEY = 5
    IDENTITY_PUBLIC_KEY = 6
    RESERVED = 7
    ENDORSEMENT_KEY = 8
    OWNERSHIP_KEY = 9
    NORDIC_ROOT_CA = 10
    NORDIC_PUBLIC_KEY = 11


class CredentialOperation(IntEnum):
    """First parameter of ``AT%CMNG`` (nrfcloud fact sheet, section 5.4)."""

    WRITE = 0
    LIST = 1
    READ = 2
    DELETE = 3


class KeygenOutput(IntEnum):
    """Third parameter of ``AT%KEYGEN`` (nrfcloud fact sheet, section 5.3)."""

    CSR = 0
    PUBLIC_KEY = 1


class DeviceType(IntEnum):
    """Chip as an attestation token names it (nrfcloud fact sheet, section 4.1)."""

    NRF9160_SIAA = 1
    NRF9160_SIBA = 2
    NRF9160_SICA = 3
    NRF9161_LACA = 4
    NRF9131_LACA = 5
    NRF9151_LACA = 6
    NRF9220 = 0x11


class MessageType(IntEnum):
    """First item of a signed body or payload (nrfcloud fact sheet, section 4.1)."""

    DEVICE_IDENTITY = 1
    PUBLIC_KEY_V1 = 2
    CSR_V1 = 3
    PROVISIONING_RESPONSE = 5
    PUBLIC_KEY = 8
    CSR = 9


class SigningKey(IntEnum):
    """Key id in the header of a COSE_Sign1 (nrfcloud fact sheet, section 4.1)."""

    IDENTITY = -2
    NORDIC_BASE_PRODUCTION = -4
    NORDIC_BASE_RESEARCH = -5


class DeviceCommandType(IntEnum):
    """What the service sends to a device (nrfcloud fact sheet, section 3.4)."""

    AT = 0
    CONFIG = 1
    FINISHED = 2


class DeviceReportType(IntEnum):
    """What a device reports of a command (nrfcloud fact sheet, section 3.4)."""

    FAILED = 99
    AT_DONE = 100
    CONFIG_DONE = 101
    FINISHED = 102


class CmeError(IntEnum):
    """Numbers of ``+CME ERROR`` (nrfcloud fact sheet, section 5.6)."""

    PHONE_FAILURE = 0
    MEMORY_FAILURE = 23
    BAD_PARAMETERS = 50
    MISSING_PARAMETERS = 51
    SYSTEM_ERROR = 60
    NOT_FOUND = 513
    NOT_ALLOWED = 514
    MEMORY_FULL = 515
    NOT_ALLOWED_WHILE_ACTIVE = 518
    ALREADY_EXISTS = 519
    AUTHENTICATION_FAILED = 520
    KEY_GENERATION_FAILED = 523
    JWT_FAILED = 525
    INVALID_CERTIFICATE = 527
    POWER_OFF_WARNING = 528
    CLAIM_TOKEN = 529
