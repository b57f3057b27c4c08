"""Nordic's own parser reads what a virtual board signs; an authority of Nordic's own making signs for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.clients.material import openssl

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.transcripts import Transcript
    from tests.clients.world import ClientBoard, World

SEC_TAG = 16842753


def said(board: ClientBoard, reply: str) -> str:
    """Return what a board said in a reply, without its quotation marks."""
    line = b"".join(bytes.fromhex(data) for way, data in board.controls.call("line_traffic") if way == "<")
    found = re.search(rf'{reply}: "([^"]+)"', line.decode())
    assert found is not None
    return found[1]


def test_attestation_token(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """``modem_credentials_parser -a`` names device, chip and firmware as the factory does."""
    board = make_board()
    world.run("nrfcredstore", board.port, "attoken")
    ran = world.run("modem_credentials_parser", "-a", said(board, "%ATTESTTOKEN"), "--plain")

    assert ran.status == 0, ran.output
    for told in (board.uuid, board.record["firmware_uuid"], "Device identity message v1", "nRF9151 LACA"):
        assert told in ran.output
    assert "1 : -7 (ECDSA w/ SHA-256)" in ran.output
    assert "4 : -2 (identity_key)" in ran.output


def test_key_generation(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """``modem_credentials_parser -k`` finds the digest right, and writes the request and the key in it."""
    board = make_board()
    world.run("nrfcredstore", board.port, "generate", str(SEC_TAG), "csr.der")
    ran = world.run("modem_credentials_parser", "-k", said(board, "%KEYGEN"), "--save", "--plain")

    assert ran.status == 0, ran.output
    for told in (
        "COSE digest matches payload",
        "CSR_msg_v1",
        board.uuid,
        str(SEC_TAG),
        "4 : -2 (identity_key)",
    ):
        assert told in ran.output
    (written,) = world.directory.glob(f"{board.uuid}_{SEC_TAG}_csr.pem")
    checked = openssl("req", "-in", written.name, "-noout", "-verify", "-pubkey", directory=world.directory)
    (key,) = world.directory.glob(f"{board.uuid}_{SEC_TAG}_pub.pem")
    assert key.read_bytes().split() == checked.split()


def test_authority_of_nordics_making(
    world: World, make_board: Callable[..., ClientBoard], transcript: Transcript
) -> None:
    """What ``create_ca_cert`` makes signs the certificate that the installer writes to the board."""
    board = make_board()
    made = world.run("create_ca_cert", "--cn", "bench", "-f", "bench-")
    (key,) = world.directory.glob("bench-*_prv.pem")
    (certificate,) = world.directory.glob("bench-*_ca.pem")
    transcript.secret(key.read_text(), "private key of the authority")
    ran = world.run(
        "device_credentials_installer", "--port", board.port, "--ca", certificate.name, "--ca-key", key.name,
        "--verify", "--plain", "--save",
    )  # fmt: skip

    assert made.status == 0, made.output
    assert ran.status == 0, ran.output
    assert "Credential verification: PASS" in ran.output
    (device,) = world.directory.glob("*_crt.pem")
    openssl("verify", "-CAfile", certificate.name, device.name, directory=world.directory)
