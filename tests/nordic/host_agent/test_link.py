"""The HTTP exchanges of the agent on the host: whom it trusts, and what it does not take for an answer."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness_nordic.host_agent.link import Answer, LinkFailed, ServiceLink

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 10.0


@dataclass
class Pki:
    """A certificate authority of OpenSSL's and a service's certificate from it.

    :ivar other_ca: another authority that has nothing to do with it.
    """

    ca: str
    other_ca: str
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Authorities and a certificate for 127.0.0.1."""
    directory = tmp_path_factory.mktemp("pki")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=directory, capture_output=True, check=True)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    for name in ("ca", "other"):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl(*new, "-x509", "-subj", f"/CN=harness {name}", *files)
    openssl(
        *new,
        *("-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=service"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-keyout", "service.key", "-out", "service.pem"),
    )
    return Pki(
        ca=(directory / "ca.pem").read_text(),
        other_ca=(directory / "other.pem").read_text(),
        certificate=directory / "service.pem",
        key=directory / "service.key",
    )


def get(link: ServiceLink, largest: int = 4096) -> Answer:
    """Make an exchange."""
    return link.exchange("GET", "/path?x=1", {"Accept": "text/plain"}, largest=largest, timeout=SECONDS)


def test_exchange(literal_service: Any) -> None:
    """Status and body come back, whatever the status."""
    literal_service.status(418, b"short and stout")

    assert get(ServiceLink(literal_service.url)) == Answer(418, b"short and stout")
    head, _body = literal_service.requests[0]
    assert head.startswith(b"GET /path?x=1 HTTP/1.1\r\n")


def test_right_ca(literal_service: Any, pki: Pki) -> None:
    """A service whose CA is trusted is talked to, also when several are trusted."""
    literal_service.secure(pki.certificate, pki.key)

    assert get(ServiceLink(literal_service.url, pki.ca)).status == 204
    assert get(ServiceLink(literal_service.url, pki.other_ca + pki.ca)).status == 204


@pytest.mark.parametrize("trusted", ["another", "everybody's"])
def test_wrong_ca(literal_service: Any, pki: Pki, trusted: str) -> None:
    """A service that does not prove who it is hears nothing; so it is without a CA of its own."""
    literal_service.secure(pki.certificate, pki.key)
    link = ServiceLink(literal_service.url, pki.other_ca if trusted == "another" else None)

    with pytest.raises(LinkFailed) as failure:
        get(link)

    assert failure.value.refused
    assert literal_service.requests == []


def test_another_hosts_certificate(literal_service: Any, pki: Pki) -> None:
    """A good certificate of another host does not count."""
    literal_service.secure(pki.certificate, pki.key)
    link = ServiceLink(literal_service.url.replace("127.0.0.1", "localhost"), pki.ca)

    with pytest.raises(LinkFailed) as failure:
        get(link)
    assert failure.value.refused


def test_plain_service_behind_https(literal_service: Any, pki: Pki) -> None:
    """A service that speaks no TLS where TLS is expected is not talked to."""
    link = ServiceLink(literal_service.url.replace("http:", "https:"), pki.ca)

    with pytest.raises(LinkFailed):
        link.exchange("GET", "/", {}, largest=4096, timeout=0.5)
    assert not any(head.startswith(b"GET") for head, _body in literal_service.requests)


def test_environment_has_no_part(literal_service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not used on this host."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert get(ServiceLink(literal_service.url)).status == 204


@pytest.mark.parametrize(("body", "fits"), [(160, True), (161, False), (100_000, False)])
def test_size_of_the_whole_answer(literal_service: Any, body: int, fits: bool) -> None:  # noqa: FBT001 - a case
    """Status line, headers and body together must be smaller than the buffer."""
    head = b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n"
    literal_service.raw(head % body + b"x" * body)
    link = ServiceLink(literal_service.url)
    size = len(head % 160) + 160 + 1

    if fits:
        assert len(get(link, size).body) == body
    else:
        with pytest.raises(LinkFailed, match="does not fit"):
            get(link, size)


@pytest.mark.parametrize(
    "answer",
    [None, b"nonsense\r\n\r\n", b"HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nshort"],
    ids=["hangs up", "no HTTP", "cut off"],
)
def test_no_answer(literal_service: Any, answer: bytes | None) -> None:
    """What is no whole answer of HTTP is a failure, and no refusal."""
    literal_service.raw(answer)

    with pytest.raises(LinkFailed) as failure:
        get(ServiceLink(literal_service.url))
    assert not failure.value.refused


def test_late_answer(literal_service: Any) -> None:
    """An answer that does not come is a failure."""
    literal_service.hold.clear()

    with pytest.raises(LinkFailed, match="timed out"):
        ServiceLink(literal_service.url).exchange("GET", "/", {}, largest=4096, timeout=0.2)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://127.0.0.1", "http://"])
def test_no_address(url: str) -> None:
    """What is no address of a service is a usage error."""
    with pytest.raises(UsageError, match="not the address of a service"):
        ServiceLink(url)


@pytest.mark.parametrize("pem", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_no_certificate(pem: str) -> None:
    """What is no CA certificate is a usage error that does not repeat it."""
    with pytest.raises(UsageError, match="no CA certificate"):
        ServiceLink("https://127.0.0.1", pem)
