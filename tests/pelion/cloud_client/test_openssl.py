"""OpenSSL's own server as the judge of the device's handshakes."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.pelion.cloud_client.paper_board import PaperBoard
from tests.pelion.cloud_client.pki import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pelion.cloud_client.pki import Pki


class OpenSsl:
    """``openssl s_server``, which lets in whoever the developer certificate signs for, and nobody else."""

    def __init__(self, files: Path, trust: Path, protocol: str) -> None:
        self._process = subprocess.Popen(
            [
                "openssl", "s_server", protocol, "-Verify", "1", "-verify_return_error",
                "-accept", "127.0.0.1:0", "-cert", files / "bootstrap.pem", "-CAfile", trust, "-naccept", "1",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._process.stdout is not None
        said = b""
        for line in self._process.stdout:
            said += line
            if found := re.match(rb"ACCEPT .*:(\d+)", line):
                self.port = int(found[1])
                return
        self.close()
        raise AssertionError(f"it does not listen: {said!r}")

    def output(self) -> bytes:
        """Wait until it has served its one client; return what it said, with what the client sent."""
        output, _none = self._process.communicate(timeout=10)
        return output

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Meeting:
    """One try of a board at a server of OpenSSL's.

    :ivar name: of the error that the board logs.
    :ivar details: of that error.
    :ivar output: what the server said.
    """

    def __init__(
        self, board: PaperBoard, pki: Pki, pem_files: Path, trust: Path, protocol: str = "-tls1_2"
    ) -> None:
        server = OpenSsl(pem_files, trust, protocol)
        try:
            board.provision(pki, server.port)
            board.start()
            board.wait_state("failed")
            board.stop()
            ((self.name, _code, self.details),) = board.errors()
            self.output = server.output()
        finally:
            server.close()


@pytest.fixture
def board() -> Iterator[PaperBoard]:
    """A board that tries once and does not wait long."""
    board = PaperBoard(client_timeout_s=1, retry_first_s=60, retry_longest_s=60)
    yield board
    board.close()


@pytest.fixture
def trust(pki: Pki, tmp_path: Path) -> Path:
    """The account's developer certificate, which the server trusts."""
    file = tmp_path / "trust.pem"
    file.write_text(pki.developer.pem)
    return file


def test_the_right_certificate_is_let_in(board: PaperBoard, pki: Pki, pem_files: Path, trust: Path) -> None:
    """TLS 1.2 with the developer certificate; then comes the CoAP request, which s_server never answers."""
    meeting = Meeting(board, pki, pem_files, trust)

    assert (meeting.name, meeting.details) == ("ConnectTimeout", "no answer to POST /bs within 1 s")
    assert b"verify error" not in meeting.output
    assert re.search(rb"CIPHER is ECDHE-ECDSA-", meeting.output)
    assert b"CN = " + ENDPOINT.encode() in meeting.output
    # CON POST with a token of 4 bytes; option 11 "bs"; option 15 (4 more) of 13 + 22 bytes.
    asked = rb"\x44\x02.{6}\xb2bs\x4d\x16ep=" + ENDPOINT.encode()
    assert re.search(asked, meeting.output, re.DOTALL)
    assert b"mccv=3.0.0" in meeting.output


def test_a_stranger_is_not_let_in(board: PaperBoard, pki: Pki, pem_files: Path, trust: Path) -> None:
    """The same names with another key: OpenSSL refuses, and the device says so."""
    trust.write_text(pki.stranger.pem)

    meeting = Meeting(board, pki, pem_files, trust)

    assert meeting.name == "ConnectSecureConnectionFailed"
    assert "alert" in meeting.details
    assert b"verify error" in meeting.output
    assert b"mccv" not in meeting.output


def test_other_protocols_are_not_spoken(board: PaperBoard, pki: Pki, pem_files: Path, trust: Path) -> None:
    """TLS 1.3 alone is not what the device speaks."""
    meeting = Meeting(board, pki, pem_files, trust, "-tls1_3")

    assert meeting.name == "ConnectSecureConnectionFailed"
    assert "protocol version" in meeting.details
    assert b"unsupported protocol" in meeting.output
