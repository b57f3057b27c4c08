"""Whom the board's agent trusts: the certificates under its root CA tag, and nobody else.

OpenSSL makes the certificates and the server is Python's own: nothing of the board judges itself.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAG = 50


class Authority(NamedTuple):
    """A CA, and a server's certificate that it signed."""

    ca: str
    certificate: Path
    key: Path


def make_authority(directory: Path, name: str, names: str = "IP:127.0.0.1") -> Authority:
    """Make a CA and a server certificate."""
    openssl = shutil.which("openssl")
    assert openssl is not None

    def run(arguments: str) -> None:
        subprocess.run([openssl, *arguments.split()], cwd=directory, check=True, capture_output=True)

    ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    run(f"req -x509 {ec} -subj /CN={name} -days 30 -keyout {name}.key -out {name}.pem")
    run(f"req {ec} -subj /CN=server -keyout {name}-server.key -out {name}-server.csr")
    (directory / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    run(
        f"x509 -req -in {name}-server.csr -CA {name}.pem -CAkey {name}.key -CAcreateserial -days 30"
        f" -extfile {name}.ext -out {name}-server.pem"
    )
    return Authority(
        (directory / f"{name}.pem").read_text().strip(),
        directory / f"{name}-server.pem",
        directory / f"{name}-server.key",
    )


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority, Authority]:
    """A CA with its server, another with one of its own, and a third whose server has another name."""
    directory = tmp_path_factory.mktemp("tls")
    return (
        make_authority(directory, "ours"),
        make_authority(directory, "other"),
        make_authority(directory, "misnamed", "DNS:elsewhere.example"),
    )


@pytest.fixture
def provision(board: Any, service: Any, authorities: Any) -> Callable[[], list[str]]:
    """Let the board provision over TLS, and return the events and problems of its agent."""
    service.secure(authorities[0].certificate, authorities[0].key)
    board.call("set_service", url=service.url)

    def run() -> list[str]:
        board.call("agent_log", clear=True)
        start = len(board.host.sent("console"))
        board.type(b"AT#XNRFPROV\r")
        board.host.wait_said(b"\r\n#XNRFPROV: ", start=start)
        log = board.call("agent_log")
        return [entry.get("event") or entry["problem"] for entry in log if {"event", "problem"} & set(entry)]

    return run


def test_server_of_a_trusted_ca(
    board: Any, service: Any, authorities: Any, provision: Callable[[], list[str]]
) -> None:
    """With the CA in its tag the board connects, and says all that it says without TLS."""
    assert board.call("install_root_ca", pem=authorities[0].ca) is None

    assert provision()[-1] == "NO_COMMANDS"

    [(head, _body)] = service.requests
    assert head.startswith(b"GET /v1/provisioning/commands?after=&rxMaxSize=2304")
    assert f"\r\nHost: {service.url.removeprefix('https://')}\r\n".encode() in head


def test_server_of_a_ca_that_the_board_does_not_have(
    board: Any, service: Any, authorities: Any, provision: Callable[[], list[str]]
) -> None:
    """With another CA the event is FAILED_WRONG_ROOT_CA, and the server heard not a word."""
    board.call("install_root_ca", pem=authorities[1].ca)

    *_before, problem, stop, event = provision()

    assert problem == "TLS refused: CERTIFICATE_VERIFY_FAILED"
    assert (stop, event) == ("STOP", "FAILED_WRONG_ROOT_CA")
    assert b"#XNRFPROV: -3\r\n" in board.host.sent("console")
    assert service.requests == []


def test_board_without_a_ca(service: Any, provision: Callable[[], list[str]]) -> None:
    """A board that trusts nobody connects to nobody."""
    assert provision()[-1] == "FAILED_WRONG_ROOT_CA"
    assert service.requests == []


def test_board_with_two_cas(board: Any, authorities: Any, provision: Callable[[], list[str]]) -> None:
    """Two certificates in one credential: the server of either is trusted."""
    board.call("install_root_ca", pem=f"{authorities[1].ca}\n{authorities[0].ca}")

    assert provision()[-1] == "NO_COMMANDS"


def test_ca_under_another_tag(board: Any, authorities: Any, provision: Callable[[], list[str]]) -> None:
    """What lies under other tags is not what the service is verified with, until the firmware looks there."""
    board.offline()
    assert board.at(f'AT%CMNG=0,51,0,"{authorities[0].ca}"') == "OK\r\n"
    board.at("AT+CFUN=1")

    assert provision()[-1] == "FAILED_WRONG_ROOT_CA"
    board.call("configure", root_ca_tag=51)
    assert provision()[-1] == "NO_COMMANDS"


