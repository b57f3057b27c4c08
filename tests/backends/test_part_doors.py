"""A fake may have parts with addresses of their own; the runner serves each, and ends all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from harness.backends.launcher import start_fake

if TYPE_CHECKING:
    from pathlib import Path

    from harness.backends.contract import BackendSpec

MODULE = """
from tiny_fake import Fake
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


class Door:
    url = ""

    def __init__(self, name):
        self.application = Starlette(
            routes=[Route("/who", lambda request: PlainTextResponse(f"{name} at {self.url}"))]
        )


class FakeWithParts(Fake):
    def __init__(self, options):
        super().__init__(options)
        self.parts = {"vault": Door("vault"), "appliance": Door("appliance")}

    def close(self):
        with open("closed", "w") as file:
            file.write("closed")


def create(settings):
    return FakeWithParts(dict(settings.options))
"""


@pytest.fixture
def parted(spec: BackendSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackendSpec:
    """A backend whose fake has two parts besides its service."""
    (tmp_path / "modules" / "fake_with_parts.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return replace(spec, fake="fake_with_parts:create")


def test_each_part_has_an_address_of_its_own(parted: BackendSpec, tmp_path: Path) -> None:
    """Each part is served where the backend says, and knows its own address."""
    with start_fake(parted, tmp_path, lifeline=None) as running:
        backend = running.backend
        assert set(backend.addresses) == {"vault", "appliance"}
        assert len({backend.url, *backend.addresses.values()}) == 3
        for name, url in backend.addresses.items():
            assert url.startswith("http://127.0.0.1:")
            assert httpx.get(f"{url}/who", trust_env=False).text == f"{name} at {url}"
        assert httpx.get(f"{backend.url}/who", trust_env=False).status_code == 404

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/who", trust_env=False)


def test_fake_is_closed_at_the_end(parted: BackendSpec, tmp_path: Path) -> None:
    """What a fake owns besides its applications it gives back when the process is asked to end."""
    with start_fake(parted, tmp_path, lifeline=None):
        assert not (tmp_path / "closed").exists()

    assert (tmp_path / "closed").read_text() == "closed"
