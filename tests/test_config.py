"""Options and environment: what is accepted, and the message for everything that is not."""

from __future__ import annotations

import os
import stat
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import (
    BackendChoice,
    BenchChoice,
    BoardSettings,
    BoardsWanted,
    Settings,
    choose_sec_tags,
    parse_backends,
    parse_bench,
    parse_boards,
    parse_sec_tags,
    runtime_directory,
)
from harness.errors import UsageError
from harness.rig import Rig


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("attached", BenchChoice(kind="attached")),
        ("virtual", BenchChoice(kind="virtual")),
        ("virtual=/run/bench.sock", BenchChoice(kind="virtual", socket=Path("/run/bench.sock"))),
    ],
)
def test_bench(text: str | None, expected: BenchChoice | None) -> None:
    """A bench is named by one word, a running one with its socket."""
    assert parse_bench(text) == expected


@pytest.mark.parametrize("text", ["hardware", "Virtual", "attached=x", "virtual ", "=x"])
def test_unknown_bench_is_refused(text: str) -> None:
    """The message shows what was written and what there is."""
    with pytest.raises(UsageError) as caught:
        parse_bench(text)

    assert str(caught.value) == (
        f"--bench: no such bench (got {text!r}); expected virtual, virtual=SOCKET or attached"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, BoardsWanted()),
        ("", BoardsWanted()),
        ("4", BoardsWanted(count=4)),
        ("a=1", BoardsWanted(kinds={"a": 1})),
        (
            "nrf9161dk-virtual=2, thingy91x-virtual=1",
            BoardsWanted(kinds={"nrf9161dk-virtual": 2, "thingy91x-virtual": 1}),
        ),
    ],
)
def test_boards(text: str | None, expected: BoardsWanted) -> None:
    """Boards are asked for by number, or by kind."""
    assert parse_boards(text) == expected


@pytest.mark.parametrize(
    "text", ["0", "-1", "many", "1.5", "a=0", "a=", "a=b", "a=1,b", "²", "٣", "0\x1f", "1\x1f", "9" * 5000]
)
def test_wrong_number_of_boards_is_refused(text: str) -> None:
    """Only positive whole numbers are numbers of boards."""
    with pytest.raises(UsageError, match=r"--boards: not a number of boards .*; expected N or KIND=N"):
        parse_boards(text)


def test_kind_named_twice_is_refused() -> None:
    """Which of the two numbers counts would be a guess."""
    with pytest.raises(
        UsageError, match=r"--boards: kind named twice \(got 'a=1,a=2'\); expected each KIND once"
    ):
        parse_boards("a=1,a=2")


def test_empty_kind_is_refused() -> None:
    """A number needs the kind that it is of."""
    with pytest.raises(UsageError, match=r"--boards: no kind \(got '=2'\); expected N or KIND=N"):
        parse_boards("=2")


def test_backends() -> None:
    """A backend is its fake or an address, without the slash at the end."""
    assert parse_backends(["nrfcloud=fake", "other=http://127.0.0.1:8080/v1/"]) == {
        "nrfcloud": BackendChoice(name="nrfcloud", mode="fake"),
        "other": BackendChoice(name="other", mode="url", url="http://127.0.0.1:8080/v1"),
    }


def test_real_backends() -> None:
    """The real service is named alone, with a stage, or with an address of its own."""
    assert parse_backends(["a=real", "b=real:beta", "c=real:https://localhost:8443/"]) == {
        "a": BackendChoice(name="a", mode="real", stage="prod"),
        "b": BackendChoice(name="b", mode="real", stage="beta"),
        "c": BackendChoice(name="c", mode="real", url="https://localhost:8443"),
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["nrfcloud"], r"--backend: malformed \(got 'nrfcloud'\); expected NAME=fake, NAME=real or NAME=URL"),
        (["=fake"], "--backend: malformed"),
        (["nrfcloud="], "--backend: malformed"),
        (["a=fake", "a=fake"], r"--backend: backend named twice \(got 'a=fake'\); expected each NAME once"),
        (["a=real:"], r"--backend: no such stage \(got 'real:'\); expected real, real:STAGE or real:URL"),
        (["a=real:Beta 1"], r"--backend: no such stage \(got 'real:Beta 1'\)"),
        (["a=real:ftp://host"], "--backend: no such stage"),
        (["a=fack"], r"--backend: not an address \(got 'fack'\); expected fake, real or an http\(s\) URL"),
        (["a=ftp://host"], "--backend: not an address"),
        (["a=http://"], "--backend: not an address"),
        (["a=http://["], "--backend: not an address"),
        (["a=http://host:port"], "--backend: not an address"),
        (["a=http://host:99999"], "--backend: not an address"),
    ],
)
def test_wrong_backend_is_refused(texts: list[str], message: str) -> None:
    """Each mistake is told apart, with what was expected."""
    with pytest.raises(UsageError, match=message):
        parse_backends(texts)


