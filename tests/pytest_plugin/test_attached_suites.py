"""The shipped suites on boards that a session takes for hardware, and what they leave on them: nothing.

The boards are virtual nRF91 of a bench by hand; the session knows only their ports, one of them behind a real
ser2net. What they hold before and after is asked with pyserial alone.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import serial

from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
SUITES = REPOSITORY / "suites/nrfcloud"
OURS = (SUITES / "material/root-ca-1.pem").read_text().strip()
IN_THE_RANGE, OUTSIDE, IN_THE_FIELD = 910_000_003, 42, 16_842_753


@contextmanager
def line_to(url: str) -> Iterator[serial.SerialBase]:
    """Open a board's console by pyserial alone, and wait until it answers.

    A terminal server drops what it is sent while it still closes the connection before this one.
    """
    with serial.serial_for_url(url, 115200, timeout=2) as line:
        for _ in range(10):
            line.write(b"AT\r\n")
            if b"OK\r\n" in line.read_until(b"OK\r\n"):
                break
        line.timeout = 20
        yield line


def at(line: serial.SerialBase, command: str) -> list[str]:
    """Run an AT command; it has to end with OK. Returns the words before it."""
    line.write(command.encode() + b"\r\n")
    said = b""
    while not re.search(rb"(OK|ERROR.*)\r\n$", said):
        more = line.read_until(b"\r\n")
        assert more, f"{command} was not answered: {said!r}"
        said += more
    words = said.decode().split()
    assert words[-1] == "OK", words
    return words[:-1]


def change(url: str, *commands: str) -> None:
    """Change credentials of a board, which its modem allows while it is offline."""
    with line_to(url) as line:
        for command in ("AT+CFUN=4", *commands, "AT+CFUN=1"):
            at(line, command)


def found_on(url: str) -> tuple[list[str], list[str], list[str]]:
    """What lies on a board: each credential with its digest, functional mode, error mode."""
    with line_to(url) as line:
        return sorted(at(line, "AT%CMNG=1")), at(line, "AT+CFUN?"), at(line, "AT+CMEE?")


@contextmanager
def ser2net(directory: Path, device: str) -> Iterator[int]:
    """Serve a device on a TCP port of this host, as a terminal server does."""
    program = shutil.which("ser2net", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("ser2net is not installed (make system-deps)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    configuration = directory / "ser2net.yaml"
    configuration.write_text(
        "%YAML 1.1\n---\nconnection: &board\n"
        f"  accepter: tcp,127.0.0.1,{port}\n  connector: serialdev,{device},115200n81,local\n"
        "  options:\n    kickolduser: true\n"
    )
    process = subprocess.Popen(
        [program, "-n", "-d", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_open(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was just started takes connections."""
    ended = os.pidfd_open(process.pid)
    try:
        for _ in range(200):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert not select.select([ended], [], [], 0.05)[0], "ser2net ended at once"
    finally:
        os.close(ended)
    raise AssertionError("ser2net does not listen")


