"""Make the golden files anew: by aiocoap, OpenSSL and the specification's own examples, nothing of ours.

Run by hand, ``python tests/pelion/golden/make_golden.py``: certificate and key are others each time.
They are material for tests: no account anywhere knows them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from aiocoap import Message  # type: ignore[import-untyped] # has no types
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above
from aiocoap.numbers.optionnumbers import OptionNumber  # type: ignore[import-untyped] # as above

HERE = Path(__file__).parent
ENDPOINT = "0172e5a1c0de4d6d8c6d2f0e5a7b3c91"
ACCOUNT = "0161f00dcafe4a5b9c7d8e9f0a1b2c3d"
SUBJECT = f"/C=GB/ST=Cambridgeshire/L=Cambridge/O=ARM Ltd/OU={ACCOUNT}/CN={ENDPOINT}"
LINKS = b'</>;rt="oma.lwm2m",</1/0>,</3/0>,</10255/0>'

#: Examples of OMA LwM2M 1.0, section 6.4.3: the device object, and two instances of access control.
TLV = {
    "device object": (
        "c800144f70656e204d6f62696c6520416c6c69616e6365c801164c69676874776569676874204d324d20436c69656e74"
        "c80209333435303030313233c303312e30860641000141010588070842000ed84201138887084100"
        "7d42010384c10964c10a0f830b410000c40d5182428fc60e2b30323a3030c11055"
    ),
    "access control": "08000ec10001c101008302417f07c1037f080212c10003c101008702417f0761013601c1037f",
}


def messages() -> dict[str, Any]:
    """Return messages of a bootstrap and a registration, and some of odd sizes."""
    claims = [f"ep={ENDPOINT}", f"aid={ACCOUNT}", "mccv=3.0.0"]
    lwm2m = [f"ep={ENDPOINT}", "et=default", "lt=600", "lwm2m=1.0", "b=U", *claims[1:]]
    return {
        "bootstrap request": make("POST", types.CON, 0x1001, path=["bs"], query=claims),
        "bootstrap accepted": make("CHANGED", types.ACK, 0x1001),
        "delete security": make(
            "DELETE", types.CON, 0xFFFF, token=b"\x01\x02\x03\x04\x05\x06\x07\x08", path=["0"]
        ),
        "deleted": make("DELETED", types.ACK, 0xFFFF, token=b"\x01\x02\x03\x04\x05\x06\x07\x08"),
        "write security": make(
            "PUT", types.CON, 2, path=["0"], form=11542, payload=bytes.fromhex("080003c1010a") * 99
        ),
        "finish": make("POST", types.CON, 3, path=["bs"]),
        "registration": make("POST", types.CON, 4, path=["rd"], query=lwm2m, form=40, payload=LINKS),
        "registered": make("CREATED", types.ACK, 4, location=["rd", ACCOUNT]),
        "read class": make("GET", types.CON, 5, path=["10255", "0", "4"]),
        "class": make("CONTENT", types.ACK, 5, form=42, payload=bytes(range(16))),
        "update": make("POST", types.CON, 6, path=["rd", ACCOUNT], query=["lt=60"]),
        "deregistration": make("DELETE", types.CON, 7, path=["rd", ACCOUNT]),
        "refusal": make("FORBIDDEN", types.ACK, 8, payload=b"no"),
        "no token": make("GET", types.NON, 0, token=b"", path=["3", "0"]),
        "twelve and thirteen": make("GET", types.CON, 9, path=["a" * 12, "b" * 13]),
        "268 and 269": make("GET", types.CON, 10, query=["a" * 268, "b" * 269]),
        "1000 bytes of an option far away": make("GET", types.CON, 11, far=b"\xff" * 1000),
        "empty acknowledgement": make("EMPTY", types.ACK, 12, token=b""),
        "reset": make("EMPTY", types.RST, 13, token=b""),
    }


def make(
    code: str,
    kind: Any,
    number: int,
    *,
    token: bytes = b"\xda\x7a",
    path: list[str] | None = None,
    query: list[str] | None = None,
    location: list[str] | None = None,
    form: int | None = None,
    payload: bytes = b"",
    far: bytes = b"",
) -> dict[str, Any]:
    """Let aiocoap write a message, and say beside it what it is."""
    message = Message(code=getattr(codes, code), payload=payload)
    message.mtype, message.mid, message.token = kind, number, token
    options: list[list[Any]] = []
    for option, values in ((8, location), (11, path), (15, query)):
        options += [[option, value.encode().hex()] for value in values or []]
    message.opt.location_path, message.opt.uri_path = tuple(location or ()), tuple(path or ())
    message.opt.uri_query = tuple(query or ())
    if form is not None:
        message.opt.content_format = form
        options.append([12, form.to_bytes((form.bit_length() + 7) // 8, "big").hex()])
    if far:
        message.opt.add_option(OptionNumber(65000).create_option(value=far))
        options.append([65000, far.hex()])
    return {
        "type": int(kind),
        "code": int(message.code),
        "id": number,
        "token": token.hex(),
        "options": sorted(options, key=lambda pair: int(pair[0])),
        "payload": payload.hex(),
        "bytes": message.encode().hex(),
    }


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    """Return what the openssl command writes."""
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def certificate(key: bytes, subject: str, days: int, *extensions: str) -> bytes:
    """Return a self-signed certificate as DER."""
    path = HERE / "key.tmp"
    path.write_bytes(key)
    try:
        words = [word for extension in extensions for word in ("-addext", extension)]
        days_of = ["-days", str(days), "-set_serial", "0x0172e5a1c0de4d6d8c6d2f0e5a7b3c91"]
        return openssl(
            "req",
            "-x509",
            "-new",
            "-sha256",
            "-key",
            str(path),
            "-subj",
            subject,
            *days_of,
            *words,
            "-outform",
            "DER",
        )
    finally:
        path.unlink()


def array(name: str, content: bytes) -> str:
    """Return bytes as the C file has them: eight a line (pelion fact sheet, section 3)."""
    rows = [
        "    " + ", ".join(f"0x{byte:02x}" for byte in content[at : at + 8])
        for at in range(0, len(content), 8)
    ]
    return f"const uint8_t MBED_CLOUD_DEV_{name}[] = {{\n" + ",\n".join(rows) + "\n};\n"


def text(name: str, value: str) -> str:
    """Return a text as the C file has it."""
    return f'const char MBED_CLOUD_DEV_{name}[] = "{value}";\n'


def developer_file(device: bytes, key: bytes, root: bytes) -> str:
    """Return the whole C file, in the order of the fact sheet."""
    uri = f"coaps://bootstrap.us-east-1.mbedcloud.com:5684?aid={ACCOUNT}"
    arrays = {
        "BOOTSTRAP_DEVICE_CERTIFICATE": device,
        "BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE": root,
        "BOOTSTRAP_DEVICE_PRIVATE_KEY": key,
    }
    sizes = [
        f"const uint32_t MBED_CLOUD_DEV_{name}_SIZE = sizeof(MBED_CLOUD_DEV_{name});\n" for name in arrays
    ]
    return "".join(
        [
            "/* Material for tests: no account anywhere knows this certificate and its key. */\n",
            "#ifndef __MBED_CLOUD_DEV_CREDENTIALS_H__\n#define __MBED_CLOUD_DEV_CREDENTIALS_H__\n\n",
            "#include <inttypes.h>\n\n",
            text("BOOTSTRAP_ENDPOINT_NAME", ENDPOINT),
            text("ACCOUNT_ID", ACCOUNT),
            text("BOOTSTRAP_SERVER_URI", uri),
            *(array(name, content) for name, content in arrays.items()),
            text("MANUFACTURER", "dev_manufacturer"),
            text("MODEL_NUMBER", "dev_model_num"),
            text("SERIAL_NUMBER", "0"),
            text("DEVICE_TYPE", "dev_device_type"),
            text("HARDWARE_VERSION", "dev_hardware_version"),
            "const uint32_t MBED_CLOUD_DEV_MEMORY_TOTAL_KB = 0;\n",
            *sizes,
            "\n#endif //__MBED_CLOUD_DEV_CREDENTIALS_H__\n",
        ]
    )


def main() -> None:
    """Write all files."""
    keys = [openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout") for _ in range(2)]
    device = certificate(
        keys[0], SUBJECT, 3650, "basicConstraints=critical,CA:true,pathlen:0", "extendedKeyUsage=clientAuth"
    )
    root = certificate(
        keys[1],
        "/CN=ARM Bootstrap CA",
        9000,
        "basicConstraints=critical,CA:true",
        "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
    )
    key = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", given=keys[0])
    (HERE / "developer.sample.c").write_text(developer_file(device, key, root))
    (HERE / "developer.sample.der").write_bytes(device)
    (HERE / "bootstrap-ca.sample.der").write_bytes(root)
    (HERE / "developer-key.sample.der").write_bytes(key)
    (HERE / "coap.json").write_text(json.dumps(messages(), indent=1) + "\n")
    (HERE / "tlv.json").write_text(json.dumps(TLV, indent=1) + "\n")


if __name__ == "__main__":
    main()