def test_nothing_is_chosen_by_default() -> None:
    """Without a word the plugin is idle: no bench, no board, no backend."""
    settings = Settings()

    assert settings.bench is None
    assert settings.boards == BoardsWanted()
    assert settings.backends == {}
    assert not settings.keep


def test_settings_are_frozen() -> None:
    """What was validated stays as it was."""
    with pytest.raises(FrozenInstanceError):
        Settings().keep = True  # type: ignore[misc]  # it has to fail


def test_named_runtime_directory_is_made_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory that the environment names is made, for its owner alone."""
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(tmp_path / "a" / "b"))

    directory = runtime_directory()

    assert directory == tmp_path / "a" / "b"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_session_runtime_directory_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login session's directory serves when nothing was named."""
    monkeypatch.delenv("HARNESS_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    assert runtime_directory() == tmp_path / "harness"


def test_temporary_directory_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a session's directory it is one of the user's own among the temporary files."""
    monkeypatch.delenv("HARNESS_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert runtime_directory() == tmp_path / f"harness-{os.getuid()}"


def test_directory_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that somebody else prepared is not used."""
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(tmp_path))
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)

    with pytest.raises(UsageError, match="HARNESS_RUNTIME_DIR: belongs to another user"):
        runtime_directory()


@given(st.text())
def test_any_text_is_settings_or_one_message(text: str) -> None:
    """Whatever is written for an option, it is accepted or refused by a usage error that names the option."""
    for option, parse in (
        ("--bench", parse_bench),
        ("--boards", parse_boards),
        ("--backend", lambda value: parse_backends([value])),
    ):
        try:
            parse(text)
        except UsageError as error:
            assert error.key == option  # noqa: PT017 - both outcomes are right, and differ


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), st.integers(1, 999), min_size=1)
)
def test_kinds_survive_writing_and_reading(kinds: dict[str, int]) -> None:
    """Any numbers by kind are read as they were written."""
    text = ",".join(f"{kind}={number}" for kind, number in kinds.items())

    assert parse_boards(text).kinds == kinds


# -- what may be done with hardware -------------------------------------------------------------------------


def test_range_of_security_tags() -> None:
    """Both ends are in the range, which may be one tag long."""
    assert parse_sec_tags("5-7", allow_destructive=False) == range(5, 8)
    assert parse_sec_tags(" 5 - 5 ", allow_destructive=False) == range(5, 6)


@pytest.mark.parametrize("text", ["", "5", "5-", "-5", "7-5", "a-b", "5-7-9", "0-2147483648", "٣-٤", "+1-2"])
def test_no_range_of_security_tags(text: str) -> None:
    """The message says what a range is."""
    with pytest.raises(UsageError, match=r"--sec-tags: not a range of security tags .*FIRST-LAST, 0 to 2147"):
        parse_sec_tags(text, allow_destructive=False)


@given(first=st.integers(16_842_000, 16_843_500), more=st.integers(0, 2_000))
def test_credentials_of_the_field_are_nobodys_to_overwrite(first: int, more: int) -> None:
    """Whatever range is asked for, tag 16842753 is in it with ``--allow-destructive`` only."""
    text = f"{first}-{first + more}"

    assert len(parse_sec_tags(text, allow_destructive=True)) == more + 1
    if first <= 16_842_753 <= first + more:
        with pytest.raises(UsageError, match="holds 16842753"):
            parse_sec_tags(text, allow_destructive=False)
    else:
        assert len(parse_sec_tags(text, allow_destructive=False)) == more + 1


def test_option_counts_before_the_rig_file(tmp_path: Path) -> None:
    """Without either, the range is the one that is reserved for everybody."""
    rig = Rig(file=tmp_path / "rig.toml", name="desk", sec_tags="5-7")

    assert choose_sec_tags("8-9", rig, allow_destructive=False) == range(8, 10)
    assert choose_sec_tags("", rig, allow_destructive=False) == range(5, 8)
    assert choose_sec_tags("", None, allow_destructive=False) == range(910_000_000, 910_000_010)
    forbidden = replace(rig, sec_tags="16842753-16842753")
    with pytest.raises(UsageError, match=r"rig.toml: sec_tags: holds 16842753"):
        choose_sec_tags("", forbidden, allow_destructive=False)


def test_house_rules_are_for_hardware_only(tmp_path: Path) -> None:
    """A session on virtual boards has none; one on hardware says its tags and whether it is careful."""
    attached = Settings(bench=BenchChoice(kind="attached"))

    assert Settings(bench=BenchChoice(kind="virtual")).house_rules == ()
    assert attached.house_rules == (("security tags", "910000000-910000009"), ("allow destructive", "no"))
    careless = replace(attached, allow_destructive=True, rig=Rig(file=tmp_path, name="desk"))
    assert careless.house_rules[0] == ("rig", "desk")
    assert careless.house_rules[2] == ("allow destructive", "YES, boards may be changed for good")
    assert careless.for_boards == BoardSettings(
        sec_tags=range(910_000_000, 910_000_010), allow_destructive=True
    )
