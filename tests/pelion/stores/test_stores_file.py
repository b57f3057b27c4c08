"""``~/.mbl-stores.json``: made once with the defaults, never replaced, and refused when it says nothing."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness_pelion.stores_file import locations

if TYPE_CHECKING:
    from pathlib import Path

#: What the product's own document shows, which is no JSON (pelion fact sheet, section 1.4).
SAMPLE = """{
    "user": path/to/user/store,
    "team": path/to/team/store
}
"""


def test_first_use_writes_the_defaults(tmp_path: Path) -> None:
    """Both default places are written as absolute paths, and for the owner alone whatever the umask."""
    before = os.umask(0)
    try:
        found = locations(tmp_path)
    finally:
        os.umask(before)

    file = tmp_path / ".mbl-stores.json"
    assert json.loads(file.read_text()) == {
        "user": str(tmp_path / ".mbl-store/user"),
        "team": str(tmp_path / ".mbl-store/team"),
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (found.user, found.team) == (tmp_path / ".mbl-store/user", tmp_path / ".mbl-store/team")
    assert found.by_default
    assert not (tmp_path / ".mbl-store").exists(), "a store is made when something is kept there"


def test_own_places_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own file is read and left as it is, also what we do not know in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".mbl-stores.json"
    text = '{"user": "~/mine", "team": "/srv/team", "other": 1}'
    file.write_text(text)

    found = locations()

    assert (found.user, found.team) == (tmp_path / "mine", found.team.__class__("/srv/team"))
    assert not found.by_default
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SAMPLE, "is no JSON at line 2; it is left as it is; expected an object like"),
        ("", "is no JSON at line 1; it is left as it is"),
        ("[1]", "holds no object; it is left as it is"),
        ("[" * 100_000, "is too large"),
        ("[" * 60_000, "is no JSON"),
        ('{"user": "/a"}', "team: names no directory; expected an absolute path, or one that begins with ~/"),
        ('{"user": "", "team": "/b"}', "user: names no directory (got '')"),
        ('{"user": 5, "team": "/b"}', "user: names no directory (got 5)"),
        ('{"user": "a/b", "team": "/b"}', "user: depends on where you are (got 'a/b')"),
        ('{"user": "~nobody-here/b", "team": "/b"}', "user: names an unknown home"),
        ('{"user": "/b", "team": "/b"}', "team: is the user store too"),
        ('{"user": "/b\\u0000", "team": "/b"}', "user: names no directory"),
    ],
    ids=["the seed's own sample", "empty", "list", "large", "deep", *map(str, range(7))],
)
def test_broken_file_is_named_and_left(text: str, message: str, tmp_path: Path) -> None:
    """A file that does not say where the stores are is named in one message, and stays as it is."""
    file = tmp_path / ".mbl-stores.json"
    file.write_text(text)

    with pytest.raises(UsageError) as raised:
        locations(tmp_path)

    assert f"{file}: {message}" in str(raised.value)
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]


def test_unreadable_file(tmp_path: Path) -> None:
    """What is no file at all is named too."""
    (tmp_path / ".mbl-stores.json").mkdir()

    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        locations(tmp_path)


def test_home_that_nobody_may_write_to(tmp_path: Path) -> None:
    """Where the file cannot be written, that is said."""
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        locations(tmp_path / "missing")


@given(content=st.binary(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_content_is_read_or_refused(content: bytes, tmp_path: Path) -> None:
    """No content has any other effect, and none is changed."""
    file = tmp_path / ".mbl-stores.json"
    file.write_bytes(content)

    with pytest.raises(UsageError):
        locations(tmp_path)

    assert file.read_bytes() == content
