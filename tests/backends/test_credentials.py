"""Secrets from the environment and from files: what is one, who may read it, that no message repeats it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backends.credentials import (
    LONGEST_SECRET,
    PASSWORD,
    TOKEN,
    ca_file,
    fitting_secret,
    read_secret,
    read_secret_file,
)
from harness.errors import UsageError
from tests.open_files import open_below

if TYPE_CHECKING:
    import re
    from pathlib import Path

NAME = "TOY_KEY"
SECRET = "5a1b0f0c9be3476e"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing in the environment."""
    monkeypatch.delenv(NAME, raising=False)
    monkeypatch.delenv(f"{NAME}_FILE", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a secret, for its owner alone."""
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    return file


def read(file: Path, form: re.Pattern[bytes] = TOKEN) -> str:
    """Read a file as a plugin does."""
    return read_secret_file(file, named_by=f"{NAME}_FILE", what="API key", form=form)


# -- the environment -----------------------------------------------------------------------------------------


def test_variable_or_the_file_that_it_names(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing at first; the file where it is named; the variable itself comes before the file."""
    assert read_secret(NAME, what="API key") is None
    monkeypatch.setenv(f"{NAME}_FILE", str(file))
    assert read_secret(NAME, what="API key") == SECRET
    monkeypatch.setenv(NAME, " another \n")
    assert read_secret(NAME, what="API key") == "another"
    monkeypatch.setenv(NAME, " ")
    assert read_secret(NAME, what="API key") == SECRET


@pytest.mark.parametrize("secret", ["schl\u00fcssel", "two words", "line\nbreak", "\udcff", "k" * 4097])
def test_what_no_header_can_carry(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and what it should hold, and does not tell what it holds."""
    monkeypatch.setenv(NAME, secret)

    with pytest.raises(UsageError, match=r"^TOY_KEY: no API key; expected printable ASCII") as caught:
        read_secret(NAME, what="API key")

    assert secret not in str(caught.value)


@pytest.mark.parametrize("secret", ["two words", " blanks around ", "schl\u00fcssel", "!"])
def test_passwords_may_be_any_text(secret: str) -> None:
    """A password is one line of text, blanks and all."""
    assert fitting_secret(secret, named_by="P", what="password", form=PASSWORD) == secret


@pytest.mark.parametrize("secret", ["", "a\nb", "a\0b", "\udcff", "k" * 4097])
def test_what_is_no_password(secret: str) -> None:
    """Whatever is none is refused by what it should be."""
    with pytest.raises(UsageError, match=r"^P: no password; expected one line of text"):
        fitting_secret(secret, named_by="P", what="password", form=PASSWORD)


@given(content=st.binary(max_size=40), form=st.sampled_from([TOKEN, PASSWORD]))
def test_no_message_tells_the_secret(content: bytes, form: re.Pattern[bytes]) -> None:
    """Whatever somebody says: it is a secret, or a message without it."""
    text = content.decode("utf-8", "surrogateescape")
    refusal: UsageError | None = None
    try:
        said = fitting_secret(text, named_by="P", what="key", form=form)
    except UsageError as error:
        refusal = error
    else:
        assert said == text

    fits = bool(content.isascii() and content.isalnum())
    assert not (fits and refusal)
    if refusal is not None:
        assert str(refusal).startswith("P: no key; expected ")
        assert refusal.value is None


# -- files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601])
def test_file_that_others_may_read(file: Path, mode: int) -> None:
    """It is refused whatever others may do with it, and the message says how to mend that."""
    file.chmod(mode)

    with pytest.raises(UsageError, match=f"others may read the key .*mode 0{mode:o}") as caught:
        read(file)

    assert f"chmod 600 {file}" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_file_of_its_owner_alone(file: Path, mode: int) -> None:
    """Whatever its owner may do with it is his affair."""
    file.chmod(mode)

    assert read(file) == SECRET


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe", b"k" * 4097, b"a\nb"])
def test_file_without_a_secret(file: Path, content: bytes) -> None:
    """What is none is not sent anywhere, and not told."""
    file.write_bytes(content)

    with pytest.raises(UsageError, match="holds no API key; expected the key and nothing else") as caught:
        read(file)

    assert "two words" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"two words\r\n", "two words"), (b" x \n", " x "), (b"s\xc3\xbc\xc3\x9f", "süß")],
)
def test_password_in_a_file(file: Path, content: bytes, password: str) -> None:
    """Only the end of the line is no part of a password."""
    file.write_bytes(content)

    assert read(file, PASSWORD) == password


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"a\0b", b"\xff\xfe", b"k" * 4097])
def test_file_without_a_password(file: Path, content: bytes) -> None:
    """Several lines, control characters and what is no text are no password."""
    file.write_bytes(content)

    with pytest.raises(UsageError, match="holds no API key"):
        read(file, PASSWORD)


def test_longest_secret(file: Path) -> None:
    """The longest that fits is read whole."""
    file.write_bytes(b"k" * LONGEST_SECRET + b"\n")

    assert read(file) == "k" * 4096


def test_what_is_no_file(tmp_path: Path) -> None:
    """A directory and a name of nothing are told apart; nobody waits for the writer of a pipe."""
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name, message in ((".", "no plain file"), ("pipe", "no plain file"), ("gone", "cannot be read")):
        with pytest.raises(UsageError, match=rf"TOY_KEY_FILE: {message}"):
            read(tmp_path / name)


def test_no_descriptor_is_left_open(file: Path) -> None:
    """Neither a file that is read nor one that is refused stays open."""
    before = open_below(file.parent)
    read(file)
    file.chmod(0o644)
    with pytest.raises(UsageError):
        read(file)

    assert open_below(file.parent) == before


# -- authorities ---------------------------------------------------------------------------------------------


def test_file_of_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None where none is named; where one is named it has to be there."""
    monkeypatch.delenv("TOY_CA", raising=False)
    assert ca_file("TOY_CA") is None
    file = tmp_path / "ca.pem"
    monkeypatch.setenv("TOY_CA", str(file))
    with pytest.raises(UsageError, match=r"TOY_CA: no such file \(got .*ca.pem'\); expected certificates"):
        ca_file("TOY_CA")
    file.write_text("authorities")
    assert ca_file("TOY_CA") == file
