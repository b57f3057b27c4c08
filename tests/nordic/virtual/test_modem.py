"""The AT commands of nrfcloud fact sheet, section 5, with their replies and errors."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_nordic.virtual.modem import Modem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CME = "+CME ERROR: {}\r\n"


def value(reply: str) -> str:
    """Return the quoted text of a one-line answer."""
    match = re.fullmatch(r'%\w+: "([^"]*)"\r\nOK\r\n', reply)
    assert match is not None, reply
    return match[1]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("AT", "OK\r\n"),
        ("AT+CGSN", "359404230000003\r\nOK\r\n"),
        ("AT+CGSN=0", '+CGSN: "359404230000003"\r\nOK\r\n'),
        ("AT+CGSN=1", '+CGSN: "359404230000003"\r\nOK\r\n'),
        ("AT+CGSN=2", '+CGSN: "3594042300000001"\r\nOK\r\n'),
        ("AT+CGSN=3", '+CGSN: "01"\r\nOK\r\n'),
        ("AT+CGMI", "Nordic Semiconductor ASA\r\nOK\r\n"),
        ("AT+CGMM", "nRF9151-LACA\r\nOK\r\n"),
        ("AT+CGMR", "mfw_nrf91x1_2.0.2\r\nOK\r\n"),
        ("AT%SHORTSWVER", "%SHORTSWVER: nrf91x1_2.0.2\r\nOK\r\n"),
        ("AT%HWVERSION", "%HWVERSION: nRF9151 LACA ADA\r\nOK\r\n"),
        ("AT%HWVERSION?", "ERROR\r\n"),
        ("AT%XMODEMUUID", "%XMODEMUUID: 25c95751-efa4-40d4-8b4a-1dcaab81fac9\r\nOK\r\n"),
        ("AT+CMEE?", "+CMEE: 0\r\nOK\r\n"),
        ("AT+CFUN?", "+CFUN: 1\r\nOK\r\n"),
        ("AT#XNRFPROV=?", "#XNRFPROV\r\nOK\r\n"),
    ],
)
def test_identification(board: Any, command: str, reply: str) -> None:
    """What the modem says of itself after power-on, to the byte."""
    assert board.at(command) == reply


@pytest.mark.parametrize(
    ("kind", "model", "firmware"),
    [
        ("nrf9160dk-virtual", "nRF9160-SICA", "mfw_nrf9160_1.3.7"),
        ("nrf9161dk-virtual", "nRF9161-LACA", "mfw_nrf91x1_2.0.2"),
        ("nrf9131ek-virtual", "nRF9131-LACA", "mfw_nrf91x1_2.0.2"),
        ("thingy91-virtual", "nRF9160-SICA", "mfw_nrf9160_1.3.7"),
        ("thingy91x-virtual", "nRF9151-LACA", "mfw_nrf91x1_2.0.2"),
    ],
)
def test_kinds(make_board: Callable[..., Any], kind: str, model: str, firmware: str) -> None:
    """Each kind has its chip and firmware."""
    board = make_board(kind)

    assert board.at("AT+CGMM") == f"{model}\r\nOK\r\n"
    assert board.at("AT+CGMR") == f"{firmware}\r\nOK\r\n"
    assert board.board.describe()["model"] == model


def test_device_uuid(board: Any) -> None:
    """The UUID is that of the inventory, without quotes."""
    assert board.at("AT%DEVICEUUID") == f"%DEVICEUUID: {board.board.describe()['uuid']}\r\nOK\r\n"


@pytest.mark.parametrize(
    "command",
    [
        "kernel reboot warm",
        "AT+NOSUCH",
        "AT+NOSUCH=1",
        "AT+CGMM=1",
        "AT+CGSN?",
        "AT+CMEE",
        "AT+CFUN",
        "AT+CEREG",
        "AT?",
        "AT%CCLK",
        "AT+CCLK",
        "AT%ATTESTTOKEN?",
        "AT%KEYGEN?",
        "AT%CMNG?",
        "AT%JWT?",
        "AT#XNRFPROV=1",
        "AT#XNRFPROV?",
    ],
)
def test_unknown_and_ill_formed_commands(board: Any, command: str) -> None:
    """They are a plain ERROR, also when error numbers are on."""
    assert board.at(command) == "ERROR\r\n"
    board.at("AT+CMEE=1")
    assert board.at(command) == "ERROR\r\n"


def test_error_numbers_can_be_switched(board: Any) -> None:
    """``+CMEE`` decides between number and plain error."""
    assert board.at("AT%CMNG=3,1,0") == "ERROR\r\n"
    assert board.at("AT+CMEE=1") == "OK\r\n"
    assert board.at("AT+CMEE?") == "+CMEE: 1\r\nOK\r\n"
    assert board.at("AT+CMEE=2") == CME.format(50)
    assert board.at("AT%CMNG=3,1,0") == CME.format(518)
    assert board.at("AT+CMEE=0") == "OK\r\n"
    assert board.at("AT%CMNG=3,1,0") == "ERROR\r\n"


@pytest.mark.parametrize(
    ("modes", "shown", "locked"),
    [
        ((0,), 0, False),
        ((4,), 4, False),
        ((1,), 1, True),
        ((4, 21), 1, True),
        ((4, 31), 31, True),
        ((1, 20), 31, True),
        ((1, 30), 1, True),
        ((1, 20, 30), 0, False),
        ((4, 21, 20), 4, False),
    ],
)
def test_functional_modes(board: Any, modes: tuple[int, ...], shown: int, *, locked: bool) -> None:
    """LTE and GNSS can be switched apart; while either runs, credentials are locked (error 518)."""
    board.at("AT+CMEE=1")
    for mode in modes:
        assert board.at(f"AT+CFUN={mode}") == "OK\r\n"

    assert board.at("AT+CFUN?") == f"+CFUN: {shown}\r\nOK\r\n"
    for command in ('AT%CMNG=0,5,3,"00ff"', "AT%CMNG=3,5,3", "AT%KEYGEN=5,2,0"):
        assert (board.at(command) == CME.format(518)) is locked


def test_unknown_functional_mode(board: Any) -> None:
    """A mode that does not exist is a bad parameter."""
    board.at("AT+CMEE=1")

    assert board.at("AT+CFUN=7") == CME.format(50)


# -- clock --------------------------------------------------------------------------------------------------


def test_network_gives_the_time(make_board: Callable[..., Any]) -> None:
    """After registration the clock runs."""
    board = make_board(boot_mode=4)
    assert board.at("AT%CCLK?") == "ERROR\r\n"
    assert board.at("AT+CCLK?") == "ERROR\r\n"
    board.at("AT+CEREG=1")

    board.at("AT+CFUN=1")
    board.host.wait_sent("console", b"\r\n+CEREG: 1\r\n")

    assert re.fullmatch(r'%CCLK: "\d\d/\d\d/\d\d,\d\d:\d\d:\d\d\+00",0\r\nOK\r\n', board.at("AT%CCLK?"))


def test_network_that_does_not_give_the_time(make_board: Callable[..., Any]) -> None:
    """A registration may leave the modem without time."""
    board = make_board(boot_mode=4)
    board.call("network_time", on=False)
    board.at("AT+CEREG=1")

    board.at("AT+CFUN=1")
    board.host.wait_sent("console", b"+CEREG: 1\r\n")

    assert board.at("AT%CCLK?") == "ERROR\r\n"


@pytest.mark.parametrize("text", ["26/11/21,05:18:49+00", "24/02/29,23:59:58-08", "24/02/29,00:00:00+56"])
def test_clock_set_by_hand(make_board: Callable[..., Any], text: str) -> None:
    """``+CCLK`` sets the clock, and both commands show it with its zone."""
    board = make_board(boot_mode=4)

    assert board.at(f'AT+CCLK="{text}"') == "OK\r\n"

    assert board.at("AT%CCLK?").startswith(f'%CCLK: "{text[:15]}')
    assert board.at("AT+CCLK?")[25:28] == text[-3:]
    token = value(board.at('AT%JWT=0,300,"",""'))
    assert token.count(".") == 2


def test_clock_of_a_control_call(make_board: Callable[..., Any]) -> None:
    """A test sets a Unix time or takes the time away; 1700000000 is 2023-11-14 22:13:20 UTC."""
    board = make_board(boot_mode=4)

    board.call("set_clock", seconds=1700000000)
    assert board.at("AT%CCLK?")[:23] == '%CCLK: "23/11/14,22:13:'
    board.call("set_clock", seconds=None)
    assert board.at("AT%CCLK?") == "ERROR\r\n"


@pytest.mark.parametrize(
    "text", ["", "26/13/21,05:18:49+00", "26/11/21,05:18:49", "26/11/21,05:18:49+57", "nonsense"]
)
def test_unfit_time(board: Any, text: str) -> None:
    """What is no time is a bad parameter."""
    board.at("AT+CMEE=1")

    assert board.at(f'AT+CCLK="{text}"') == CME.format(50)


def test_registration_reports(make_board: Callable[..., Any]) -> None:
    """``+CEREG`` is asked and told: searching, registered, gone."""
    board = make_board(boot_mode=4)
    assert board.at("AT+CEREG?") == "+CEREG: 0,0\r\nOK\r\n"
    board.at("AT+CEREG=1")

    board.at("AT+CFUN=1")
    board.host.wait_sent("console", b"+CEREG: 1\r\n")
    board.at("AT+CFUN=4")

    assert board.host.sent("console").endswith(b"\r\n+CEREG: 2\r\n\r\n+CEREG: 1\r\n\r\n+CEREG: 0\r\n")


# -- credentials --------------------------------------------------------------------------------------------


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


# -- keys and tokens ----------------------------------------------------------------------------------------


def test_attestation_token_and_challenge(board: Any, unpack: Any) -> None:
    """The challenge becomes the nonce; without one it is random; the body names board and firmware."""
    challenge = "00112233445566778899aabbccddeeff"
    body = unpack(value(board.at(f'AT%ATTESTTOKEN="{challenge}"')).split(".")[0]).hex()
    uuid = board.board.describe()["uuid"].replace("-", "")

    assert body == f"d9d9f7850150{uuid}065025c95751efa440d48b4a1dcaab81fac950{challenge}"
    first, second = (value(board.at("AT%ATTESTTOKEN")).split(".")[0] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    "challenge", ["", "00", "zz" * 16, "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff"]
)
def test_unfit_challenge(board: Any, challenge: str) -> None:
    """A challenge is 32 hexadecimal digits."""
    board.at("AT+CMEE=1")

    assert board.at(f'AT%ATTESTTOKEN="{challenge}"') == CME.format(50)


@pytest.mark.parametrize(
    ("arguments", "subject", "usage"),
    [
        (
            ",0",
            "Subject: CN = {uuid}",
            "Digital Signature, Non Repudiation, Key Encipherment, Key Agreement",
        ),
        (',0,"CN=x","101010000"', "Subject: CN = x", "Digital Signature, Key Encipherment, Key Agreement"),
        (
            ',,"CN=a\\,b,O=Org,OU=Unit,L=Oslo,ST=Oslo,C=NO,emailAddress=a@b"',
            'Subject: CN = "a,b", O = Org, OU = Unit, L = Oslo, ST = Oslo, C = NO, emailAddress = a@b',
            "Digital Signature, Non Repudiation, Key Encipherment, Key Agreement",
        ),
        (',0,"O=x","000000001"', "Subject: O = x", "Decipher Only"),
    ],
)
def test_signing_request(
    board: Any, arguments: str, subject: str, usage: str, openssl: Any, unpack: Any, tmp_path: Path
) -> None:
    """OpenSSL verifies the request and reads subject and key usage as they were asked for."""
    board.offline()
    body, _cose = value(board.at(f"AT%KEYGEN=5,2{arguments}")).split(".")
    (tmp_path / "request.der").write_bytes(unpack(body))

    said = openssl.run(
        "req", "-in", str(tmp_path / "request.der"), "-inform", "DER", "-verify", "-text", "-noout"
    )

    assert "verify OK" in said
    assert subject.format(uuid=board.board.describe()["uuid"]) in said
    assert re.search(r"X509v3 Key Usage: ?\n\s+(.*)\n", said)[1] == usage  # type: ignore[index] # it is there
    assert "NIST CURVE: P-256" in said
    assert "ecdsa-with-SHA256" in said


def test_empty_key_usage(board: Any, unpack: Any) -> None:
    """Nine zeros are a key usage too: an empty bit string (DER 03 01 00)."""
    board.offline()

    body = value(board.at('AT%KEYGEN=5,2,0,"","000000000"')).split(".")[0]

    assert "0603551d0f0403030100" in unpack(body).hex()


def test_generated_key_signs(board: Any, openssl: Any, unpack: Any, tmp_path: Path) -> None:
    """The exported public key verifies both the COSE half of the board and JWTs of the new key."""
    board.offline()
    body, cose = (unpack(half) for half in value(board.at("AT%KEYGEN=5,2,1")).split("."))
    header, claims, signature = value(board.at("AT%JWT=0,0,,,5,2")).split(".")

    assert len(body) == 91
    assert json.loads(unpack(header))["kid"] == hashlib.sha256(body).hexdigest()
    assert openssl.verifies(tmp_path, body, unpack(signature), f"{header}.{claims}".encode())
    identity = openssl.point_to_der(bytes.fromhex(board.call("factory_record")["public_key"]))
    payload = cose[cose.index(bytes.fromhex("d9d9f7")) : -66]
    signed = (
        bytes.fromhex("846a5369676e61747572653143a10126585b") + body + bytes([0x58, len(payload)]) + payload
    )
    assert openssl.verifies(tmp_path, identity, cose[-64:], signed)


def test_occupied_key_slot(board: Any) -> None:
    """A second key under a tag is 519, as is writing over a generated key; the first key stays."""
    board.offline()
    board.at("AT%KEYGEN=5,2,1")
    before = board.at("AT%CMNG=1,5")

    assert board.at("AT%KEYGEN=5,2,1") == CME.format(519)
    assert board.at('AT%CMNG=0,5,2,"key"') == CME.format(519)
    assert board.at("AT%CMNG=1,5") == before
    assert board.at("AT%CMNG=3,5,2") == "OK\r\n"
    assert board.at("AT%KEYGEN=5,2,1").endswith("OK\r\n")


def test_endorsement_key_is_reported_again(board: Any) -> None:
    """Type 8 gives the existing key instead of 519."""
    board.offline()

    first = value(board.at("AT%KEYGEN=5,8,1")).split(".")[0]
    second = value(board.at("AT%KEYGEN=5,8,1")).split(".")[0]

    assert first == second
    assert value(board.at("AT%JWT=0,0,,,5,8")).count(".") == 2


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("AT%KEYGEN=", 51),
        ("AT%KEYGEN=5", 51),
        ("AT%KEYGEN=5,3", 50),
        ("AT%KEYGEN=5,99", 50),
        ("AT%KEYGEN=5,2,2", 50),
        ("AT%KEYGEN=5,2,0,x", 50),
        ('AT%KEYGEN=5,2,0,"XX=1"', 50),
        ('AT%KEYGEN=5,2,0,"CN="', 50),
        ('AT%KEYGEN=5,2,0,"C=NOR"', 50),
        ('AT%KEYGEN=5,2,0,"CN=x","1010"', 50),
        ('AT%KEYGEN=5,2,0,"CN=x","10101000x"', 50),
        ('AT%KEYGEN=5,2,0,"CN=x","101010000",1', 50),
        ("AT%JWT=1", 50),
        ("AT%JWT=0,604801", 50),
        ("AT%JWT=0,0,x", 50),
        ("AT%JWT=0,0,,,5", 51),
        ("AT%JWT=0,0,,,,2", 51),
        ("AT%JWT=0,0,,,5,3", 50),
        ("AT%JWT=0,0,,,5,2", 513),
        ("AT%JWT=0,0,,,5,2,1", 50),
    ],
)
def test_errors_of_keys_and_jwts(board: Any, command: str, number: int) -> None:
    """Each misuse has its number, and no key is left behind."""
    board.offline()

    assert board.at(command) == CME.format(number)
    assert board.at("AT%CMNG=1,5") == "OK\r\n"


def test_jwt_without_time(make_board: Callable[..., Any]) -> None:
    """With an expiry and without time it is 525; without expiry there are no times in it."""
    board = make_board(boot_mode=4)
    board.at("AT+CMEE=1")

    assert board.at('AT%JWT=0,300,"",""') == CME.format(525)
    assert value(board.at("AT%JWT")).count(".") == 2


def test_jwt_with_time(board: Any, unpack: Any) -> None:
    """``iat`` is the modem's time and ``exp`` the life later; subject and audience as given."""
    board.call("set_clock", seconds=1700000000)

    claims = json.loads(unpack(value(board.at('AT%JWT=0,60,"me","you"')).split(".")[1]))

    assert 1700000000 <= claims["iat"] <= 1700000005
    assert claims["exp"] == claims["iat"] + 60
    assert (claims["sub"], claims["aud"]) == ("me", "you")
    assert claims["iss"] == f"nRF9151.{board.board.describe()['uuid']}"


