"""Developer certificates, judged by openssl and by a C compiler (pelion fact sheet, section 3)."""

from __future__ import annotations

import re
import ssl
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.pelion.fake.pelion_site import BOOTSTRAP, Site, SiteAccount, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEX_ID = re.compile(r"[0-9a-f]{32}")
VARIABLES = [
    "MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME",
    "MBED_CLOUD_DEV_ACCOUNT_ID",
    "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_URI",
    "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_CERTIFICATE",
    "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE",
    "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY",
    "MBED_CLOUD_DEV_MANUFACTURER",
    "MBED_CLOUD_DEV_MODEL_NUMBER",
    "MBED_CLOUD_DEV_SERIAL_NUMBER",
    "MBED_CLOUD_DEV_DEVICE_TYPE",
    "MBED_CLOUD_DEV_HARDWARE_VERSION",
    "MBED_CLOUD_DEV_MEMORY_TOTAL_KB",
]
#: Prints every variable as the C compiler understands it, a line each: name, then hex of its bytes.
MAIN = """
#include <stdio.h>
#include "security.h"
#include "security.h"
static void show(const char *name, const void *value, unsigned long size)
{
    const unsigned char *bytes = value;
    printf("%s ", name);
    for (unsigned long i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf("\\n");
}
#define SHOW(x) show(#x, x, sizeof(x))
#define SHOW_ONE(x) show(#x, &x, sizeof(x))
int main(void)
{
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake."""
    with a_site() as site:
        yield site


@pytest.fixture(scope="module")
def account(site: Site) -> SiteAccount:
    """An account with one developer certificate."""
    return site.account()


@pytest.fixture(scope="module")
def made(account: SiteAccount) -> dict[str, Any]:
    """The developer certificate as it was answered when it was made."""
    return account.certificate("my board")


def openssl(*arguments: str, given: str = "") -> str:
    """Return what the openssl command says."""
    done = subprocess.run(
        ["openssl", *arguments], input=given, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def compiled(text: str, directory: Path) -> dict[str, bytes]:
    """Return the values of a C file as a C compiler understands it, nothing but warnings being errors."""
    (directory / "security.h").write_text(text)
    calls = [f"    SHOW({name});" for name in VARIABLES[:-1]]
    calls += [f"    SHOW_ONE({VARIABLES[-1]});"]
    calls += [f"    SHOW_ONE({name}_SIZE);" for name in VARIABLES[3:6]]
    (directory / "main.c").write_text("\n".join([MAIN, *calls, "    return 0;", "}"]))
    program = directory / "program"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable"]
    subprocess.run(["cc", *flags, "-o", str(program), str(directory / "main.c")], check=True, timeout=60)
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True, timeout=30).stdout
    return {name: bytes.fromhex(value) for name, value in (line.split(" ") for line in said.splitlines())}


def test_answer_has_every_field(account: SiteAccount, made: dict[str, Any]) -> None:
    """201 with the fields of section 4, ids of 32 hex digits and times with milliseconds."""
    assert set(made) == {
        "object",
        "id",
        "etag",
        "created_at",
        "account_id",
        "name",
        "description",
        "developer_certificate",
        "developer_private_key",
        "security_file_content",
    }
    assert made["object"] == "trusted-cert"
    assert made["name"] == "my board"
    assert made["account_id"] == account.id
    assert HEX_ID.fullmatch(made["id"])
    assert HEX_ID.fullmatch(account.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["created_at"])


def test_told_again_alike(account: SiteAccount, made: dict[str, Any]) -> None:
    """The SDK asks again and takes the C file of the last answer: it is the same one."""
    assert account.get(f"/v3/developer-certificates/{made['id']}") == made


