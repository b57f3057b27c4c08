"""``harness pelion save-api-key``: the key is validated and kept, and nobody else ever sees it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from harness_pelion.stores import open_stores

if TYPE_CHECKING:
    from tests.pelion.cli.conftest import Person, Service

DEADLINE = 30.0


def kept(person: Person) -> str | None:
    """Return the key that is kept."""
    return open_stores(person.home).user.api_key()


def shown_by_processes(secret: str) -> list[str]:
    """Return the command lines on this host that a text is in, as ``ps`` shows them to everybody."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if secret in words:
            found.append(words)
    return found


def test_environment(person: Person, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the environment is validated and kept; the output says whose account it is of."""
    monkeypatch.setenv("PELION_API_KEY", person.key)

    done = person.run("save-api-key")

    account = service.client.account()
    assert (done.code, done.err) == (0, "")
    assert f"({account.id}): kept in {person.home}/.mbl-store/user\n" in done.out
    assert kept(person) == person.key
    assert person.key not in done.out


def test_key_file(person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key may be in a file that only its owner can read."""
    file = tmp_path / "key"
    file.write_text(person.key + "\n")
    monkeypatch.setenv("PELION_API_KEY_FILE", str(file))
    file.chmod(0o644)
    assert person.run("save-api-key").code == 4
    file.chmod(0o600)

    assert person.run("save-api-key").code == 0
    assert kept(person) == person.key


def test_standard_input_in_a_process(person: Person) -> None:
    """Read from standard input the key is in no list of processes, also while the command runs."""
    process = subprocess.Popen(
        person.words("save-api-key", "-"),
        env=person.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(person.key)
    process.stdin.flush()  # and no end: the command is still running
    deadline = time.monotonic() + DEADLINE
    while not shown_by_processes("harness.cli pelion save-api-key -") and time.monotonic() < deadline:
        threading.Event().wait(0.01)  # a process has no command line before its program is loaded
    assert process.poll() is None
    assert shown_by_processes(person.key) == []
    out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, err) == (0, "")
    assert kept(person) == person.key
    assert person.key not in out


def test_prompt_shows_nothing(person: Person) -> None:
    """Who is asked types blindly."""
    words = person.words("save-api-key")
    with pexpect.spawn(
        words[0], words[1:], env=person.environment, encoding="utf-8", timeout=DEADLINE
    ) as child:
        child.expect("API key: ")
        assert child.waitnoecho(5)
        child.sendline(person.key)
        child.expect(pexpect.EOF)
        said = str(child.before)
    assert child.exitstatus == 0
    assert "kept in" in said
    assert person.key not in said
    assert kept(person) == person.key


def test_argument_is_warned_of(person: Person) -> None:
    """As an argument the key works, as in the product's document, with a warning."""
    done = person.run("save-api-key", person.key)

    assert done.code == 0
    assert "harness: warning: others can see an argument in the list of processes" in done.err
    assert person.key not in done.out + done.err
    assert kept(person) == person.key


def test_an_argument_would_be_seen() -> None:
    """What looks for the key in the list of processes does find one that is there."""
    secret = f"ak_visible_to_everybody_{os.getpid()}"
    words = ["sh", "-c", "echo ready; read x", secret]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            assert len(shown_by_processes(secret)) == 1
        finally:
            process.kill()


def test_saving_again_replaces(person: Person, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one key: the last that was valid."""
    other = service.client.create_api_key(service.client.own_name("other")).key
    for key in (person.key, other, "ak_wrong_0000000000000000"):
        monkeypatch.setenv("PELION_API_KEY", key)
        person.run("save-api-key")

    assert kept(person) == other


def test_wrong_key(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the service does not know is not kept, and not shown."""
    wrong = "ak_1wrong000000000000000000000000000"
    monkeypatch.setenv("PELION_API_KEY", wrong)

    done = person.run("save-api-key")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("harness: GetMyAccount was answered 401: ")
    assert done.err.count("\n") == 1
    assert wrong not in done.err
    assert kept(person) is None


def test_dead_service(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is not there is named; the key is not kept."""
    monkeypatch.setenv("PELION_API_KEY", person.key)

    done = person.run("save-api-key", "--url", "http://127.0.0.1:9")

    assert done.code == 1
    assert "http://127.0.0.1:9" in done.err
    assert person.key not in done.err
    assert kept(person) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "standard input: no API key; expected the key, in one line"),
        ([], "KEY: no API key; expected '-' to read it from standard input, or PELION_API_KEY"),
        (["two words"], "KEY: no API key; expected printable ASCII without blanks"),
        (["k", "--url", "ftp://x"], "--url: no address of a service (got 'ftp://x')"),
        (["k", "--url", "http://"], "--url: no address of a service"),
        (["k", "--url", "http://["], "--url: no address of a service"),
    ],
)
def test_wrong_use(
    person: Person, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be meant is one line and 4."""
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        done = person.run("save-api-key", *arguments)

    assert (done.code, done.out) == (4, "")
    assert message in done.err.splitlines()[-1]
    assert kept(person) is None


def test_broken_stores_file(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stores are is known before the service is asked; a broken file stays as it is."""
    file = person.home / ".mbl-stores.json"
    file.write_text("{ user: x }")
    monkeypatch.setenv("PELION_API_KEY", person.key)

    done = person.run("save-api-key", "--url", "http://127.0.0.1:9")

    assert done.code == 4
    assert f"harness: {file}: is no JSON at line 1; it is left as it is" in done.err
    assert file.read_text() == "{ user: x }"