def test_key_that_was_written_signs(board: Any, openssl: Any, unpack: Any, tmp_path: Path) -> None:
    """A P-256 key in PEM form signs JWTs, with a password too; any other text is kept and cannot (514)."""
    made = openssl.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    public = tmp_path / "public.der"
    openssl.run("pkey", "-pubout", "-outform", "DER", "-out", str(public), data=made.encode())
    locked = openssl.run("pkcs8", "-topk8", "-passout", "pass:open", data=made.encode())
    rsa = openssl.run("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    other = openssl.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
    board.offline()
    for tag, content in enumerate(
        (f'"{made}"', f'"{locked}","open"', f'"{locked}"', f'"{rsa}"', f'"{other}"')
    ):
        assert board.at(f"AT%CMNG=0,{tag},2,{content}") == "OK\r\n"

    for tag in (0, 1):
        signed, _, signature = value(board.at(f"AT%JWT=0,0,,,{tag},2")).rpartition(".")
        assert openssl.verifies(tmp_path, public.read_bytes(), unpack(signature), signed.encode())
    for tag in (2, 3, 4):
        assert board.at(f"AT%JWT=0,0,,,{tag},2") == CME.format(514)


# -- faults and any input ----------------------------------------------------------------------------------


def test_faults(board: Any) -> None:
    """A fault meets the commands that begin with its text, as often as was said, and then no more."""
    board.at("AT+CMEE=1")
    board.call("fail_next", command="at%cmng=1", outcome=515, times=2)
    board.call("fail_next", command="AT+CGSN", outcome="error")

    assert board.at("AT%CMNG=1,5") == CME.format(515)
    assert board.at("AT+CGMM") == "nRF9151-LACA\r\nOK\r\n"
    assert board.at("AT%CMNG=1") == CME.format(515)
    assert board.at("AT%CMNG=1,5") == "OK\r\n"
    assert board.at("AT+CGSN") == "ERROR\r\n"
    assert board.at("AT+CGSN") == "359404230000003\r\nOK\r\n"


def test_silence(board: Any) -> None:
    """A silent modem says nothing at all, and answers again afterwards; faults can be called off."""
    board.call("fail_next", command="AT+CGMM", outcome="silent")
    board.call("fail_next", command="AT+CGMI", outcome="error", times=9)

    board.type(b"AT+CGMM\r")
    assert board.host.sent("console") == b"Ready\r\n"
    board.call("clear_faults")
    board.type(b"AT+CGMI\rAT+CGMM\r")
    expected = b"\nNordic Semiconductor ASA\r\nOK\r\n\nnRF9151-LACA\r\nOK\r\n"
    assert board.host.sent("console") == b"Ready\r\n" + expected


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("no_such_call", {}),
        ("_log", {}),
        ("call", {}),
        ("provision", {"now": True}),
        ("set_clock", {}),
        ("set_clock", {"seconds": "now"}),
        ("set_clock", {"seconds": 9e12}),
        ("fail_next", {"command": "AT", "outcome": "explode"}),
        ("fail_next", {"command": "AT", "outcome": True}),
        ("fail_next", {"command": "AT", "outcome": 1.5}),
        ("fail_next", {"command": "AT", "outcome": 513, "times": 0}),
        ("forge", {"what": "passport"}),
        ("forge", {"what": "token-signature", "times": -1}),
        ("set_service", {"url": "coaps://127.0.0.1"}),
        ("set_service", {"url": "http://"}),
        ("set_service", {"url": "http://127.0.0.1:1/v1"}),
        ("set_capacity", {"size": -1}),
        ("configure", {"service": "http://127.0.0.1"}),
        ("configure", {"rx_size": "large"}),
        ("configure", {"no_such": 1}),
    ],
)
def test_unfit_control_calls(board: Any, method: str, params: dict[str, Any]) -> None:
    """A control call that cannot be is a ValueError."""
    with pytest.raises(ValueError, match=r"\w"):
        board.call(method, **params)