def test_shape_as_openssl_reads_it(account: SiteAccount, made: dict[str, Any]) -> None:
    """Names, curve, signature, serial, extensions and ten years, as of the published sample."""
    text = openssl("x509", "-noout", "-text", given=made["developer_certificate"])
    name = f"C = GB, ST = Cambridgeshire, L = Cambridge, O = ARM Ltd, OU = {account.id}, CN = {made['id']}"
    assert f"Issuer: {name}\n" in text
    assert f"Subject: {name}\n" in text
    assert "Version: 3 (0x2)" in text
    assert text.count("Signature Algorithm: ecdsa-with-SHA256") == 2
    assert "ASN1 OID: prime256v1" in text
    assert re.search(r"X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0\n", text)
    assert re.search(r"X509v3 Extended Key Usage: ?\n\s+TLS Web Client Authentication\n", text)
    assert re.search(r"1\.3\.6\.1\.4\.1\.4128\.201: ?\n", text)
    serial = openssl("x509", "-noout", "-serial", given=made["developer_certificate"])
    assert re.fullmatch(r"serial=[0-9A-F]{32}\n", serial)
    dates = openssl("x509", "-noout", "-dates", given=made["developer_certificate"])
    begin, end = (ssl.cert_time_to_seconds(line.partition("=")[2]) for line in dates.splitlines())
    assert 0 <= time.time() - begin < 300
    assert 3651 <= (end - begin) / 86400 <= 3653


def test_private_extension_is_an_integer(made: dict[str, Any]) -> None:
    """The extension 1.3.6.1.4.1.4128.201 holds a small INTEGER and nothing else."""
    parsed = openssl("asn1parse", given=made["developer_certificate"])
    assert re.search(r"OBJECT\s+:1\.3\.6\.1\.4\.1\.4128\.201\n.*OCTET STRING\s+\[HEX DUMP\]:020101\n", parsed)


def test_signed_by_itself(made: dict[str, Any], tmp_path: Path) -> None:
    """Openssl verifies it as a client's certificate with itself as the anchor, and with nobody else's."""
    own = tmp_path / "own.pem"
    own.write_text(made["developer_certificate"])
    said = openssl("verify", "-purpose", "sslclient", "-CAfile", str(own), str(own))
    assert said.strip().endswith(": OK")


def test_key_belongs_to_it(made: dict[str, Any]) -> None:
    """The private key is an unencrypted PKCS#8 key whose public half is the certificate's."""
    assert made["developer_private_key"].startswith("-----BEGIN PRIVATE KEY-----\n")
    of_key = openssl("pkey", "-pubout", given=made["developer_private_key"])
    of_certificate = openssl("x509", "-noout", "-pubkey", given=made["developer_certificate"])
    assert of_key == of_certificate
    openssl("pkey", "-check", "-noout", given=made["developer_private_key"])


def test_c_file_as_a_compiler_reads_it(account: SiteAccount, made: dict[str, Any], tmp_path: Path) -> None:
    """A C compiler takes it without a warning, twice in one unit, and finds what the API says."""
    values = compiled(made["security_file_content"], tmp_path)
    certificate = ssl.PEM_cert_to_DER_cert(made["developer_certificate"])
    ca = ssl.PEM_cert_to_DER_cert(account.get("/v3/server-credentials/bootstrap")["server_certificate"])
    key = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"],
        input=made["developer_private_key"].encode(),
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout
    assert values["MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME"] == made["id"].encode() + b"\0"
    assert values["MBED_CLOUD_DEV_ACCOUNT_ID"] == account.id.encode() + b"\0"
    uri = f"{BOOTSTRAP}?aid={account.id}"
    assert values["MBED_CLOUD_DEV_BOOTSTRAP_SERVER_URI"] == uri.encode() + b"\0"
    assert values["MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_CERTIFICATE"] == certificate
    assert values["MBED_CLOUD_DEV_BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE"] == ca
    assert values["MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY"] == key
    assert values["MBED_CLOUD_DEV_MANUFACTURER"] == b"dev_manufacturer\0"
    assert values["MBED_CLOUD_DEV_MODEL_NUMBER"] == b"dev_model_num\0"
    assert values["MBED_CLOUD_DEV_SERIAL_NUMBER"] == b"0\0"
    assert values["MBED_CLOUD_DEV_DEVICE_TYPE"] == b"dev_device_type\0"
    assert values["MBED_CLOUD_DEV_HARDWARE_VERSION"] == b"dev_hardware_version\0"
    assert values["MBED_CLOUD_DEV_MEMORY_TOTAL_KB"] == bytes(4)
    for name, value in (("DEVICE", certificate), ("SERVER_ROOT_CA", ca)):
        told = values[f"MBED_CLOUD_DEV_BOOTSTRAP_{name}_CERTIFICATE_SIZE"]
        assert int.from_bytes(told, "little") == len(value)


