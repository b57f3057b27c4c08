"""Keys that cannot be one, and files that hold none: one clear message, and never the key in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness_nordic.client_access import read_api_key, read_key_file

if TYPE_CHECKING:
    from pathlib import Path

KEY = "5a1b0f0c9be3476e"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no key of the user's own."""
    monkeypatch.delenv("NRFCLOUD_API_KEY", raising=False)
    monkeypatch.delenv("NRFCLOUD_API_KEY_FILE", raising=False)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file with a key, for its owner alone."""
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("key", ["schl\u00fcssel", "two words", "line\nbreak", "\udcff"])
def test_key_that_no_header_can_carry(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable, and does not tell the key."""
    monkeypatch.setenv("NRFCLOUD_API_KEY", key)

    with pytest.raises(UsageError, match="NRFCLOUD_API_KEY") as caught:
        read_api_key("somewhere")

    assert key not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_file_that_others_may_read(key_file: Path, mode: int) -> None:
    """It is refused whatever others may do with it, and the message says how to mend that."""
    key_file.chmod(mode)

    with pytest.raises(UsageError, match=f"mode 0{mode:o}") as caught:
        read_key_file(key_file)

    assert f"chmod 600 {key_file}" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe", b"k" * 4097, b"a\nb"])
def test_file_without_a_key(key_file: Path, content: bytes) -> None:
    """What is no key is not sent anywhere."""
    key_file.write_bytes(content)

    with pytest.raises(UsageError, match="holds no API key"):
        read_key_file(key_file)


def test_what_is_no_file(tmp_path: Path) -> None:
    """A directory and a name of nothing are told apart; nobody waits for the writer of a pipe."""
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name, message in ((".", "no plain file"), ("pipe", "no plain file"), ("gone", "cannot be read")):
        with pytest.raises(UsageError, match=message):
            read_key_file(tmp_path / name)