def test_control_calls(board: Any) -> None:
    """Factory record, configuration and the listing of credentials."""
    record = board.call("factory_record")
    facts = board.board.describe()

    assert (record["uuid"], record["imei"], record["device_type"]) == (facts["uuid"], facts["imei"], 6)
    assert record["firmware_uuid"] == "25c95751-efa4-40d4-8b4a-1dcaab81fac9"
    assert re.fullmatch("04[0-9a-f]{128}", record["public_key"])
    board.call("configure", rx_size=1024, time_wait=1, lte_control="host")
    configuration = board.call("configuration")
    assert (configuration["rx_size"], configuration["time_wait"]) == (1024, 1.0)
    assert configuration["lte_control"] == "host"
    assert [entry["tag"] for entry in board.call("credentials")] == [4294967292, 4294967293, 4294967294]
    assert "content" not in board.call("credentials")[0]


@pytest.mark.parametrize("options", [{"colour": "white"}])
def test_unknown_option(make_board: Callable[..., Any], options: dict[str, Any]) -> None:
    """A board is not made with an option that nobody knows."""
    with pytest.raises(ValueError, match="unknown option 'colour'; known are"):
        make_board(**options)


def test_unknown_kind(make_board: Callable[..., Any]) -> None:
    """A kind that nobody knows is refused with the known ones."""
    with pytest.raises(ValueError, match="expected one of nrf9160dk-virtual"):
        make_board("nrf52840dk-virtual")


