"""Every sub-command of nrfcredstore, on both disciplines (nrfcloud fact sheet, section 7.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.clients.material import digest, make_authority, openssl

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.client import NrfCloudClient
    from tests.clients.transcripts import Transcript
    from tests.clients.world import ClientBoard, World

TAG = 4711
TYPES = {"ROOT_CA_CERT": 0, "CLIENT_CERT": 1, "CLIENT_KEY": 2, "PSK": 3}
RESERVED = {(4294967292, "NORDIC_PUB_KEY"), (4294967293, "NORDIC_ID_ROOT_CA"), (4294967294, "DEV_ID_PUB_KEY")}
LINE_ENDS = {"at-host": "\n", "at-shell": "\r\n"}
"""An AT host stores what it gets; the shell makes CRLF of backslash and n (section 6.2)."""


def rows(output: str) -> set[tuple[int, str, str]]:
    """Return the table that ``list`` prints."""
    found = re.findall(r"^(\d+) +([A-Z_]+) +([0-9A-F]{64}) *$", output, re.MULTILINE)
    return {(int(tag), kind, sha) for tag, kind, sha in found}


@pytest.fixture
def contents(world: World, transcript: Transcript) -> dict[str, str]:
    """Contents of every type that can be written, in files named like the types."""
    certificate, key = make_authority(world.directory)
    texts = {
        "ROOT_CA_CERT": certificate.read_text(),
        "CLIENT_CERT": certificate.read_text(),
        "CLIENT_KEY": key.read_text(),
        "PSK": "9f2c66e1b0a64c0dd34f0a7e52c11f6a\n",
    }
    transcript.secret(texts["CLIENT_KEY"], "private key of the client")
    transcript.secret(texts["PSK"].strip(), "pre-shared key")
    for name, text in texts.items():
        (world.directory / name).write_text(text)
    return texts


def test_imei(world: World, board: ClientBoard) -> None:
    """``imei``: the board's own, as the factory knows it."""
    ran = world.run("nrfcredstore", board.port, "imei")

    assert (ran.status, ran.output) == (0, f"IMEI: {board.imei}\n")


def test_attoken(world: World, board: ClientBoard, team: NrfCloudClient) -> None:
    """``attoken``: a token of this board, which the service takes for a claim."""
    ran = world.run("nrfcredstore", board.port, "attoken")

    assert ran.status == 0
    token = re.fullmatch(r"Attestation token: (\S+)\n", ran.output)
    assert token is not None
    assert team.claim(token[1]).id == board.uuid


@pytest.mark.parametrize("kind", TYPES)
def test_write_list_delete(world: World, board: ClientBoard, contents: dict[str, str], kind: str) -> None:
    """``write`` puts the file's content into the modem, ``list`` shows it, ``delete`` takes it away again."""
    written = world.run("nrfcredstore", board.port, "write", str(TAG), kind, kind)
    expected = digest(contents[kind].rstrip(), LINE_ENDS[board.discipline])
    held = board.digests(TAG)
    listed = world.run("nrfcredstore", board.port, "list", "--tag", str(TAG), "--type", kind)
    deleted = world.run("nrfcredstore", board.port, "delete", str(TAG), kind)

    assert (written.status, written.output) == (0, "")
    assert held == {TYPES[kind]: expected}
    assert listed.status == 0
    assert rows(listed.output) == {(TAG, kind, expected)}
    assert (deleted.status, deleted.output) == (0, "")  # it looks at a value that is never returned (7.3)
    assert board.digests(TAG) == {}


def test_generate(world: World, board: ClientBoard) -> None:
    """``generate`` makes a key on the board and writes the request that openssl can read and verify."""
    ran = world.run(
        "nrfcredstore", board.port, "generate", str(TAG), "csr.der", "--attributes", "CN=bench,O=Nobody"
    )

    assert ran.status == 0
    assert f"New private key generated in secure tag {TAG}" in ran.output
    told = openssl(
        "req",
        "-in",
        "csr.der",
        "-inform",
        "DER",
        "-noout",
        "-verify",
        "-subject",
        directory=world.directory,
    ).decode()
    assert told == "subject=CN = bench, O = Nobody\n"
    assert set(board.digests(TAG)) == {TYPES["CLIENT_KEY"]}


