"""The fake in a process of its own: its options, used by hand, and what only a real connection shows."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from harness.backends.contract import FakeSettings
from harness.errors import UsageError
from harness.redaction import Redactor
from harness_pelion.fake.choices import CONTRARIAN, FAKE
from harness_pelion.fakes import create
from harness_pelion.plugin import harness_backends, harness_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVE = [sys.executable, "-c", "from harness.cli.main import main; main()", "backend", "serve", "pelion"]
DEADLINE = 30
CREATE = "/v3/developer-certificates"


class Served:
    """The command, and what it said where it is.

    :ivar said: its lines by their labels.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            label, _, value = line.strip().partition(": ")
            self.said[label] = value
            if label == "end it":
                break
        self.address = urlsplit(self.said["Pelion Device Management (fake)"])

    def ask(self, method: str, path: str, body: Any = None) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask the API as a plain client does that knows nothing of ours."""
        connection = http.client.HTTPConnection(str(self.address.hostname), self.address.port, DEADLINE)
        headers = {"Authorization": f"Bearer {self.said['API key']}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def control(self, method: str, path: str, body: Any) -> Any:
        """Ask the control socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as plain:
            plain.settimeout(DEADLINE)
            plain.connect(self.said["control socket"])
            content = json.dumps(body)
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            plain.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n{content}".encode())
            answer = http.client.HTTPResponse(plain)
            answer.begin()
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The command, in a process of its own, ended by the signal of Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="h-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_RUNTIME_DIR", directory)
        with subprocess.Popen(SERVE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield Served(process)
                process.send_signal(signal.SIGINT)
                assert process.wait(DEADLINE) == 0
                assert process.stderr is not None
                assert process.stderr.read() == ""
            finally:
                process.kill()
        assert list(Path(directory).iterdir()) == []


def test_account_of_the_operator_is_said(served: Served) -> None:
    """By hand somebody needs a key: it is printed with its account, and it works."""
    assert {"account", "account id", "API key", "bootstrap", "lwm2m", "control socket"} <= set(served.said)
    answer, body = served.ask("GET", "/v3/accounts/me")
    assert (answer.status, json.loads(body)["id"]) == (200, served.said["account id"])


def test_phrases_of_statuses(served: Served) -> None:
    """Real clients know a duplicate only by the phrase: ``409 Conflict`` in HTTP/1.1, and so the others."""
    phrases = []
    for body in ({"name": "phrase"}, {"name": "phrase"}, {}):
        answer, _ = served.ask("POST", CREATE, body)
        assert answer.version == 11
        phrases.append((answer.status, answer.reason))
    answer, _ = served.ask("GET", f"{CREATE}/{'0' * 32}")
    phrases.append((answer.status, answer.reason))
    assert phrases == [(201, "Created"), (409, "Conflict"), (400, "Bad Request"), (404, "Not Found")]


def test_answers_that_do_not_come(served: Served) -> None:
    """Ordered to hang up, the fake does nothing; ordered to lose the answer, it does what it was asked."""
    order = {"account": served.said["account id"], "part": "api", "step": f"POST {CREATE}"}
    for kind in ("hang_up", "answer_lost"):
        assert "id" in served.control("POST", "/faults", {**order, "kind": kind})
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            served.ask("POST", CREATE, {"name": kind})
    rows = json.loads(served.ask("GET", "/v3/trusted-certificates")[1])["data"]
    names = [row["name"] for row in rows]
    assert "answer_lost" in names
    assert "hang_up" not in names


def test_c_file_opens_the_bootstrap_server(served: Served, tmp_path: Path) -> None:
    """What is in the C file is enough to be let in and to trust the server: TLS 1.2 (section 6.2)."""
    text = json.loads(served.ask("POST", CREATE, {"name": "door"})[1])["security_file_content"]

    def array(name: str) -> bytes:
        found = re.search(rf"{name}\[\] = \{{(.*?)\}};", text, re.DOTALL)
        assert found is not None
        return bytes(int(each, 16) for each in found[1].split(","))

    found = re.search(r'BOOTSTRAP_SERVER_URI\[\] = "(coaps://[^"]*)"', text)
    assert found is not None
    uri = urlsplit(found[1])
    assert uri.query == f"aid={served.said['account id']}"
    assert served.said["bootstrap"] == f"coaps+tcp://{uri.netloc}"
    der = array("BOOTSTRAP_DEVICE_CERTIFICATE")
    key = subprocess.run(
        ["openssl", "pkcs8", "-inform", "DER", "-nocrypt"],
        input=array("BOOTSTRAP_DEVICE_PRIVATE_KEY"),
        capture_output=True,
        check=True,
        timeout=DEADLINE,
    ).stdout.decode()
    own = tmp_path / "own.pem"
    own.write_text(ssl.DER_cert_to_PEM_cert(der) + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.load_verify_locations(cadata=array("BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE"))
    context.load_cert_chain(own)
    plain = socket.create_connection((str(uri.hostname), int(uri.port or 0)), DEADLINE)
    with plain, context.wrap_socket(plain) as secure:
        assert secure.version() == "TLSv1.2"
        assert secure.getpeercert()


def test_options() -> None:
    """Without options there is no account; with them one by its name, and the other choices."""
    bare = create(FakeSettings())
    bare.close()
    assert (dict(bare.notes), bare.pelion.choices) == ({}, FAKE)
    assert set(bare.streams) == {"bootstrap", "lwm2m"}
    fake = create(FakeSettings(options={"account": "by hand", "contrarian": "yes"}))
    fake.close()
    assert fake.pelion.choices is CONTRARIAN
    (account,) = fake.pelion.directory.accounts.values()
    (key,) = account.keys.values()
    assert fake.notes == {"account": "by hand", "account id": account.id, "API key": key.secret}
    assert key.secret not in repr(account) + repr(key)
    assert key.secret not in Redactor(harness_secrets()).redact(f"Authorization: Bearer {key.secret}")


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("coffee", "yes", "no such option of this fake"),
        ("contrarian", "maybe", "not an answer"),
        ("account", "  ", "no name of an account"),
        ("account", "two\nlines", "no name of an account"),
        ("account", "x" * 201, "no name of an account"),
    ],
)
def test_options_that_cannot_be(option: str, value: str, text: str) -> None:
    """An option or a value that this fake does not have is one clear error."""
    with pytest.raises(UsageError, match=text):
        create(FakeSettings(options={option: value}))


def test_options_by_hand_are_options() -> None:
    """What ``harness backend serve`` gives the fake besides is taken by it."""
    (spec,) = harness_backends()
    fake = create(FakeSettings(options=spec.serve_options))
    fake.close()
    assert fake.notes["account"] == spec.serve_options["account"]