@pytest.fixture(scope="module")
def rig() -> Iterator[tuple[Path, list[str]]]:
    """A rig file with two boards that hold credentials of their owner, and the paths of their consoles."""
    directory = Path(tempfile.mkdtemp(prefix="hr"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory)
        kind = "nrf9151dk-virtual"
        bench = stack.enter_context(start_bench(directory / "bench", [(kind, None, {}), (kind, None, {})]))
        with BenchClient(bench.socket) as client:
            ports = [str(state.ports["console"]) for state in client.boards()]
        for port in ports:
            change(port, *(f'AT%CMNG=0,{tag},0,"{OURS}"' for tag in (OUTSIDE, IN_THE_FIELD)))
        change(ports[1], "AT+CMEE=1")
        far = stack.enter_context(ser2net(directory, ports[1]))
        file = directory / "rig.toml"
        file.write_text(
            f"""
            [leases]
            directory = "{directory}/leases"

            [[board]]
            id = "near"
            profile = "nrf9151dk"
            endpoints.console = "{ports[0]}"
            capabilities.remove = ["provisioning-agent"]

            [[board]]
            id = "far"
            profile = "nrf9151dk"
            endpoints.console = {{ url = "socket://127.0.0.1:{far}", rtscts = false }}
            """
        )
        # While ser2net has a port open, nobody else may read it: what it serves is asked through it.
        yield file, [ports[0], f"socket://127.0.0.1:{far}"]


def run(rig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests on the boards of the rig file, with a fake service."""
    environment = {
        key: value for key, value in unmeasured(os.environ).items() if not key.startswith("HARNESS")
    }
    options = ("--bench", "attached", "--rig", str(rig), "--backend", "nrfcloud=fake", "-n", "auto")
    quiet = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:allure_pytest", "-q")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *quiet, *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_suites_pass_and_leave_the_boards_as_they_were(rig: tuple[Path, list[str]]) -> None:
    """Suites write and delete under the reserved tags: they leave nothing there and change nothing else."""
    file, ports = rig
    before = [found_on(port) for port in ports]
    assert any(str(IN_THE_FIELD) in word for word in before[0][0])
    assert not any("91000000" in word for word in before[0][0])

    done = run(
        file, *(str(SUITES / f"test_{name}.py") for name in ("commands", "execution", "credential_store"))
    )

    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 30, done.stdout
    assert "ATTACHED bench, 2 boards (2 nrf9151dk)" in done.stdout
    assert "security tags: 910000000-910000009; allow destructive: no" in done.stdout
    assert [found_on(port) for port in ports] == before


FAILING = """
import pytest

pytestmark = pytest.mark.board(driver="nrf91", each="board")

CA = {ca!r}


def test_writes_and_fails(board):
    for tag in board.driver.sec_tags[:3]:
        board.driver.write_credential(tag, 0, CA)
    assert len(board.driver.credentials(tag=board.driver.sec_tags[0])) == 1
    raise RuntimeError("after the changes")


def test_claims_and_fails(board, nrfcloud):
    nrfcloud.claim(board.driver.attestation_token())
    board.driver.generate_key(board.driver.sec_tags[4])
    raise RuntimeError("after the changes")


@pytest.mark.parametrize("tag", [{outside}, {field}])
def test_writes_what_is_not_ours(board, tag):
    board.driver.write_credential(tag, 0, CA)


@pytest.mark.parametrize("tag", [{outside}, {field}])
def test_deletes_what_is_not_ours(board, tag):
    board.driver.delete_credential(tag, 0)


@pytest.mark.parametrize("tag", [{outside}, {field}])
def test_writes_by_a_command_of_its_own(board, tag):
    board.driver.offline()
    board.driver.at(f"AT%CMNG=3,{{tag}},0")
"""


def test_tests_that_fail_leave_the_boards_as_they_were(rig: tuple[Path, list[str]], tmp_path: Path) -> None:
    """After a failure all is put back, and whatever a test tries on other people's credentials fails."""
    file, ports = rig
    before = [found_on(port) for port in ports]
    test = tmp_path / "test_failing.py"
    test.write_text(FAILING.format(ca=OURS, outside=OUTSIDE, field=IN_THE_FIELD), encoding="utf-8")

    done = run(file, str(test), "--tb=line")

    assert done.stdout.count("RuntimeError: after the changes") >= 4, done.stdout + done.stderr
    assert done.stdout.count("which is not ours (got '910000000-910000009')") >= 12
    assert done.stdout.splitlines()[-1].startswith("16 failed in ")
    assert [found_on(port) for port in ports] == before


def test_credentials_under_our_tags_are_not_ours_either(rig: tuple[Path, list[str]]) -> None:
    """What somebody has under a reserved tag stays: tests that would write there fail and say what to do."""
    file, ports = rig
    change(ports[0], f'AT%CMNG=0,{IN_THE_RANGE},0,"{OURS}"')
    try:
        before = found_on(ports[0])
        suite = str(SUITES / "test_commands.py")
        refused = run(file, "--board", "near", suite, "--tb=line")
        elsewhere = run(file, "--board", "near", suite, "--sec-tags", "920000000-920000009")
        after = found_on(ports[0])
    finally:
        change(ports[0], f"AT%CMNG=3,{IN_THE_RANGE},0")

    assert f"holds credentials under the tags that tests use ({IN_THE_RANGE} type 0)" in refused.stdout
    assert "expected tags that are free on the board, or --allow-destructive" in refused.stdout
    assert refused.returncode == 1
    assert elsewhere.returncode == 0, elsewhere.stdout + elsewhere.stderr
    assert after == before
