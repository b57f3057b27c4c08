"""``harness backend serve guardian``: used by hand, from its start to the signal that ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.guardian.fake.rest_site import BASE, COMPONENT

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVE = [sys.executable, "-c", "from harness.cli.main import main; main()", "backend", "serve", "guardian"]
DEADLINE = 30


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """The command, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="h-") as directory:
        monkeypatch.setenv("HARNESS_RUNTIME_DIR", directory)
        with subprocess.Popen(SERVE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()
        assert list(Path(directory).iterdir()) == []


def test_used_by_hand(serving: subprocess.Popen[str]) -> None:
    """It says where its doors are and whose tokens there are; with one of them a system is made at once."""
    assert serving.stdout is not None
    said: dict[str, str] = {}
    for line in serving.stdout:
        label, _, value = line.strip().partition(": ")
        said[label] = value
        if label == "end it":
            break
    url = said["Guardian device provisioning (fake)"]
    assert {"vault", "appliance", "control socket", "organisation", "pages", "use it"} <= set(said)
    roles = {"anna": "Admin", "bert": "Admin", "rita": "Reporter", "liam": "Limited", "lena": "Limited"}
    assert {f"token of {name} ({role})" for name, role in roles.items()} <= set(said)
    anna = {"Authorization": f"Bearer {said['token of anna (Admin)']}"}
    definition = {
        "name": "By hand",
        "approval_type": "Manual",
        "components": [COMPONENT],
        "instances": [{"name": "Ward A"}],
    }
    made = httpx.post(f"{url}{BASE}/systems", json=definition, headers=anna, timeout=DEADLINE)
    assert made.status_code == 201, made.text
    at_appliance = httpx.get(f"{said['appliance']}{BASE}/systems", headers=anna, timeout=DEADLINE)
    assert [item["name"] for item in at_appliance.json()["items"]] == ["By hand"]
    for path in said["pages"].split(" at ")[0].split(" and "):
        page = httpx.get(f"{url}{path}", follow_redirects=True, timeout=DEADLINE)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")

    serving.send_signal(signal.SIGINT)

    assert serving.wait(DEADLINE) == 0
    assert serving.stderr is not None
    assert serving.stderr.read() == ""
