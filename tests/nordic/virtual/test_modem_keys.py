"""Tokens, keys and JWTs of the modem (nrfcloud fact sheet, sections 5.2, 5.3 and 5.5)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


CME = "+CME ERROR: {}\r\n"


def value(reply: str) -> str:
    """Return the quoted text of a one-line answer."""
    match = re.fullmatch(r'%\w+: "([^"]*)"\r\nOK\r\n', reply)
    assert match is not None, reply
    return match[1]


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
        ('AT%KEYGEN=5,2,0,"CN=\udca2"', 50),  # bytes that are no text, as a serial line may bring them
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


def test_jwt_with_time(make_board: Any, unpack: Any) -> None:
    """``iat`` is the modem's time and ``exp`` the life later; subject and audience as given."""
    board = make_board(boot_mode=4)  # without a network, which would give its own time
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
