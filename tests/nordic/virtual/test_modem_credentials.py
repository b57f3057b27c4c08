"""The modem's credential store (nrfcloud fact sheet, section 5.4)."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


CME = "+CME ERROR: {}\r\n"

RESERVED = re.compile(
    r'%CMNG: 4294967292,11,"[0-9A-F]{64}"\r\n'
    r'%CMNG: 4294967293,10,"[0-9A-F]{64}"\r\n'
    r'%CMNG: 4294967294,6,"[0-9A-F]{64}"\r\nOK\r\n'
)


def test_empty_board_lists_the_three_reserved_entries(board: Any) -> None:
    """Listing is allowed while the modem is active; the type 6 digest is that of the identity key."""
    listing = board.at("AT%CMNG=1")

    assert RESERVED.fullmatch(listing)
    point = bytes.fromhex(board.call("factory_record")["public_key"])
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point
    digest = hashlib.sha256(spki).hexdigest().upper()
    assert board.at("AT%CMNG=1,4294967294,6") == f'%CMNG: 4294967294,6,"{digest}"\r\nOK\r\n'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_certificate(board: Any, certificate: str, end: str) -> None:
    """What was written is listed by the SHA-256 of exactly that text, and can be read."""
    text = certificate.replace("\n", end)
    digest = hashlib.sha256(text.encode()).hexdigest().upper()
    board.offline()

    assert board.at(f'AT%CMNG=0,5,0,"{text}"') == "OK\r\n"

    entry = f'%CMNG: 5,0,"{digest}"\r\nOK\r\n'
    assert board.at("AT%CMNG=1,5") == entry
    assert board.at("AT%CMNG=1, 5, 0") == entry
    assert board.at("AT%CMNG=2,5,0") == f'%CMNG: 5,0,"{digest}","{text}"\r\nOK\r\n'
    assert entry[:-4] in board.at("AT%CMNG=1")
    assert board.at("AT%CMNG=1,6") == board.at("AT%CMNG=1,5,1") == "OK\r\n"


def test_overwriting_and_deleting(board: Any) -> None:
    """Writing again replaces, deleting empties, and deleting again is 513."""
    board.offline()
    for secret in ("00", "ff00"):
        assert board.at(f'AT%CMNG=0,7,3,"{secret}"') == "OK\r\n"

    digest = hashlib.sha256(b"ff00").hexdigest().upper()
    assert board.at("AT%CMNG=1,7") == f'%CMNG: 7,3,"{digest}"\r\nOK\r\n'
    assert board.at("AT%CMNG=3,7,3") == "OK\r\n"
    assert board.at("AT%CMNG=3,7,3") == CME.format(513)
    assert board.at("AT%CMNG=1,7") == "OK\r\n"


def in_der(pem: str, old: str, new: str) -> str:
    """Replace bytes, given in hex, in the DER of a PEM certificate."""
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    assert der.count(bytes.fromhex(old)) == 1
    text = base64.encodebytes(der.replace(bytes.fromhex(old), bytes.fromhex(new))).decode()
    lines = [text.replace("\n", "")[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *filter(None, lines), "-----END CERTIFICATE-----"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda pem: "no certificate at all",
        lambda pem: pem.replace("\n", "\\n"),
        lambda pem: pem.replace("\n", ""),
        lambda pem: pem.replace("\n", "\r"),
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem[:-1],
        lambda pem: pem.replace("CERTIFICATE", "RSA PRIVATE KEY"),
        lambda pem: pem + "\n-----BEGIN CERTIFICATE-----\nAA==",
        lambda pem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
        lambda pem: pem[:27] + "\n" + pem[28:].replace("\n", "", 2),
        lambda pem: pem[:40] + "=" + pem[41:],
        lambda pem: in_der(pem, "a003020102", "a003020132"),  # version 51
    ],
)
@pytest.mark.parametrize("kind", [0, 1])
def test_bad_certificate(board: Any, certificate: str, damage: Callable[[str], str], kind: int) -> None:
    """Firmware from 2.0.2 on refuses with 527 what users get wrong, and keeps nothing of it."""
    board.offline()

    assert board.at(f'AT%CMNG=0,5,{kind},"{damage(certificate)}"') == CME.format(527)
    assert board.at("AT%CMNG=1,5") == "OK\r\n"


def test_older_firmware_takes_any_certificate(make_board: Callable[..., Any]) -> None:
    """The nRF9160's firmware does not look into certificates."""
    board = make_board("nrf9160dk-virtual")
    board.offline()

    assert board.at('AT%CMNG=0,5,0,"anything"') == "OK\r\n"