def test_server_of_another_name(
    board: Any, service: Any, authorities: Any, provision: Callable[[], list[str]]
) -> None:
    """A certificate of a trusted CA for another host is refused."""
    service.secure(authorities[2].certificate, authorities[2].key)
    board.call("install_root_ca", pem=authorities[2].ca)

    assert provision()[-1] == "FAILED_WRONG_ROOT_CA"
    assert service.requests == []


def test_server_that_speaks_no_tls(board: Any, literal_service: Any, authorities: Any) -> None:
    """A plain server where TLS is expected is refused too, whatever the board holds."""
    board.call("install_root_ca", pem=authorities[0].ca)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        board.call("set_service", url=f"https://127.0.0.1:{listener.getsockname()[1]}")

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 X\r\n\r\n")

        server = threading.Thread(target=answer)
        server.start()
        board.type(b"AT#XNRFPROV\r")
        board.host.wait_said(b"#XNRFPROV: -3\r\n")
        server.join(10)
    assert literal_service.requests == []


def test_server_that_hangs_up_in_the_handshake(board: Any, authorities: Any) -> None:
    """A lost connection says nothing about the CA: the event is FAILED."""
    board.call("install_root_ca", pem=authorities[0].ca)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        board.call("set_service", url=f"https://127.0.0.1:{listener.getsockname()[1]}")

        def hang_up() -> None:
            connection, _peer = listener.accept()
            connection.close()

        server = threading.Thread(target=hang_up)
        server.start()
        board.type(b"AT#XNRFPROV\r")
        board.host.wait_said(b"#XNRFPROV: -1\r\n")
        server.join(10)


def test_power_cut_in_the_handshake(board: Any) -> None:
    """A board that loses its power while it waits for the server's hello ends its run at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        board.call("set_service", url=f"https://127.0.0.1:{listener.getsockname()[1]}")
        board.type(b"AT#XNRFPROV\r")
        connection, _peer = listener.accept()
        with connection:
            assert connection.recv(5)[:1] == b"\x16"  # the client's hello has come
            board.power_off()
            board.power_on()
    board.call("set_service", url=None)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: -3\r\n")


def test_firmware_writes_its_own_ca_where_there_is_none(
    make_board: Any, service: Any, authorities: Any
) -> None:
    """Init of section 3.6: an empty tag is filled, offline; a filled one is left alone."""
    service.secure(authorities[0].certificate, authorities[0].key)
    board = make_board(root_ca=authorities[0].ca)
    board.call("set_service", url=service.url)

    def commands() -> list[str]:
        start = len(board.host.sent("console"))
        board.call("agent_log", clear=True)
        board.type(b"AT#XNRFPROV\r")
        board.host.wait_said(b"\r\n#XNRFPROV: 0\r\n", start=start)
        return [entry["at"] for entry in board.call("agent_log") if "at" in entry]

    assert commands()[:5] == [
        f"AT%CMNG=1,{TAG},0",
        "AT+CFUN?",
        "AT+CFUN=4",
        f'AT%CMNG=0,{TAG},0,"{authorities[0].ca}"',
        "AT+CFUN=1",
    ]
    assert f"%CMNG: {TAG},0," in board.at(f"AT%CMNG=1,{TAG}")
    assert commands()[:2] == [f"AT%CMNG=1,{TAG},0", "AT%SHORTSWVER"]


def test_installing_and_removing_a_ca(board: Any, authorities: Any) -> None:
    """The control call tells what was there, so that it can be put back; what is none it refuses."""
    assert board.call("install_root_ca", pem=authorities[0].ca) is None
    assert board.call("install_root_ca", pem=authorities[1].ca) == authorities[0].ca
    with pytest.raises(ValueError, match="527"):
        board.call("install_root_ca", pem="no certificate")
    assert board.call("install_root_ca", pem=None) == authorities[1].ca
    assert board.call("install_root_ca", pem=None) is None
    board.call("arm_power_cut", point="before flash")
    with pytest.raises(ValueError, match="the power went"):
        board.call("install_root_ca", pem=authorities[0].ca)
    assert [entry for entry in board.call("credentials") if entry["tag"] == TAG] == []


def test_text_that_is_no_certificate_trusts_nobody(make_board: Any, service: Any, authorities: Any) -> None:
    """The oldest firmware keeps any text as a CA; with such a one the board trusts nobody."""
    service.secure(authorities[0].certificate, authorities[0].key)
    board = make_board("nrf9160dk-virtual")
    board.call("set_service", url=service.url)
    board.call("install_root_ca", pem="no certificate")

    board.type(b"AT#XNRFPROV\r")

    board.host.wait_said(b"#XNRFPROV: -3\r\n")
    assert service.requests == []
