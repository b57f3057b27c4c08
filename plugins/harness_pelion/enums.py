"""The words of Pelion that both ends know: states, names of items, variables and files.

Nothing here encodes, decodes, signs or decides.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class DeviceState(StrEnum):
    """Where a device is on its way (pelion fact sheet, section 6.3)."""

    UNENROLLED = "unenrolled"
    CLOUD_ENROLLING = "cloud_enrolling"
    BOOTSTRAPPED = "bootstrapped"
    REGISTERED = "registered"
    DEREGISTERED = "deregistered"


class EventType(StrEnum):
    """What happened to a device. The service's own numbers are not public (pelion fact sheet, section 9)."""

    BOOTSTRAP = "bootstrap"
    REGISTRATION = "registration"
    UPDATE = "update"
    DEREGISTRATION = "deregistration"
    EXPIRATION = "expiration"
    REFUSAL = "refusal"


class ExecutionMode(IntEnum):
    """Whether a certificate or device is one for development (pelion fact sheet, sections 4 and 6.3)."""

    UNSPECIFIED = 0
    DEVELOPMENT = 1
    PRODUCTION = 5


class CertificateService(StrEnum):
    """Which server trusts a certificate (pelion fact sheet, section 4)."""

    BOOTSTRAP = "bootstrap"
    LWM2M = "lwm2m"


class CertificateStatus(StrEnum):
    """Whether a trusted certificate is trusted now (pelion fact sheet, section 4)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class ErrorType(StrEnum):
    """The ``type`` of an error's body (pelion fact sheet, section 4)."""

    VALIDATION_ERROR = "validation_error"
    BAD_REQUEST = "bad_request"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a word of the service
    INVALID_APIKEY = "invalid_apikey"
    INVALID_AUTH = "invalid_auth"
    REAUTH_REQUIRED = "reauth_required"
    ACCESS_DENIED = "access_denied"
    ACCOUNT_LIMIT_EXCEEDED = "account_limit_exceeded"
    NOT_FOUND = "not_found"
    METHOD_NOT_SUPPORTED = "method_not_supported"
    NOT_ACCEPTABLE = "not_acceptable"
    DUPLICATE = "duplicate"
    PRECONDITION_FAILED = "precondition_failed"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    INTERNAL_SERVER_ERROR = "internal_server_error"
    SYSTEM_UNAVAILABLE = "system_unavailable"


class DeveloperVariable(StrEnum):
    """The twelve values of a developer certificate's C file, in its order (pelion fact sheet, section 3)."""

    ENDPOINT_NAME = "MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME"
    ACCOUNT_ID = "MBED_CLOUD_DEV_ACCOUNT_ID"
    SERVER_URI = "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_URI"
    DEVICE_CERTIFICATE = "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_CERTIFICATE"
    SERVER_ROOT_CA_CERTIFICATE = "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE"
    DEVICE_PRIVATE_KEY = "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY"
    MANUFACTURER = "MBED_CLOUD_DEV_MANUFACTURER"
    MODEL_NUMBER = "MBED_CLOUD_DEV_MODEL_NUMBER"
    SERIAL_NUMBER = "MBED_CLOUD_DEV_SERIAL_NUMBER"
    DEVICE_TYPE = "MBED_CLOUD_DEV_DEVICE_TYPE"
    HARDWARE_VERSION = "MBED_CLOUD_DEV_HARDWARE_VERSION"
    MEMORY_TOTAL_KB = "MBED_CLOUD_DEV_MEMORY_TOTAL_KB"


class UpdateVariable(StrEnum):
    """The values of ``update_default_resources.c`` (pelion fact sheet, section 5)."""

    VENDOR_ID = "arm_uc_vendor_id"
    CLASS_ID = "arm_uc_class_id"
    FINGERPRINT = "arm_uc_default_fingerprint"
    SUBJECT_KEY_IDENTIFIER = "arm_uc_default_subject_key_identifier"
    CERTIFICATE = "arm_uc_default_certificate"
    PSK = "arm_uc_default_psk"
    PSK_ID = "arm_uc_default_psk_id"
    PUBLIC_KEY = "arm_uc_update_public_key"


class Item(StrEnum):
    """Names of items in a device's key and configuration store (pelion fact sheet, section 2.1)."""

    USE_BOOTSTRAP = "mbed.UseBootstrap"
    ENDPOINT_NAME = "mbed.EndpointName"
    BOOTSTRAP_DEVICE_CERT = "mbed.BootstrapDeviceCert"
    BOOTSTRAP_SERVER_CA_CERT = "mbed.BootstrapServerCACert"
    BOOTSTRAP_DEVICE_PRIVATE_KEY = "mbed.BootstrapDevicePrivateKey"
    BOOTSTRAP_SERVER_URI = "mbed.BootstrapServerURI"
    MANUFACTURER = "mbed.Manufacturer"
    MODEL_NUMBER = "mbed.ModelNumber"
    SERIAL_NUMBER = "mbed.SerialNumber"
    DEVICE_TYPE = "mbed.DeviceType"
    HARDWARE_VERSION = "mbed.HardwareVersion"
    MEMORY_TOTAL_KB = "mbed.MemoryTotalKB"
    UPDATE_AUTH_CERT = "mbed.UpdateAuthCert"
    VENDOR_ID = "mbed.VendorId"
    CLASS_ID = "mbed.ClassId"
    UTC_OFFSET = "mbed.UTCOffset"
    LWM2M_SERVER_URI = "mbed.LwM2MServerURI"
    LWM2M_DEVICE_CERT = "mbed.LwM2MDeviceCert"
    LWM2M_DEVICE_PRIVATE_KEY = "mbed.LwM2MDevicePrivateKey"
    LWM2M_SERVER_CA_CERT = "mbed.LwM2MServerCACert"
    INTERNAL_ENDPOINT = "mbed.InternalEndpoint"