def test_every_board_has_a_key_of_its_own(make_board: Callable[..., Any]) -> None:
    """Two boards differ in UUID, key and IMEI."""
    first, second = (make_board(number=number).call("factory_record") for number in (0, 1))

    for field in ("uuid", "public_key", "imei"):
        assert first[field] != second[field]


@pytest.fixture(scope="module")
def lone_modem() -> Modem:
    """A modem without a host, for many commands."""
    from uuid import uuid4

    from harness_nordic.virtual import signing
    from harness_nordic.virtual.credentials import CredentialStore
    from harness_nordic.virtual.identity import DeviceIdentity
    from harness_nordic.virtual.kinds import NRF9151

    identity = DeviceIdentity(uuid=uuid4(), imei="359404230261381", key=signing.new_key(), chip=NRF9151)
    modem = Modem(identity, CredentialStore(identity))

    class Quiet:
        active = False
        mode = 4

        def set_mode(self, _mode: int) -> None:
            """Accept."""

        def set_reports(self, _level: int) -> None:
            """Accept."""

        def describe_registration(self) -> str:
            return "+CEREG: 0,0"

    modem.radio = Quiet()  # type: ignore[assignment] # all that the modem asks of it
    modem.error_numbers = True
    return modem


ARGUMENT = st.one_of(
    st.integers(0, 9).map(str), st.text(max_size=8).map(lambda text: f'"{text}"'), st.text(max_size=6)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(
        ["%CMNG", "%KEYGEN", "%JWT", "%ATTESTTOKEN", "+CFUN", "+CMEE", "+CGSN", "+CCLK", "+CEREG"]
    ),
    arguments=st.lists(ARGUMENT, max_size=7),
)
def test_any_arguments_are_answered(lone_modem: Modem, name: str, arguments: list[str]) -> None:
    """Whatever the arguments are, the answer ends with OK, ERROR or a number."""
    lone_modem.error_numbers = True

    reply = lone_modem.execute(f"AT{name}={','.join(arguments)}")

    assert reply is not None
    assert re.fullmatch(r"(?s)(.*\r\n)?(OK|ERROR|\+CME ERROR: \d+)\r\n", reply)


def test_forged_tokens(board: Any, openssl: Any, unpack: Any, tmp_path: Path) -> None:
    """As many tokens as were asked for are forged, then they are genuine again; forging can be called off."""
    identity = openssl.point_to_der(bytes.fromhex(board.call("factory_record")["public_key"]))
    board.call("forge", what="token-signature", times=2)
    verdicts = []
    for number in range(4):
        if number == 1:
            board.call("clear_faults")
        body, cose = (unpack(half) for half in value(board.at("AT%ATTESTTOKEN")).split("."))
        signed = bytes.fromhex("846a5369676e61747572653143a101265839") + body + b"\xf6"
        verdicts.append(openssl.verifies(tmp_path, identity, cose[-64:], signed))

    assert verdicts == [False, True, True, True]