def test_two_certificates_in_one_entry(board: Any, certificate: str) -> None:
    """The client sends two CAs joined by an empty line."""
    board.offline()

    assert board.at(f'AT%CMNG=0,5,0,"{certificate}\n\n{certificate}\n"') == "OK\r\n"


def test_memory_full(make_board: Callable[..., Any], certificate: str) -> None:
    """What does not fit is 515; replacing needs room for the difference only, deleting makes room."""
    board = make_board(capacity=len(certificate) + 100)
    board.offline()
    write = f'AT%CMNG=0,{{}},0,"{certificate}"'

    assert board.at(write.format(5)) == "OK\r\n"
    assert board.at(write.format(6)) == CME.format(515)
    assert board.at("AT%KEYGEN=7,2,0") == CME.format(515)
    assert board.at(write.format(5)) == "OK\r\n"
    assert board.at("AT%CMNG=3,5,0") == "OK\r\n"
    assert board.at(write.format(6)) == "OK\r\n"
    board.call("set_capacity", size=0)
    assert board.at('AT%CMNG=0,9,3,"00"') == CME.format(515)


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("AT%CMNG=9", 50),
        ("AT%CMNG=x", 50),
        ('AT%CMNG="0"', 50),
        ("AT%CMNG=", 51),
        ("AT%CMNG=0", 51),
        ("AT%CMNG=0,5,3", 51),
        ('AT%CMNG=0,5,3,""', 50),
        ("AT%CMNG=0,5,3,00", 50),
        ('AT%CMNG=0,5,3,"no hex"', 50),
        ('AT%CMNG=0,5,3,"00 11"', 50),
        ('AT%CMNG=0,5,12,"x"', 50),
        ('AT%CMNG=0,2147483648,3,"00"', 50),
        ('AT%CMNG=0,5,3,"00","pw","more"', 50),
        ('AT%CMNG=0,5,6,"x"', 514),
        ('AT%CMNG=0,5,8,"x"', 514),
        ('AT%CMNG=0,5,11,"x"', 514),
        ("AT%CMNG=1,,2", 50),
        ("AT%CMNG=1,5,12", 50),
        ("AT%CMNG=2,5,0", 513),
        ("AT%CMNG=2,4294967294,6", 514),
        ("AT%CMNG=2", 51),
        ("AT%CMNG=3,5,0", 513),
        ("AT%CMNG=3,4294967294,6", 514),
        ("AT%CMNG=3,4294967293,10", 514),
        ("AT%CMNG=3,4294967292,11", 514),
        ("AT%CMNG=3,5", 51),
        ("AT+CGSN=4", 50),
        ("AT+CEREG=6", 50),
    ],
)
def test_errors_of_commands(board: Any, command: str, number: int) -> None:
    """Each misuse has its number, and nothing is changed by it."""
    board.offline()

    assert board.at(command) == CME.format(number)
    assert RESERVED.fullmatch(board.at("AT%CMNG=1"))


@pytest.mark.parametrize(
    "write", ['AT%CMNG=0,5,3,"00ff"', 'AT%CMNG=0,5,2,"some key"', "AT%KEYGEN=5,2,0", "AT%KEYGEN=5,8,0"]
)
def test_secrets_cannot_be_read(board: Any, write: str) -> None:
    """Private keys and pre-shared keys are listed but never read (514)."""
    board.offline()
    assert board.at(write).endswith("OK\r\n")
    kind = re.match(r"%CMNG: 5,(\d+)", board.at("AT%CMNG=1,5"))
    assert kind is not None

    assert board.at(f"AT%CMNG=2,5,{kind[1]}") == CME.format(514)


def test_credentials_outlive_a_power_cycle_and_modes_do_not(board: Any) -> None:
    """Entries stay without power; error numbers, functional mode and time do not."""
    board.offline()
    board.at('AT%CMNG=0,5,4,"identity"')
    listing = board.at("AT%CMNG=1")
    board.power_off()
    board.type(b"AT\r")
    board.power_on()

    assert board.at("AT%CMNG=1") == listing
    assert board.at("AT+CMEE?") == "+CMEE: 0\r\nOK\r\n"
    assert board.at("AT+CFUN?") == "+CFUN: 1\r\nOK\r\n"
    assert board.host.sent("console") == b"Ready\r\n" * 2
