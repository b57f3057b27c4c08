"""``harness nrfcloud``: enrolling boards and writing their tokens by hand."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.cli.main import execute
from harness.inventory.leases import Leases
from harness_nordic import token_file
from harness_nordic.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.backends.contract import Backend


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(
    rig: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Outcome]:
    """Run ``harness nrfcloud ...`` in a directory whose rig file names the board as ``desk``."""
    console = rig.description.endpoints["console"].url
    (tmp_path / "rig.toml").write_text(
        '[[board]]\nid = "desk"\nprofile = "nrf9151dk"\n'
        f'[board.endpoints.console]\nurl = "{console}"\nrtscts = false\n'
    )
    leases = tmp_path / "leases"
    leases.mkdir()
    leases.chmod(0o1777)
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(leases))
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = execute(["nrfcloud", *arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_command


def test_enrol(run: Callable[..., Outcome], rig: Any, fake: Backend) -> None:
    """An enrolled board can be claimed; what is printed names it and holds no token."""
    done = run("enrol", "desk", "--control", str(fake.control))

    record = rig.controls.call("factory_record")
    assert (done.code, done.err) == (0, "")
    for fact in ("desk", record["uuid"], record["imei"], record["firmware_uuid"], "NRF9151_LACA"):
        assert fact in done.out
    assert "2dn3" not in done.out
    client = connect(fake, BackendSession(run_id="run", worker="main"))
    assert client.claim(rig.board().driver.attestation_token()).imei == record["imei"]
    client.close()


def test_board_is_put_back(run: Callable[..., Outcome], rig: Any, tmp_path: Path) -> None:
    """Error numbers are as they were before, and the lease is free again."""
    assert run("tokens", "desk", "-o", str(tmp_path / "t.csv")).code == 0

    fresh = rig.board().driver
    fresh.imei()
    assert rig.book.notes[1][2]["error-numbers"] == "0"
    fresh.restore()
    rig.opened.pop().close()
    assert run("tokens", "desk", "-o", str(tmp_path / "t2.csv")).code == 0


@pytest.mark.parametrize(("tags", "tail"), [("", ""), ("a", ',"a"'), ("a, b", ',"a,b"')])
def test_tokens(run: Callable[..., Outcome], rig: Any, tmp_path: Path, tags: str, tail: str) -> None:
    """A row a board, as bulk claiming takes it; the token is in the file, and nowhere else."""
    file = tmp_path / "tokens.csv"
    done = run("tokens", "--all", "-o", str(file), *(["--tags", tags] if tags else []))

    assert (done.code, done.err) == (0, "")
    row = file.read_bytes()
    token = row.decode().removesuffix("\n").removesuffix(tail)
    assert row == f"{token}{tail}\n".encode()
    assert [len(half) for half in token.split(".")] == [76, 103]
    assert token not in done.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["leases", "rig.toml", "tokens.csv"]


def test_tokens_of_the_file_claim_the_boards(
    run: Callable[..., Outcome], rig: Any, fake: Backend, tmp_path: Path
) -> None:
    """What is in the file is good for claiming."""
    run("enrol", "desk", "--control", str(fake.control))
    run("tokens", "desk", "-o", "tokens.csv")
    client = connect(fake, BackendSession(run_id="run", worker="main"))

    device = client.claim((tmp_path / "tokens.csv").read_text().strip())

    assert device.id == rig.controls.call("factory_record")["uuid"]
    client.close()


def test_nothing_is_overwritten(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """A file that exists stays as it is without --force; the board is not even asked."""
    file = tmp_path / "tokens.csv"
    file.write_text("precious")
    file.chmod(0o644)

    refused = run("tokens", "--all", "-o", str(file))
    assert (refused.code, file.read_text()) == (4, "precious")
    assert "--force" in refused.err

    assert run("tokens", "--all", "-o", str(file), "--force").code == 0
    assert file.read_text().startswith("2dn3")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tokens", "-o", "t"], "which boards"),
        (["tokens", "desk", "--all", "-o", "t"], "which boards"),
        (["tokens", "nobody", "-o", "t"], "no such nRF91 board (got 'nobody'); expected desk"),
        (["tokens", "desk", "-o", "nowhere/t"], "no such directory"),
        (["tokens", "desk", "-o", "/dev/null", "--force"], "no ordinary file"),
        (["tokens", "desk", "-o", "t", "--tags", "a,,b"], "--tags"),
        (["tokens", "desk", "-o", "t", "--tags", 'a"b'], "--tags"),
        (["tokens", "desk", "-o", "t", "--tags", "x" * 101], "--tags"),
        (["tokens", "desk", "-o", "t", "--bench", "virtual"], "which virtual bench"),
        (["tokens", "desk", "-o", "t", "--rig", "nothing.toml"], "nothing.toml"),
        (["tokens", "desk", "-o", "t", "--wait", "soon"], "--wait"),
        (["tokens", "desk"], "--output"),
        (["enrol", "desk", "--control", "nothing.sock"], "no control socket"),
        (["enrol", "desk", "--control", "rig.toml"], "no control socket"),
        (["enrol", "--control", "x"], "BOARD"),
    ],
)
def test_wrong_use(run: Callable[..., Outcome], tmp_path: Path, arguments: list[str], says: str) -> None:
    """Each wrong use is one line and the code 4; no file is left."""
    done = run(*arguments)

    assert done.code == 4, done
    assert says in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "t").exists()


def test_no_board_at_all(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """--all on an empty bench is a wrong use, not an empty file."""
    (tmp_path / "rig.toml").write_text('name = "empty"\n')

    done = run("tokens", "--all", "-o", "t")

    assert (done.code, "no nRF91 board is here" in done.err) == (4, True)


def test_board_that_another_session_holds(run: Callable[..., Outcome], rig: Any, tmp_path: Path) -> None:
    """Who holds the board is told, and nothing is written."""
    leases = Leases("another session")
    leases.take([rig.description], deadline=5)
    try:
        done = run("tokens", "desk", "-o", "t", "--wait", "0.1")
    finally:
        leases.close()

    assert done.code == 1
    assert "another session" in done.err
    assert not (tmp_path / "t").exists()


def test_board_that_fails(run: Callable[..., Outcome], rig: Any, tmp_path: Path) -> None:
    """When a board gives no token there is no file, and no half of one."""
    rig.controls.call("fail_next", command="AT%ATTESTTOKEN", outcome=518)

    done = run("tokens", "desk", "-o", "t")

    assert (done.code, "518" in done.err) == (1, True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["leases", "rig.toml"]


def test_leases_that_others_do_not_see(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """Where sessions of other users do not look for leases, the user is told."""
    (tmp_path / "leases").chmod(0o755)

    done = run("tokens", "desk", "-o", "t")

    assert done.code == 0
    assert "WARNING: leases are not shared" in done.err


def test_a_thousand_boards_at_most(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file holds no more rows than bulk claiming takes."""
    monkeypatch.setattr("harness_nordic.cli.MOST_ROWS", 0)

    done = run("tokens", "--all", "-o", "t")

    assert (done.code, "too many boards" in done.err) == (4, True)
    assert token_file.MOST_ROWS == 1000
    assert not (tmp_path / "t").exists()