def test_generate_twice(world: World, board: ClientBoard) -> None:
    """A key that is there is not replaced: the tool fails and the board holds the first one."""
    world.run("nrfcredstore", board.port, "generate", str(TAG), "first.der")
    before = board.digests(TAG)
    again = world.run("nrfcredstore", board.port, "generate", str(TAG), "second.der")

    assert again.status == 1
    assert "AT command error: Already exists" in again.output
    assert before == board.digests(TAG) != {}
    assert (world.directory / "second.der").read_bytes() == b""


def test_list_of_everything(world: World, board: ClientBoard, contents: dict[str, str]) -> None:
    """``list`` without a tag shows Nordic's own entries too, as real modems do (section 5.4)."""
    world.run("nrfcredstore", board.port, "write", str(TAG), "ROOT_CA_CERT", "ROOT_CA_CERT")
    ran = world.run("nrfcredstore", board.port, "list")

    assert ran.status == 0
    assert {row[:2] for row in rows(ran.output)} == {(TAG, "ROOT_CA_CERT"), *RESERVED}


def test_delete_all(world: World, board: ClientBoard, contents: dict[str, str]) -> None:
    """``deleteall`` deletes under every tag, and leaves Nordic's own entries alone."""
    world.run("nrfcredstore", board.port, "write", str(TAG), "ROOT_CA_CERT", "ROOT_CA_CERT")
    world.run("nrfcredstore", board.port, "generate", str(TAG + 1), "csr.der")
    ran = world.run("nrfcredstore", board.port, "deleteall")
    left = world.run("nrfcredstore", board.port, "list")

    assert (ran.status, ran.output) == (0, "All credentials deleted.\n")
    assert board.digests(TAG) == board.digests(TAG + 1) == {}
    assert {row[:2] for row in rows(left.output)} == RESERVED


def test_delete_of_nothing(world: World, board: ClientBoard) -> None:
    """An empty slot is told by its number, and the tool says which."""
    ran = world.run("nrfcredstore", board.port, "delete", str(TAG), "CLIENT_CERT")

    assert ran.status == 1
    assert "AT command error: Not found" in ran.output


def test_certificate_that_is_none(world: World, board: ClientBoard) -> None:
    """Firmware 2.0.2 looks into certificates: what is none is refused, and nothing is stored."""
    (world.directory / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nnot base64\n")
    ran = world.run("nrfcredstore", board.port, "write", str(TAG), "ROOT_CA_CERT", "broken.pem")

    assert ran.status == 1
    assert "AT command error: Unknown error" in ran.output
    assert "Failed to write credential" in ran.output
    assert board.digests(TAG) == {}


@pytest.mark.parametrize(("flag", "spoken"), [("at", "at-host"), ("shell", "at-shell")])
def test_told_discipline(
    world: World, make_board: Callable[..., ClientBoard], flag: str, spoken: str
) -> None:
    """With ``--cmd-type`` nothing is detected: the first line that is typed does it already."""
    board = make_board(spoken)
    ran = world.run("nrfcredstore", "--cmd-type", flag, board.port, "imei")

    assert (ran.status, ran.output) == (0, f"IMEI: {board.imei}\n")
    assert board.typed()[0] == {"at": "AT+CMEE=1", "shell": "at 'AT+CMEE=1'"}[flag]


def test_board_without_power(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """A dark board answers nothing: exit status 12, and the advice that goes with it."""
    board = make_board()
    board.controls.set_power(on=False)
    ran = world.run("nrfcredstore", "--timeout", "1", board.port, "list")

    assert ran.status == 12
    assert "Unable to communicate with device" in ran.output


def test_port_that_is_not_there(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """Only ports that pyserial lists can be used (section 7.6)."""
    make_board()
    ran = world.run("nrfcredstore", "/dev/ttyACM99", "list")

    assert ran.status == 1
    assert "No device found with port /dev/ttyACM99" in ran.output
