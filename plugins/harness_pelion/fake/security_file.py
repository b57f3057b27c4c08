"""The C file of a developer certificate: variables, order and layout of the pelion fact sheet, section 3."""

from __future__ import annotations

from harness_pelion.enums import DeveloperVariable

_BYTES_A_LINE = 8
_GUARD = "__MBED_CLOUD_DEV_CREDENTIALS_H__"

_ARRAYS = (
    DeveloperVariable.DEVICE_CERTIFICATE,
    DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE,
    DeveloperVariable.DEVICE_PRIVATE_KEY,
)

_DEFAULTS = {
    DeveloperVariable.MANUFACTURER: "dev_manufacturer",
    DeveloperVariable.MODEL_NUMBER: "dev_model_num",
    DeveloperVariable.SERIAL_NUMBER: "0",
    DeveloperVariable.DEVICE_TYPE: "dev_device_type",
    DeveloperVariable.HARDWARE_VERSION: "dev_hardware_version",
}


def security_file(
    *,
    endpoint_name: str,
    account_id: str,
    server_uri: str,
    certificate: bytes,
    root_ca: bytes,
    private_key: bytes,
) -> str:
    """Return the file's text.

    :param endpoint_name: the certificate's id.
    :param server_uri: of the bootstrap server, with the account.
    :param certificate: DER.
    :param root_ca: DER of the authority of the bootstrap server.
    :param private_key: PKCS#8 in DER.
    """
    texts = {
        DeveloperVariable.ENDPOINT_NAME: endpoint_name,
        DeveloperVariable.ACCOUNT_ID: account_id,
        DeveloperVariable.SERVER_URI: server_uri,
    }
    arrays = dict(zip(_ARRAYS, (certificate, root_ca, private_key), strict=True))
    lines = [
        "/*",
        " * Credentials of a development device. Whoever has this file can connect devices to the account.",
        " */",
        f"#ifndef {_GUARD}",
        f"#define {_GUARD}",
        "",
        "#include <inttypes.h>",
        "",
        *(_text(variable, value) for variable, value in texts.items()),
        "",
        *(line for variable, value in arrays.items() for line in _array(variable, value)),
        *(_text(variable, value) for variable, value in _DEFAULTS.items()),
        f"const uint32_t {DeveloperVariable.MEMORY_TOTAL_KB} = 0;",
        "",
        *(f"const uint32_t {variable}_SIZE = sizeof({variable});" for variable in _ARRAYS),
        "",
        f"#endif // {_GUARD}",
    ]
    return "\n".join(lines) + "\n"


def _text(variable: DeveloperVariable, value: str) -> str:
    return f'const char {variable}[] = "{value}";'


def _array(variable: DeveloperVariable, value: bytes) -> list[str]:
    rows = [value[start : start + _BYTES_A_LINE] for start in range(0, len(value), _BYTES_A_LINE)]
    body = ",\n".join(" " + ", ".join(f"0x{byte:02x}" for byte in row) for row in rows)
    return [f"const uint8_t {variable}[] = {{", body, "};", ""]  # clients look for " = " on the line
