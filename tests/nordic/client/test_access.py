"""How a service that is no fake is asked: whose key, which authorities, how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, Change
from harness.backends.elsewhere import backend_elsewhere
from harness.backends.pacing import BURST
from harness.config import BackendChoice
from harness.errors import UsageError
from harness.plugins import load_object
from harness_nordic import plugin
from harness_nordic.client_access import changed_device, read_api_key, refuse_without_access, terms_for
from harness_nordic.introduction import device_endpoint

if TYPE_CHECKING:
    from pathlib import Path

UUID = "50363154-3931-4aaa-8bbb-000102030405"


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the developer's own counts."""
    for name in ("API_KEY", "API_KEY_FILE", "CA_FILE", "REQUESTS_PER_SECOND"):
        monkeypatch.delenv(f"NRFCLOUD_{name}", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


def key_file(place: Path, content: str, mode: int) -> str:
    """Write a file for a key."""
    file = place / "key"
    file.write_text(content)
    file.chmod(mode)
    return str(file)


def test_key_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that is named is read, without its line end; a key in the environment comes first."""
    monkeypatch.setenv("NRFCLOUD_API_KEY_FILE", key_file(tmp_path, "key-of-a-team\n", 0o600))
    assert read_api_key("x") == "key-of-a-team"
    monkeypatch.setenv("NRFCLOUD_API_KEY", "another")
    assert read_api_key("x") == "another"


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("key", 0o640, "others may read the key"),
        ("key", 0o604, "mode 0604.*chmod 600"),
        ("", 0o600, "holds no API key"),
        ("two words", 0o600, "holds no API key"),
    ],
)
def test_key_file_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, mode: int, message: str
) -> None:
    """Each mistake is told apart, and the key is not repeated."""
    monkeypatch.setenv("NRFCLOUD_API_KEY_FILE", key_file(tmp_path, content, mode))

    with pytest.raises(UsageError, match=message) as caught:
        read_api_key("x")

    assert "two words" not in str(caught.value)


def test_key_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is named, and so is a directory."""
    monkeypatch.setenv("NRFCLOUD_API_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"none: .*cannot be read"):
        read_api_key("x")
    monkeypatch.setenv("NRFCLOUD_API_KEY_FILE", str(tmp_path))
    with pytest.raises(UsageError, match="no plain file"):
        read_api_key("x")


@pytest.mark.parametrize(
    ("stage", "url", "device"),
    [
        ("prod", "https://api.provisioning.nrfcloud.com", "https://provisioning-http.nrfcloud.com"),
        ("beta", "https://api.provisioning.beta.nrfcloud.com", "https://provisioning-http.beta.nrfcloud.com"),
    ],
)
def test_stages(stage: str, url: str, device: str) -> None:
    """Each stage has hosts of its own; an address alone leads to the same device endpoint."""
    (spec,) = plugin.harness_backends()

    real = backend_elsewhere(spec, BackendChoice(name="nrfcloud", mode="real", stage=stage))

    assert (real.mode, real.url, real.address("device")) == ("real", url, device)
    assert device_endpoint(url) == device
    assert real.address("core") == url.replace("api.provisioning.", "api.")


def test_stage_that_there_is_not() -> None:
    """The message names those that there are."""
    (spec,) = plugin.harness_backends()

    with pytest.raises(UsageError, match="nrfcloud=real:beta"):
        backend_elsewhere(spec, BackendChoice(name="nrfcloud", mode="real", stage="gamma"))


def test_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service elsewhere is asked slowly, one on this host as fast as it can, unless one says else."""
    there = Backend(name="nrfcloud", mode="url", url="https://a.b")
    here = Backend(name="nrfcloud", mode="url", url="http://127.0.0.1:1")
    assert terms_for(there, lambda _change: None).rate is not None
    assert terms_for(here, lambda _change: None).rate is None
    monkeypatch.setenv("NRFCLOUD_REQUESTS_PER_SECOND", "0")
    assert terms_for(there, lambda _change: None).rate is None
    monkeypatch.setenv("NRFCLOUD_REQUESTS_PER_SECOND", "fast")
    with pytest.raises(UsageError, match="NRFCLOUD_REQUESTS_PER_SECOND"):
        terms_for(there, lambda _change: None)


def test_session_without_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps every test from asking the service is said before the first one."""
    (spec,) = plugin.harness_backends()
    assert load_object(str(spec.access)) is refuse_without_access
    real = backend_elsewhere(spec, BackendChoice(name="nrfcloud", mode="real", stage="prod"))
    with pytest.raises(UsageError, match="no API key for https://api"):
        refuse_without_access(real)
    monkeypatch.setenv("NRFCLOUD_API_KEY_FILE", key_file(tmp_path, "key", 0o644))
    with pytest.raises(UsageError, match="others may read the key"):
        refuse_without_access(real)
    monkeypatch.setenv("NRFCLOUD_API_KEY", "key")
    refuse_without_access(real)
    monkeypatch.setenv("NRFCLOUD_REQUESTS_PER_SECOND", "fast")
    with pytest.raises(UsageError, match="no rate"):
        refuse_without_access(real)


def test_rate_is_shared_by_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a session may ask in a second is divided among its workers."""
    there = Backend(name="nrfcloud", mode="url", url="https://a.b")
    monkeypatch.setenv("NRFCLOUD_REQUESTS_PER_SECOND", "8")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    rate = terms_for(there, lambda _change: None).rate
    assert rate is not None

    waits = [rate.reserve() for _request in range(BURST + 20)]

    assert waits[0] == 0.0
    assert 8 < waits[-1] <= 10, "20 requests beyond the first ones, 2 a second"


@pytest.mark.parametrize(
    ("path", "device"),
    [
        (f"/v1/claimed-devices/{UUID}", UUID),
        (f"/v1/claimed-devices/{UUID}/provisioning/reset", UUID),
        ("/v1/claimed-devices", None),
        ("/v1/claimed-devices/tags/1", None),
        (f"/v1/claimed-devices/tags/{UUID}", None),
    ],
)
def test_device_that_a_request_names(path: str, device: str | None) -> None:
    """It is found in every path about one device, and in no other."""
    assert changed_device(Change(operation="", method="DELETE", url=f"https://x{path}")) == device
