"""The credential shells (nrfcloud fact sheet, section 6.3), typed as Nordic's installer types them."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ANSI = re.compile(r"\x1B\[[0-?]*[ -/]*[@-~]")


@pytest.fixture
def shell(make_board: Callable[..., Any]) -> Any:
    """A board with a shell that breaks no echo."""
    return make_board("nrf9151dk-shell-virtual", terminal_width=4000)


@pytest.fixture
def run(shell: Any) -> Callable[[str], list[str]]:
    """Run a command and return what it printed, line by line."""

    def say(command: str) -> list[str]:
        start = len(shell.host.sent("console"))
        shell.type(command.encode() + b"\r\n")
        text = shell.host.sent("console")[start:].decode()
        _echo, *lines, prompt = [ANSI.sub("", line) for line in text.split("\r\n")]
        assert prompt == "uart:~$ "
        return lines

    return say


@pytest.fixture
def add(run: Callable[[str], list[str]]) -> Callable[[int, str, str], list[str]]:
    """Write a credential as the installer does: base64 in pieces of 48 characters."""

    def write(tag: int, kind: str, text: str) -> list[str]:
        encoded = base64.b64encode(text.encode()).decode()
        run("cred buf clear")
        for piece in range(math.ceil(len(encoded) / 48)):
            chunk = encoded[piece * 48 : (piece + 1) * 48]
            assert run(f"cred buf {chunk}") == [f"Stored {len(chunk)} bytes."]
        return run(f"cred add {tag} {kind} DEFAULT bint")

    return write


def test_certificate(shell: Any, run: Any, add: Any, certificate: str) -> None:
    """Written, listed with the digest that counts its NUL, deleted; then there is none."""
    text = certificate.replace("\n", "\r\n")
    digest = base64.b64encode(hashlib.sha256(text.encode() + b"\0").digest()).decode()

    assert add(16842753, "CA", text)[0] == (
        f"Added TLS credential of type CA_CERT, sectag 16842753, and length {len(text) + 1} bytes."
    )
    assert run("cred list 16842753 CA") == [f"16842753,CA,{digest},0", "1 credentials found."]
    assert shell.call("tls_credentials") == {
        "credentials": [{"tag": 16842753, "type": "CA", "digest": digest, "size": len(text) + 1}],
        "keys": [],
    }
    assert run("cred del 16842753 CA") == ["Deleted TLS credential with sectag 16842753 and type CA_CERT."]
    assert run("cred del 16842753 CA") == [
        "There is no TLS credential with sectag 16842753 and type CA_CERT."
    ]
    assert run("cred list 16842753 CA") == ["0 credentials found."]


def test_one_credential_is_deleted(run: Any, add: Any) -> None:
    """What another slot holds stays: of the same tag, and of the same type."""
    for tag, kind in ((5, "CA"), (5, "PK"), (6, "CA")):
        add(tag, kind, "text")

    run("cred del 5 CA")

    assert [line.rsplit(",", 2)[0] for line in run("cred list")[:-1]] == ["5,PK", "6,CA"]


def test_store_of_its_own(shell: Any, run: Any, add: Any) -> None:
    """The modem's credentials and the shell's know nothing of each other."""
    before = shell.call("credentials")
    add(5, "SERV", "text")

    assert shell.call("credentials") == before
    assert "5,SERV" in run("cred list")[0]


def test_list_is_filtered(run: Any, add: Any) -> None:
    """All, those of a tag, those of a type, and any of either."""
    for tag, kind in ((5, "CA"), (5, "PK"), (6, "CA")):
        add(tag, kind, "text")

    assert [line.rsplit(",", 2)[0] for line in run("cred list")[:-1]] == ["5,CA", "5,PK", "6,CA"]
    assert run("cred list 5")[-1] == "2 credentials found."
    assert run("cred list any ca")[-1] == "2 credentials found."
    assert run("cred list ANY ANY")[-1] == "3 credentials found."
    assert run("cred list 7")[-1] == "0 credentials found."


@pytest.mark.parametrize(
    ("form", "typed", "content"),
    [("bin", "aGk=", b"hi"), ("BINT", "aGk=", b"hi\0"), ("str", "aGk=", b"aGk="), ("strt", "aGk", b"aGk\0")],
)
def test_forms(run: Any, form: str, typed: str, content: bytes) -> None:
    """Text or base64, with a NUL or without; the credential may stand in the command itself."""
    assert "Added" in run(f"cred add 5 PSK default {form} {typed}")[0]

    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert run("cred list 5 PSK")[0] == f"5,PSK,{digest},0"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("cred add x CA DEFAULT bint aGk=", "x is not a valid sectag."),
        ("cred add 4294967296 CA DEFAULT bint aGk=", "4294967296 is not a valid sectag."),
        ("cred add 5 KEY DEFAULT bint aGk=", "KEY is not a valid credential type."),
        ("cred add 5 CA FLASH bint aGk=", "FLASH is not a valid backend."),
        ("cred add 5 CA DEFAULT pem aGk=", "pem is not a valid storage format."),
        ("cred add 5 CA DEFAULT bint", "Please provide a credential to add."),
        ("cred add 5 CA DEFAULT bint a!k=", "Could not decode input from base64, error: -22"),
        ("cred del 5 KEY", "KEY is not a valid credential type."),
        ("cred list x", "x is not a valid sectag."),
        ("nrf_cloud_cred keygen x", "x is not a valid sectag."),
        ("nrf_cloud_cred delete x", "x is not a valid sectag."),
        ("nrf_cloud_cred csr x", "x is not a valid sectag."),
        ("nrf_cloud_cred pubkey x", "x is not a valid sectag."),
    ],
)
def test_refusals(shell: Any, run: Any, command: str, text: str) -> None:
    """What does not fit is said, and nothing is stored."""
    assert text in run(command)
    assert shell.call("tls_credentials") == {"credentials": [], "keys": []}


def test_occupied_slot(run: Any, add: Any) -> None:
    """A credential is not overwritten: it has to be deleted first."""
    add(5, "CA", "old")
    before = run("cred list")

    assert add(5, "CA", "new")[0] == "TLS credential with sectag 5 and type CA_CERT already exists."
    assert run("cred list") == before


def test_store_that_is_full(run: Any) -> None:
    """There is an end to the slots."""
    for tag in range(32):
        assert "Added" in run(f"cred add {tag} PSK DEFAULT str x")[0]
    assert run("cred add 99 PSK DEFAULT str x")[0].startswith("Failed to add")


def test_buffer_that_is_full(run: Any) -> None:
    """What does not fit throws away what was there."""
    for _piece in range(4):
        assert run(f"cred buf {'A' * 1000}") == ["Stored 1000 bytes."]
    assert run(f"cred buf {'A' * 1000}") == [
        "Not enough room in credential buffer for provided data.",
        "Credential buffer cleared.",
    ]
    assert run("cred add 5 CA DEFAULT bint") == ["Please provide a credential to add."]


def test_buffer_is_empty_behind_a_write(run: Any) -> None:
    """What was stored, or could not be, is not stored a second time by the next command."""
    run("cred buf aGk=")
    assert "Added" in run("cred add 5 CA DEFAULT bint")[0]
    assert run("cred add 6 CA DEFAULT bint") == ["Please provide a credential to add."]
    run("cred buf aGk=")
    assert "already exists" in run("cred add 5 CA DEFAULT bint")[0]
    assert run("cred add 6 CA DEFAULT bint") == ["Please provide a credential to add."]


def test_buffer_without_power(shell: Any, run: Any, add: Any) -> None:
    """What was buffered is lost with the power; what was stored is not."""
    add(5, "CA", "kept")
    run("nrf_cloud_cred keygen 5")
    run("cred buf aGk=")
    shell.power_off()
    shell.power_on()

    assert run("cred add 6 CA DEFAULT bint") == ["Please provide a credential to add."]
    assert run("cred list")[-1] == "1 credentials found."
    assert shell.call("tls_credentials")["keys"] == [5]


def test_device_key(shell: Any, run: Any, openssl: Any, tmp_path: Any) -> None:
    """Made once, its request is signed by it and names what was asked for, its point is the request's."""
    assert run("nrf_cloud_cred csr 16842753")[0].startswith("CSR generation failed")
    assert run("nrf_cloud_cred pubkey 16842753")[0].startswith("Public key export failed")
    assert run("nrf_cloud_cred delete 16842753")[0].startswith("Key deletion failed")
    assert run("nrf_cloud_cred keygen 16842753")[0].startswith("Generated device key")
    assert "already exists" in run("nrf_cloud_cred keygen 16842753")[0]

    line, end = run('nrf_cloud_cred csr 16842753 "CN=device 1,O=Acme"')
    point_line, point_end = run("nrf_cloud_cred pubkey 16842753")

    assert (end, point_end) == ("CSR generation complete", "Public key export complete")
    request = base64.b64decode(line.removeprefix("CSR: "), validate=True)
    point = base64.b64decode(point_line.removeprefix("PUBKEY: "), validate=True)
    assert len(point) == 65
    assert point in request
    text = openssl.run("req", "-inform", "DER", "-noout", "-subject", "-verify", data=request)
    assert "CN = device 1, O = Acme" in text
    uuid = shell.call("factory_record")["uuid"]
    request = base64.b64decode(run("nrf_cloud_cred csr 16842753")[0].removeprefix("CSR: "))
    assert f"CN = {uuid}" in openssl.run("req", "-inform", "DER", "-noout", "-subject", data=request)
    assert run("nrf_cloud_cred csr 16842753 X=1")[0].startswith("CSR generation failed")
    assert run("nrf_cloud_cred delete 16842753")[0].startswith("Deleted device key")
    assert shell.call("tls_credentials")["keys"] == []


def test_power_goes_in_a_write(shell: Any, run: Any) -> None:
    """Before the flash is written the old content is there whole, after it the new one."""
    for point, kept in (("before flash", []), ("after flash", [7])):
        shell.call("arm_power_cut", point=point)
        shell.type(b"nrf_cloud_cred keygen 7\r")
        assert shell.call("tls_credentials")["keys"] == kept
        shell.power_on()
    assert ["before flash", "device key 7 written"] in [list(each) for each in shell.call("passed_points")]