def test_c_file_as_the_public_client_cuts_it(made: dict[str, Any]) -> None:
    """By section 1.5: one marker line, then statements with one `` = `` each; twelve values."""
    text = made["security_file_content"]
    before, after = text.split("#include <inttypes.h>")
    assert "#ifndef __MBED_CLOUD_DEV_CREDENTIALS_H__\n#define __MBED_CLOUD_DEV_CREDENTIALS_H__\n" in before
    names = []
    for statement in after.replace("\n", "").split(";"):
        if "=" in statement and "sizeof(" not in statement:
            left, right = statement.split(" = ")
            assert right
            names.append(left[left.index("MBED_CLOUD_DEV_") :].replace("[]", "").strip())
    assert names == VARIABLES


def test_c_file_layout(made: dict[str, Any]) -> None:
    """Types of section 3, eight lower-case bytes a line, three sizes, and the guard's end at the end."""
    text = made["security_file_content"]
    types = re.findall(r"^const (char|uint8_t|uint32_t) (\w+)", text, re.MULTILINE)
    sizes = [(kind, name) for kind, name in types if name.endswith("_SIZE")]
    assert sizes == [("uint32_t", f"{name}_SIZE") for name in VARIABLES[3:6]]
    kinds = ["char"] * 3 + ["uint8_t"] * 3 + ["char"] * 5 + ["uint32_t"]
    assert [entry for entry in types if entry not in sizes] == list(zip(kinds, VARIABLES, strict=True))
    bodies = re.findall(r"\{\n(.*?)\n\};", text, re.DOTALL)
    assert len(bodies) == 3
    for body in bodies:
        rows = body.split(",\n")
        assert all(re.fullmatch(r" 0x[0-9a-f]{2}(, 0x[0-9a-f]{2}){7}", row) for row in rows[:-1])
        assert re.fullmatch(r" 0x[0-9a-f]{2}(, 0x[0-9a-f]{2}){0,7}", rows[-1])
    assert text.endswith("#endif // __MBED_CLOUD_DEV_CREDENTIALS_H__\n")


def test_root_authority(account: SiteAccount, tmp_path: Path) -> None:
    """The bootstrap server's authority has the shape of section 3 and signed itself."""
    pem = account.get("/v3/server-credentials/bootstrap")["server_certificate"]
    text = openssl("x509", "-noout", "-text", given=pem)
    assert re.search(r"Subject: .*CN = ARM Bootstrap CA\n", text)
    assert re.search(r"Issuer: .*CN = ARM Bootstrap CA\n", text)
    assert "ASN1 OID: prime256v1" in text
    assert re.search(r"X509v3 Basic Constraints: critical\s+CA:TRUE\n", text)
    assert re.search(r"X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n", text)
    assert re.search(r"Not After : .* 2052 GMT", text)
    own = tmp_path / "ca.pem"
    own.write_text(pem)
    assert openssl("verify", "-CAfile", str(own), str(own)).strip().endswith(": OK")


def test_each_is_another_one(account: SiteAccount) -> None:
    """Ids, serials and keys are never given twice."""
    both = [account.certificate(f"other {number}") for number in range(2)]
    assert both[0]["id"] != both[1]["id"]
    serials = {openssl("x509", "-noout", "-serial", given=each["developer_certificate"]) for each in both}
    assert len(serials) == 2
    assert both[0]["developer_private_key"] != both[1]["developer_private_key"]


def test_made_within_five_milliseconds(site: Site) -> None:
    """To make one with its C file costs less than 5 ms of CPU: suites make hundreds."""
    account = site.account()
    account.record.certificates_limit = 1000
    service = site.fake.pelion
    owner = account.record.users["owner"].id
    best = 1.0
    for attempt in range(3):
        began = time.process_time()
        for number in range(20):
            made = service.create_developer_certificate(account.record, f"n{attempt}-{number}", "", owner)
            service.security_file(account.record, made)
        best = min(best, (time.process_time() - began) / 20)
    assert best < 0.005
