"""The fake over TLS, with curl as its peer: a chain of its own, and refusals that are seen."""

from __future__ import annotations

import json
import signal
import ssl
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from harness.backends.contract import BackendSession, FakeSettings
from harness.backends.launcher import start_fake
from harness.errors import UsageError
from harness_nordic import plugin
from harness_nordic.client import connect
from harness_nordic.fake.app import create
from harness_nordic.fake.certificates import TlsDoor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness_nordic.client import NrfCloudClient
    from harness_nordic.fake.app import NrfCloudFake


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NrfCloudClient]:
    """Run the fake and connect to it."""
    (spec,) = plugin.harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as fake:
        client = connect(fake.backend, BackendSession(run_id="run", worker="main"))
        yield client
        client.close()


@pytest.fixture
def ca(client: NrfCloudClient, tmp_path: Path) -> Path:
    """The fake's authority in a file."""
    file = tmp_path / "ca.pem"
    file.write_text(client.secure_endpoint.ca_pem)
    return file


def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run curl without any configuration of the host."""
    command = ["curl", "--disable", "--silent", "--show-error", "--max-time", "20", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_trusting_client(client: NrfCloudClient, ca: Path, host: str, version: str) -> None:
    """Who trusts the authority is served, under both names and with both versions of TLS."""
    url = client.secure_endpoint.url.replace("127.0.0.1", host)
    key = client._http._headers["Authorization"]

    done = curl(
        "--cacert",
        str(ca),
        "--tls-max",
        version,
        "--header",
        f"Authorization: {key}",
        f"{url}/v1/claimed-devices",
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"items": [], "total": 0}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_mistrusting_client(client: NrfCloudClient, version: str) -> None:
    """Who does not know the authority refuses the server, and the fake says that it was refused."""
    before = len(client.service_events())

    done = curl("--tls-max", version, client.secure_endpoint.url)

    assert done.returncode == 60  # curl(1): the peer's certificate cannot be authenticated
    (event,) = client.service_events()[before:]
    assert event.what == "tls-refused"
    assert "UNKNOWN_CA" in event.reason


def test_authority_of_another_fake(client: NrfCloudClient, tmp_path: Path) -> None:
    """Each fake has an authority of its own: another's is worth nothing."""
    other = tmp_path / "other.pem"
    other.write_text(TlsDoor(lambda _reason: None).ca_pem)

    assert curl("--cacert", str(other), client.secure_endpoint.url).returncode == 60


def test_another_name(client: NrfCloudClient, ca: Path) -> None:
    """The certificate is good for this host only."""
    port = client.secure_endpoint.url.rpartition(":")[2]
    url = f"https://provisioning.test:{port}"

    done = curl("--cacert", str(ca), "--resolve", f"provisioning.test:{port}:127.0.0.1", url)

    assert done.returncode == 60


def handshake(fake: NrfCloudFake, host: str) -> None:
    """Shake hands with a fake's TLS door in memory, as a client that means to speak with a host."""
    context = ssl.create_default_context(cadata=fake.tls.ca_pem)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    server = fake.tls.context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert client.version() is not None


def test_names_to_order() -> None:
    """``tls-names`` lets a client come that was led here from another host, and no others."""
    fake = create(FakeSettings(options={"tls-names": "api.nrfcloud.com, api.beta.nrfcloud.com"}))

    for host in ("api.nrfcloud.com", "api.beta.nrfcloud.com", "localhost", "127.0.0.1"):
        handshake(fake, host)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(fake, "api.dev.nrfcloud.com")


@pytest.mark.parametrize("names", ["a b", "-a.test", "a..test", "a,", "*.nrfcloud.com", "a" * 254])
def test_unfit_names(names: str) -> None:
    """What no host is called by is refused before anything is served."""
    with pytest.raises(UsageError, match="no name of a host"):
        create(FakeSettings(options={"tls-names": names}))


def test_plain_http_at_the_secure_port(client: NrfCloudClient) -> None:
    """Who speaks no TLS gets no answer, and is noted."""
    before = len(client.service_events())

    done = curl(client.secure_endpoint.url.replace("https", "http"))

    assert done.returncode != 0
    assert [event.what for event in client.service_events()[before:]] == ["tls-refused"]


def test_where_it_is(client: NrfCloudClient) -> None:
    """The backend and the control socket name the same place."""
    assert client.secure_endpoint.url == client.backend.secure_url
    assert client.secure_endpoint.url.startswith("https://127.0.0.1:")


def test_chain(client: NrfCloudClient) -> None:
    """The authority may sign certificates and nothing else."""
    certificate = x509.load_pem_x509_certificate(client.secure_endpoint.ca_pem.encode())

    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_key_is_left_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's key is in a private file while it is loaded, and in none afterwards."""
    seen: list[int] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = ssl.SSLContext.load_cert_chain

    def watched(context: ssl.SSLContext, path: Path) -> None:
        seen.extend(stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path))
        before(context, path)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    TlsDoor(lambda _reason: None)

    assert seen == [0o700, 0o600]
    assert list(tmp_path.iterdir()) == []


def test_served_by_hand() -> None:
    """``harness backend serve nrfcloud`` says where TLS is, and the control socket gives the authority."""
    command = [
        sys.executable,
        "-c",
        "from harness.cli.main import main; main()",
        "backend",
        "serve",
        "nrfcloud",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines: dict[str, str] = {}
            while "control socket" not in lines:
                name, _, told_there = process.stdout.readline().strip().partition(": ")
                assert name
                lines[name] = told_there
            told = curl("--unix-socket", lines["control socket"], "http://fake/tls")
        finally:
            process.send_signal(signal.SIGINT)

    assert json.loads(told.stdout)["url"] == lines["over TLS"]
    assert json.loads(told.stdout)["ca"].startswith("-----BEGIN CERTIFICATE-----")
