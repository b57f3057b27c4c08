"""device_credentials_installer: credentials by AT and by the credential shells (sections 6.3 and 7.3)."""

from __future__ import annotations

import base64
import csv
import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.clients.material import digest, make_authority, openssl

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.client import NrfCloudClient
    from tests.clients.transcripts import Transcript
    from tests.clients.world import ClientBoard, Ran, World

INSTALLER = "device_credentials_installer"
SEC_TAG = 16842753
FIRST_TAG = 4711


def install(world: World, board: ClientBoard, *more: str, tag: int = SEC_TAG) -> Ran:
    """Run the installer with an authority of the test's own."""
    if not (world.directory / "authority.pem").exists():
        make_authority(world.directory)
    return world.run(
        INSTALLER, "--port", board.port, "--ca", "authority.pem", "--ca-key", "authority-key.pem",
        "--sectag", str(tag), "--plain", *more,
    )  # fmt: skip


def onboarding_row(world: World) -> list[str]:
    """Return the row that the installer wrote for nrf_cloud_onboard."""
    with (world.directory / "onboard.csv").open(newline="") as file:
        (row,) = csv.reader(file)
    return row


def test_install_and_verify(world: World, board: ClientBoard) -> None:
    """The key is made on the board; the modem's digests fit what was written, with CRLF (section 7.3)."""
    ran = install(world, board, "-d", "--verify", "--tags", "blue", "--subtype", "bench")

    assert ran.status == 0, ran.output
    assert "Credential verification: PASS" in ran.output
    device_id, sub_type, tags, firmware_types, certificate = onboarding_row(world)
    assert (device_id, sub_type, tags, firmware_types) == (board.uuid, "bench", "blue", "APP|MODEM")
    (world.directory / "device.pem").write_text(certificate)
    openssl("verify", "-CAfile", "authority.pem", "device.pem", directory=world.directory)
    held = board.digests(SEC_TAG)
    assert set(held) == {0, 1, 2}
    assert held[1] == digest(certificate, "\r\n").upper()
    # 1188 characters in 20 lines as the tool has them, 20 more with CRLF (section 1).
    sizes = {entry["type"]: entry["size"] for entry in board.controls.call("credentials")}
    assert sizes[0] == 1188 + 20


