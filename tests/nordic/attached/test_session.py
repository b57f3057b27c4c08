"""A whole session on a board that a rig file names, with a fake: what the reports say of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 120

TESTS = """
import pytest
from harness_nordic.client_requests import Finished, PreSharedKey
from harness_nordic.enums import CredentialType

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

def provision(board, nrfcloud):
    device = nrfcloud.claim(board.driver.attestation_token())
    device.add_command(PreSharedKey(sec_tag=board.sec_tags[0], identity="desk", secret="c0ffee00c0ffee11"))
    device.add_command(Finished())
    assert board.driver.provision().finished
    assert CredentialType.PSK in {entry.type for entry in board.driver.credentials(board.sec_tags[0])}

@pytest.mark.parametrize("number", [1, 2])
def test_provisioned(board, nrfcloud, number):
    provision(board, nrfcloud)

def test_dies(board, nrfcloud):
    provision(board, nrfcloud)
    import os
    os._exit(9)
"""


@pytest.fixture
def session(rig: Any, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run tests on the board as a user with a rig file would."""
    console = rig.description.endpoints["console"].url
    (tmp_path / "rig.toml").write_text(
        '[[board]]\nid = "desk"\nprofile = "nrf9151dk"\n'
        f'[board.endpoints.console]\nurl = "{console}"\nrtscts = false\n'
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_desk.py").write_text(TESTS.replace("board.sec_tags", "board.driver.sec_tags"))
    for name in ("leases", "state", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))},
        "HARNESS_LEASE_DIR": str(tmp_path / "leases"),
        "HARNESS_STATE_DIR": str(tmp_path / "state"),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
        command += ["--bench", "attached", "--rig", "rig.toml", "--backend", "nrfcloud=fake", *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return run


def test_reports_say_how_the_fake_got_the_key(
    session: Callable[..., subprocess.CompletedProcess[str]], rig: Any, tmp_path: Path
) -> None:
    """Each test on the board says it, in the summary, JUnit and Allure; no report holds the secret."""
    done = session(
        *(
            "-k",
            "provisioned",
            "--summary",
            "out/s.html",
            "--junitxml",
            "out/j.xml",
            "--alluredir",
            "out/allure",
        )
    )

    assert done.returncode == 0, done.stdout
    remarks = {"identity key recovered on first use", "provisioned by the agent on the host"}
    tests = json.loads((tmp_path / "out/s.json").read_text())["tests"]
    assert [set(test["boards"][0]["remarks"]) for test in tests] == [remarks] * 2
    page, junit = (tmp_path / "out/s.html").read_text(), (tmp_path / "out/j.xml").read_text()
    results = [json.loads(file.read_text()) for file in (tmp_path / "out/allure").glob("*-result.json")]
    assert len(results) == 2
    for remark in remarks:
        assert page.count(remark) == 2
        assert junit.count(f'name="remark" value="{remark}"') == 2
    for result in results:
        assert remarks == {label["value"] for label in result["labels"] if label["name"] == "remark"}
    assert "Execute 3 commands over the console" in str(results)
    written = b"".join(file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert b"c0ffee00c0ffee11" not in written
    assert b"2dn3hQFQ" not in written
    assert rig.credentials() == []


def test_next_session_puts_back_what_a_dead_one_left(
    session: Callable[..., subprocess.CompletedProcess[str]], rig: Any
) -> None:
    """A session that dies with credentials on the board leaves them; the next deletes them and works."""
    died = session("-k", "dies")
    assert died.returncode == 9, died.stdout
    assert len(rig.credentials()) == 2

    done = session("-k", "provisioned")

    assert done.returncode == 0, done.stdout
    assert rig.credentials() == []


def test_somebody_elses_credentials(
    session: Callable[..., subprocess.CompletedProcess[str]], rig: Any
) -> None:
    """Without a dead session behind them credentials in our range are somebody's: no test."""
    theirs = rig.board(allow_destructive=True)
    theirs.driver.write_credential(910000005, 4, "theirs")
    theirs.close()

    done = session("-k", "provisioned")

    assert done.returncode == 1
    assert "910000005 type 4" in done.stdout
    assert rig.credentials() == [(910000005, 4)]
    assert session("-k", "provisioned", "--allow-destructive").returncode == 0
    assert rig.credentials() == []
