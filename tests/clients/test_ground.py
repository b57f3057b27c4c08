"""What the tests of real clients stand on: proxy, exchanges as they went, and transcripts without secrets."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag

from tests.clients.connect_proxy import ConnectProxy
from tests.clients.material import make_authority
from tests.clients.tls_records import decrypt, read_key_log
from tests.clients.transcripts import NEVER, Transcript, line_text, readable
from tests.clients.world import HOSTS, ROOT, TRANSCRIPTS, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.backends.launcher import RunningFake
    from harness_nordic.client import NrfCloudClient
    from tests.clients.world import ClientBoard, World

HOST = "api.nrfcloud.com"


@pytest.fixture
def nowhere() -> Iterator[ConnectProxy]:
    """A proxy before a service that takes connections and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    with ConnectProxy([HOST], ("127.0.0.1", listener.getsockname()[1])) as proxy:
        yield proxy
        listener.close()  # which ends the connections that nobody took


def ask(proxy: ConnectProxy, request: bytes) -> bytes:
    """Send a request to a proxy, and return all that comes."""
    address = ("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
            if answer.startswith(b"HTTP/1.1 200"):
                break
    return answer


@pytest.mark.parametrize(
    "line",
    [
        "CONNECT example.org:443 HTTP/1.1",
        f"CONNECT {HOST}:80 HTTP/1.1",
        f"GET http://{HOST}/v1/devices HTTP/1.1",
        f"CONNECT {HOST}.example.org:443 HTTP/1.1",
    ],
)
def test_proxy_leads_nowhere_else(nowhere: ConnectProxy, line: str) -> None:
    """Only the real service's hosts, and only by TLS: nothing that a client does leaves this machine."""
    answer = ask(nowhere, f"{line}\r\nHost: x\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert nowhere.refused == [line]
    assert nowhere.tunnels == []


def test_proxy_leads_to_the_fake(nowhere: ConnectProxy) -> None:
    """A host of the service is led there."""
    answer = ask(nowhere, f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())

    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert [tunnel.host for tunnel in nowhere.tunnels] == [HOST]


def test_proxy_by_hand(fake: RunningFake, tmp_path: Path) -> None:
    """Started by hand it says where it is, leads where it was told, and ends with Ctrl-C."""
    command = [sys.executable, "-m", "tests.clients.connect_proxy", str(fake.backend.secure_url), HOST]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            name, _, url = process.stdout.readline().strip().partition("=")
            curl = ["curl", "--insecure", "--silent", "--proxy", url, "--output", "/dev/null"]
            told = subprocess.run(
                [*curl, "--write-out", "%{http_code}", f"https://{HOST}/v1/devices"],
                capture_output=True, text=True, check=True, timeout=60,
            )  # fmt: skip
        finally:
            process.send_signal(signal.SIGINT)

    assert (name, told.stdout) == ("HTTPS_PROXY", "401")
    assert process.returncode == 0


def test_half_a_request(nowhere: ConnectProxy) -> None:
    """A client that goes away in the middle is no request."""
    assert ask(nowhere, b"CONNECT api.nrf") == b""
    assert (nowhere.refused, nowhere.tunnels) == ([], [])


@pytest.mark.parametrize(
    "suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
)
def test_exchange_as_it_went(world: World, api_key: str, suite: str) -> None:
    """What went over TLS is read with the client's key log, by each cipher; curl prints the same body."""
    ran = world.run(
        "curl", "--silent", "--tls13-ciphers", suite, "--header", f"Authorization: Bearer {api_key}",
        f"https://{HOST}/v1/devices",
    )  # fmt: skip

    (exchange,) = ran.exchanges
    assert (exchange.host, exchange.call, exchange.status) == (HOST, "GET /v1/devices", 200)
    assert exchange.request.headers["authorization"] == f"Bearer {api_key}"
    assert exchange.answer.body.decode() == ran.output
    assert exchange.answer.json["items"] == []


def test_damaged_record(world: World, fake: RunningFake) -> None:
    """A byte that was changed on its way is no exchange that anybody had."""
    world.run("curl", "--silent", f"https://{HOST}/v1/devices", f"https://{HOST}/v1/account")
    (tunnel,) = world._proxy.tunnels
    secrets = read_key_log(world._key_log.read_text())
    sent, received = bytes(tunnel.sent), bytes(tunnel.received)

    assert b"GET /v1/account" in decrypt(sent, received, secrets)[0]
    with pytest.raises(InvalidTag):
        decrypt(sent, received[:-1] + bytes([received[-1] ^ 1]), secrets)
    assert decrypt(sent, received, {}) == (b"", b"")
    assert decrypt(b"", b"", secrets) == (b"", b"")


def test_untrusting_client(world: World, team: NrfCloudClient, tmp_path: Path) -> None:
    """A client that does not know the fake's authority refuses it: nothing here is switched off."""
    authority, _key = make_authority(tmp_path, "stranger")
    environment = {"REQUESTS_CA_BUNDLE": str(authority)}
    (world.directory / "attestation_tokens.csv").write_text("1,2,token,now\n")
    before = len(team.service_events())
    ran = world.run("claim_devices", "--api-key", "0" * 40, env=environment)

    # The tool takes it for a file that cannot be read, and ends well (section 7.5).
    assert "Done." not in ran.output
    assert ran.exchanges == []
    # The proxy may pass the client's last words on when the client has ended already.
    wait_until(lambda: len(team.service_events()) > before, "the refused handshake")
    (event,) = team.service_events()[before:]
    assert event.what == "tls-refused"
    assert "UNKNOWN_CA" in event.reason


def test_line_of_a_board() -> None:
    """What went over a line is shown line by line, with what cannot be seen."""
    traffic = [(">", b"AT\r".hex()), (">", b"\n".hex()), ("<", b"\nOK\r\n\x1b[mprompt".hex())]

    assert line_text(traffic).splitlines() == ["> AT\\r\\n", "< \\n", "< OK\\r\\n", "< \\x1b[mprompt"]
    assert readable(b"\xff\xc3\xa6") == "\\xffæ"


def test_no_secret_in_a_transcript(
    world: World,
    make_board: Callable[..., ClientBoard],
    api_key: str,
    transcript: Transcript,
    request: pytest.FixtureRequest,
) -> None:
    """A key, a token and a private key go through everything; the file has none of them, in no form."""
    board = make_board()
    _authority, key_file = make_authority(world.directory)
    key = key_file.read_text()
    transcript.secret(key, "private key")
    world.run("nrfcredstore", "--debug", board.port, "write", "4711", "CLIENT_KEY", key_file.name)
    world.run("cat", key_file.name)
    token = world.run("nrfcredstore", board.port, "attoken").output.rpartition(" ")[2].strip()
    (world.directory / "attestation_tokens.csv").write_text(f"1,2,{token},now\n")
    world.run("claim_devices", "--api-key", api_key, "--log-level", "debug")
    world.run("bash", "-c", f"echo {base64.b64encode(api_key.encode()).decode()} {api_key.encode().hex()}")
    transcript.add("line", line_text(board.controls.call("line_traffic")))

    plain = transcript.unredacted
    body = [line for line in key.splitlines() if "-----" not in line]
    secrets = [api_key, token, *body, base64.b64encode(api_key.encode()).decode(), api_key.encode().hex()]
    assert all(secret in plain for secret in secrets)
    assert {"a private key", "an attestation token", "a bearer token"} <= set(transcript.left_over(plain))
    path = TRANSCRIPTS / "canary.txt"
    written = transcript.write(path)
    assert path.read_text() == written
    assert [secret for secret in secrets if secret in written] == []
    assert transcript.left_over(written) == []
    # What a reader came for is there all the same.
    for kept in ("$ nrfcredstore", "[exit status 0]", "HTTP/1.1 200", "AT%CMNG=0,4711,2,", "[redacted: "):
        assert kept in written


@pytest.mark.parametrize("what", NEVER)
def test_what_is_never_in_a_transcript(what: str) -> None:
    """Each kind of secret is found by its form alone, though nobody named it."""
    samples = {
        "a private key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIHnEB0hZhbJ1",
        "an attestation token": "2dn3hQFQSWHIc0CMRc6x",
        "a signature of a board": "AAAA.0oRDoQEmoQRBIfZYQ",
        "a JWT": "eyJ0eXAiOiJKV1Qi.eyJpc3MiOiJuUkY5.c2ln",
        "a bearer token": "Authorization: Bearer 0123456789",
    }

    assert Transcript("any").left_over(f"before {samples[what]} after") == [what]


def test_hosts() -> None:
    """Every stage of both hosts (nrfcloud fact sheet, section 1)."""
    assert set(HOSTS) >= {"api.nrfcloud.com", "api.provisioning.nrfcloud.com", "api.dev.nrfcloud.com"}
    assert len(HOSTS) == 8
