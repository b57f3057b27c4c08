"""A session on six boards: one unplugged for good, one moved, one late, one that enumerates anew."""

from __future__ import annotations

import json
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.virtual.usb.strangers import plug_in_strangers, what_strangers_heard

if TYPE_CHECKING:
    import subprocess

Lab = Any

# name, kind, hub port, serial number
BOARDS = (
    ("gone", "nrf9160dk", "1-1.1", "000960000001"),
    ("equal", "nrf9160dk", "1-1.2", "000960000002"),
    ("moved", "nrf9151dk", "1-1.3", "001051200003"),
    ("again", "nrf9161dk", "1-1.4", "001050900004"),
    ("waits", "thingy91x", "1-2.1", "THINGY91X_0005"),
    ("late", "nrf9131ek", "1-2.2", "001051000006"),
)
QUIET = [each for name in ("randomly", "cacheprovider", "pytest_cov") for each in ("-p", f"no:{name}")]


@pytest.fixture
def six(usb_lab: Lab, tmp_path: Path) -> Path:
    """The boards in the lab, all but the late one plugged, and the suite that pulls their cables."""
    rig = 'name = "six"\n'
    for name, kind, port, serial in BOARDS:
        plugged = name != "late"
        usb_lab.client.add(
            f"{kind}-virtual", id=name, usb={"port": port, "serial": serial, "plugged": plugged}
        )
        rig += f'[[board]]\nid = "{name}"\nusb_serial = "{serial}"\n'
    plug_in_strangers(usb_lab.client, "adapter", "bridge")
    (tmp_path / "rig.toml").write_text(rig, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    shutil.copy(Path(__file__).with_name("six_boards.py"), tmp_path / "test_six.py")
    return tmp_path


def run(lab: Lab, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite in the lab."""
    command = [sys.executable, "-m", "pytest", "-rA", *QUIET, "--bench", "attached", "--late-boards"]
    options = ["--return-deadline", "3", "--reconnect", "5", "--summary", "s.html", "--junit-xml", "j.xml"]
    ran: subprocess.CompletedProcess[str] = lab.run(
        [*command, *options, "--alluredir", "allure", *arguments],
        cwd=directory,
        env={
            "LAB": str(lab.bench.socket),
            "HARNESS_STATE_DIR": str(directory / "state"),
            "PYTHONDONTWRITEBYTECODE": "",
        },
        timeout=120,
    )
    return ran


def expected() -> dict[str, str]:
    """Say how each test has to end."""
    ends = {f"test_cables[{name}]": "passed" for name, *_ in BOARDS if name != "late"}
    ends |= {f"test_afterwards[{name}]": "passed" for name, *_ in BOARDS if name != "late"}
    ends |= {"test_cables[gone]": "failed", "test_afterwards[gone]": "failed"}
    ends |= {f"test_one_of_two[{number}]": "passed" for number in range(6)}
    ends |= {f"test_on_the_late_one[{number}]": "passed" for number in range(3)}
    ends |= {f"test_without_a_board[{number}]": "passed" for number in range(3)}
    return ends | {"test_on_what_never_comes": "skipped"}


@pytest.mark.parametrize("workers", ["auto", "0"])
def test_every_test_ran_once_or_is_reported(usb_lab: Lab, six: Path, workers: str) -> None:
    """With a worker a board and with none: who lost its board fails by the rig, everybody else goes on."""
    ran = run(usb_lab, six, "-n", workers)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    data = json.loads((six / "s.json").read_text(encoding="utf-8"))
    ends = [(test["nodeid"].partition("::")[2], test["outcome"]) for test in data["tests"]]
    assert Counter(name for name, _ in ends) == Counter(list(expected()))
    assert dict(ends) == expected(), ran.stdout + ran.stderr
    assert "23 collected = 20 passed + 2 failed + 1 skipped + 0 not run" in ran.stdout
    failed = {
        test["nodeid"].partition("::")[2]: test for test in data["tests"] if test["outcome"] == "failed"
    }
    assert {test["verdict"] for test in failed.values()} == {"rig"}
    assert [board["id"] for board in failed["test_afterwards[gone]"]["boards"]] == ["gone"]
    assert re.fullmatch(
        r"not run: board gone went away at \d\d:\d\d:\d\d and did not come back within 3 s",
        failed["test_afterwards[gone]"]["reason"],
    )
    assert "board gone went away while the test ran" in failed["test_cables[gone]"]["reason"]
    assert (six / "console of moved").read_text() == "/dev/ttyACM0", "under the name of the one that is gone"
    assert (six / "console of again").read_text() == "/dev/ttyACM16"
    assert what_strangers_heard(usb_lab.client) == {}
    _check_story(ran.stdout, data)
    _check_junit(six / "j.xml")
    _check_allure(six / "allure")


def _check_story(out: str, data: dict[str, Any]) -> None:
    """Lost, returned and late boards are told as it happens, at the end and in the summary."""
    assert "harness: virtual USB lab, 5 boards" in out
    assert "harness: virtual USB lab, 6 boards" in out, "the late one is among them at the end"
    assert "THE BOARDS ARE THOSE OF A VIRTUAL USB LAB: nothing here was run on hardware" in out
    story = "\n".join(data["story"])
    for text in (
        "board gone went away: /dev/ttyACM0 went away",
        "board gone went away at ",
        "board moved went away: ",
        "board moved is back after ",
        "board again is back after ",
        "board late (nrf9131ek) was plugged in and joins: console /dev/ttyACM18",
    ):
        assert text in story
        assert out.count(text) >= 2
    assert data["usb_lab"] is True
    assert {"id": "late", "kind": "nrf9131ek"} in data["boards"]


def _check_junit(file: Path) -> None:
    """Each test is there once, the two failures with their verdict; the lab is named."""
    (suite,) = ET.parse(file).getroot()  # noqa: S314 - pytest wrote it a moment ago
    cases = list(suite.iter("testcase"))
    assert Counter(case.get("name") for case in cases) == Counter(list(expected()))
    failed = {case.get("name"): case for case in cases if case.find("failure") is not None}
    assert set(failed) == {"test_cables[gone]", "test_afterwards[gone]"}
    for case in failed.values():
        properties = [(each.get("name"), each.get("value")) for each in case.iter("property")]
        assert {("verdict", "rig"), ("board", "gone"), ("bench", "virtual USB lab")} <= set(properties)
    names = [each.get("value") for each in suite.findall("properties/property")]
    assert "virtual USB lab" in names
    assert any("board gone went away" in str(name) for name in names)


def _check_allure(directory: Path) -> None:
    """Each test has one result, and nobody takes the lab for hardware."""
    results = [json.loads(file.read_text(encoding="utf-8")) for file in directory.glob("*-result.json")]
    statuses = Counter(result["status"] for result in results)
    assert statuses == {"passed": 20, "broken": 2, "skipped": 1}
    environment = (directory / "environment.properties").read_text(encoding="utf-8")
    assert "bench = VIRTUAL USB LAB (6 boards, all simulated, no hardware)" in environment
