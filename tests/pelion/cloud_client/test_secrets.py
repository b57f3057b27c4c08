"""A private key is in no log, no text, and no file that has a name."""

from __future__ import annotations

import base64
import contextlib
import ssl
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.virtual.client_log import ClientFailure
from harness_pelion.virtual.tls_link import read_identity

if TYPE_CHECKING:
    from tests.pelion.cloud_client.site import Site


def test_the_key_is_read_from_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``ssl`` reads is a file without a name, of mode 0600, and it is gone when it was read."""
    seen = []
    original = ssl.SSLContext.load_cert_chain

    def spy(context: ssl.SSLContext, certfile: str, *rest: Any) -> None:
        file = Path(certfile)
        seen.append((certfile, str(file.readlink()), stat.S_IMODE(file.stat().st_mode)))
        original(context, certfile, *rest)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    site.register()

    assert len(seen) == 2
    for path, target, mode in seen:
        assert path.startswith("/proc/self/fd/")
        assert target == "/memfd:identity (deleted)"
        assert mode == 0o600
    assert "/memfd:identity (deleted)" not in open_files()


def open_files() -> list[str]:
    """Return what every open file of this process is."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile, as that of this loop is
            found.append(str(each.readlink()))
    return found


def test_nothing_is_written_to_temporary_directories(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The directory for temporary files and the working directory stay empty."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    site.register()
    site.board.stop()

    assert list(tmp_path.iterdir()) == []


def test_no_text_has_a_key(site: Site) -> None:
    """Neither the log nor the state nor the points, in no form."""
    site.register()
    texts = f"{site.board.log.text()} {site.board.state()} {site.board.points.passed()}"

    for key in (site.pki.developer.key_der, site.pki.device.key_der):
        secret = key[36:68]  # the private number in PKCS#8 of a P-256 key
        assert secret.hex() not in texts
        assert base64.b64encode(key).decode()[8:40] not in texts
        assert repr(secret) not in texts


def test_no_error_has_a_key(site: Site) -> None:
    """A key that cannot be read is not quoted, nor by what led to the error."""
    pki = site.pki
    broken = b"\x30" + pki.developer.key_der[1:-3]

    with pytest.raises(ClientFailure) as caught:
        read_identity(pki.developer.der, broken, pki.bootstrap_authority.der)

    assert str(caught.value) == "ConnectorInvalidCredentials: the private key cannot be read"
    assert caught.value.__cause__ is None
    assert pki.developer.key_der[36:68].hex() not in repr(caught.value.__context__)
    identity = read_identity(pki.developer.der, pki.developer.key_der, pki.bootstrap_authority.der)
    assert "key" not in repr(identity)