def test_install_and_onboard(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """The file that the installer writes is what ``nrf_cloud_onboard`` onboards the board with."""
    board = make_board()
    installed = install(
        world, board, "-d", "--tags", "blue|loud", "--subtype", "bench", "--devinfo", "info.csv"
    )
    onboarded = world.run(
        "nrf_cloud_onboard", "--api-key", api_key, "--csv", "onboard.csv", "--devinfo", "info.csv",
        "--name-imei", "--set-mfwv", "--plain",
    )  # fmt: skip

    assert (installed.status, onboarded.status) == (0, 0)
    (device,) = team.core.devices()
    assert (device.id, device.sub_type, device.name) == (board.uuid, "bench", board.imei)
    assert set(device.tags) == {"blue", "loud"}
    firmware = device.state["reported"]["device"]["deviceInfo"]["modemFirmware"]
    assert firmware == "mfw_nrf91x1_2.0.2"
    assert team.devices() == []  # onboarded is not claimed


def test_install_for_coap(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """``--coap`` writes both authorities under one tag."""
    board = make_board()
    ran = install(world, board, "-d", "--coap", "--verify")

    assert ran.status == 0, ran.output
    sizes = {entry["type"]: entry["size"] for entry in board.controls.call("credentials")}
    assert sizes[0] > 1792  # and as many more as it has lines


def test_key_from_the_host(world: World, board: ClientBoard, transcript: Transcript) -> None:
    """``--local-cert`` makes the key on the host: it is written too, and its digest is compared."""
    ran = install(world, board, "-d", "--verify", "--local-cert", "--id-str", "host-made", "--save")

    key = (world.directory / "host-made_prv.pem").read_text()
    transcript.secret(key, "private key from the host")
    assert ran.status == 0, ran.output
    assert "Credential verification: PASS" in ran.output
    assert board.digests(SEC_TAG)[2] == digest(key, "\r\n")
    assert onboarding_row(world)[0] == "host-made"


def test_request_only(world: World, board: ClientBoard) -> None:
    """Without an authority there is a key on the board, and nothing else."""
    ran = world.run(INSTALLER, "--port", board.port, "-d", "--plain")

    assert ran.status == 0, ran.output
    assert "No CA or CA key provided; skipping creating dev cert" in ran.output
    assert set(board.digests(SEC_TAG)) == {2}


def test_slot_that_is_taken(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """Without ``-d`` the key that is there stays, and the tool gets no request: exit status 9."""
    board = make_board()
    assert install(world, board, tag=FIRST_TAG).status == 0
    before = board.digests(FIRST_TAG)
    ran = install(world, board, tag=FIRST_TAG)

    assert ran.status == 9
    assert "Failed to obtain CSR from device" in ran.output
    assert board.digests(FIRST_TAG) == before


def test_digest_of_something_else(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """A modem that holds other bytes than were written is found out: exit status 12."""
    board = make_board()
    board.controls.call("disturb_next", command="AT%CMNG=1", how="digest", times=3)
    ran = install(world, board, "-d", "--verify")

    assert ran.status == 12
    assert "SHA mismatch" in ran.output
    assert "Credential verification: FAIL" in ran.output


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("AT+CFUN=4", 6, "Unable to communicate"),
        ("AT+CGSN", 1, "IndexError"),  # it takes the last line of no lines, and falls (section 7.2)
        ("AT+CGMR", 1, "IndexError"),
        ("AT%KEYGEN", 9, "Failed to obtain CSR from device"),
    ],
)
def test_exit_statuses(
    world: World, make_board: Callable[..., ClientBoard], command: str, status: int, said: str
) -> None:
    """What fails on the board shows in the exit status (section 7.5); nothing is written then."""
    board = make_board()
    board.controls.call("fail_next", command=command, outcome="error", times=5)
    # Detection asks for the IMEI, too: told that there is an AT host the tool leaves it out.
    ran = install(world, board, "--cmd-type", "at")

    assert ran.status == status
    assert said in ran.output
    assert board.digests(SEC_TAG) == {}


# Credential shells without AT -------------------------------------------------------------------------------


def held_by_the_shell(board: ClientBoard) -> dict[str, str]:
    """Return what the credential shell's store holds under the tag."""
    held = board.controls.call("tls_credentials")
    return {entry["type"]: entry["digest"] for entry in held["credentials"] if entry["tag"] == SEC_TAG}


def shell_digest(text: str) -> str:
    """Return what the shell says of a text: SHA-256 with its final zero, in base64 (section 6.3)."""
    data = text.replace("\n", "\r\n").encode() + b"\x00"
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_tls_cred_shell(world: World, make_board: Callable[..., ClientBoard], transcript: Transcript) -> None:
    """``tls_cred_shell``: the key comes from the host, everything goes in pieces of 48 characters."""
    board = make_board("at-shell")
    ran = install(
        world,
        board,
        "--cmd-type",
        "tls_cred_shell",
        "--local-cert",
        "-d",
        "--verify",
        "--id-str",
        "shelled",
        "--save",
    )

    key = (world.directory / "shelled_prv.pem").read_text()
    transcript.secret(key, "private key from the host")
    hide_pieces(transcript, key)
    assert ran.status == 0, ran.output
    assert "Credential verification: PASS" in ran.output
    held = held_by_the_shell(board)
    assert held["PK"] == shell_digest(key)
    assert held["SERV"] == shell_digest(onboarding_row(world)[4])
    assert set(held) == {"CA", "SERV", "PK"}
    assert board.digests(SEC_TAG) == {}  # the modem's own store is another one
    pieces = [line for line in board.typed() if line.startswith("cred buf ") and line != "cred buf clear"]
    assert max(len(piece) for piece in pieces) == len("cred buf ") + 48


def hide_pieces(transcript: Transcript, key: str) -> None:
    """Take a key out of a transcript in the form in which it was typed: CRLF, base64, pieces of it."""
    text = base64.b64encode(key.replace("\n", "\r\n").encode()).decode()
    for start in range(0, len(text), 48):
        if len(text[start : start + 48]) >= 24:
            transcript.secret(text[start : start + 48], f"private key, piece {start // 48}")


def test_nrf_cloud_cred_shell(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """``nrf_cloud_cred_shell``: the key is made on the device and never leaves it; its public half fits."""
    board = make_board("at-shell")
    ran = install(world, board, "--cmd-type", "nrf_cloud_cred_shell", "-d", "--verify", "--id-str", "psa")

    assert ran.status == 0, ran.output
    assert "Private Key matches device certificate" in ran.output
    assert "Credential verification: PASS" in ran.output
    assert set(held_by_the_shell(board)) == {"CA", "SERV"}
    assert board.controls.call("tls_credentials")["keys"] == [SEC_TAG]
    assert onboarding_row(world)[0] == "psa"
    typed = [line for line in board.typed() if line.startswith("nrf_cloud_cred")]
    assert [line.split()[1] for line in typed] == ["delete", "keygen", "csr", "pubkey"]


def test_shell_key_stays(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """Without ``-d`` a key of the device is used again: the requests of two runs are for one key."""
    board = make_board("at-shell")
    keys = []
    for _run in range(2):
        ran = world.run(
            INSTALLER, "--port", board.port, "--cmd-type", "nrf_cloud_cred_shell", "--id-str", "psa",
            "--save", "--plain",
        )  # fmt: skip
        assert ran.status == 0, ran.output
        words = "req -in psa_csr.pem -noout -verify -pubkey"
        keys.append(openssl(*words.split(), directory=world.directory))

    assert keys[0] == keys[1]
    assert keys[0].startswith(b"-----BEGIN PUBLIC KEY-----")
    assert board.controls.call("tls_credentials")["keys"] == [SEC_TAG]
