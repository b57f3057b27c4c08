"""The page for people: its commands are executed in their order, on a virtual device and a served fake."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_pelion.discovery import discover
from harness_pelion.enums import DeviceState

if TYPE_CHECKING:
    import pytest

    from tests.pelion.cli.conftest import Person, Service

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/provision-a-pelion-device.md").read_text()


def commands(section: str) -> list[list[str]]:
    """Return the words of the commands ``harness pelion`` in the blocks of a section."""
    text = PAGE.split(f"{section}\n", 1)[1].split("\n#", 1)[0]
    blocks = re.findall(r"```shell\n(.*?)```", text, re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [words[2:] for words in lines if words[:2] == ["harness", "pelion"]]


def test_the_page(person: Person, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the page works as it stands there, and the device is registered by them."""
    monkeypatch.setenv("PELION_API_KEY", person.key)
    with (
        start_bench(tmp_path, [("mbl-device-virtual", "mbl", {})]) as running,
        BenchClient(running.socket) as bench,
    ):
        told = subprocess.run(
            [sys.executable, str(ROOT / "docs/examples/pelion_device.py"), str(running.socket)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert told.stdout == "mbl makes itself known\n"
        port = bench.board("mbl").call("ssh")["port"]
        (device,) = [each for each in discover(20, interfaces=["127.0.0.1"], settle=1.0) if each.port == port]

        executed = []
        for words in commands("## By hand"):
            answer = [device.name, "--interface", "127.0.0.1"] if words == ["select"] else []
            done = person.run(*words, *answer)
            assert done.code == 0, (words, done.err)
            executed.append(words[0])
            if "--restart" in words:
                (certificate,) = service.client.developer_certificates()
                service.client.wait_for_device(ca_id=certificate.id, state=DeviceState.REGISTERED, timeout=20)

        assert executed == [
            "select",
            "save-api-key",
            "provision",
            "status",
            "provision-pelion",
            "provision",
            "certificates",
            "delete-certificate",
        ]
        (left,) = service.client.developer_certificates()
        assert left.name == "my-device"


def test_other_commands_of_the_page(person: Person) -> None:
    """A device elsewhere is selected as the page says."""
    codes = [person.run(*words).code for words in commands("### The device")]

    assert codes == [0, 0]
    assert person.selection["address"] == "192.0.2.12"
