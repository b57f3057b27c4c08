"""The shell's words, judged by dash: the same words, fields, patterns and lists come to a program."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness_pelion.virtual.words import ShellSyntaxError, parse
from tests.pelion.virtual.shell_bench import ShellBench

if TYPE_CHECKING:
    from pathlib import Path

DASH = shutil.which("dash") or "sh"
NAMES = ("a", "b c", "ab", "*", "[x]", "d/a", "d/e", ".hidden", "x'y", 'q"r')

PLAIN = st.text("abdx*?[]-./ =%:,", max_size=8)
PIECES = st.one_of(
    st.text("abdx*?[]-./=%:,", min_size=1, max_size=5),
    PLAIN.map(lambda text: f"'{text}'"),
    PLAIN.map(lambda text: f'"{text}"'),
    st.sampled_from(
        [
            "\\ ",
            "\\*",
            "\\'",
            '\\"',
            "\\\\",
            "$V",
            "${V}",
            '"$V"',
            "$EMPTY",
            '"$EMPTY"',
            '"$"',
            "\\$V",
            '"\\$V"',
            '"\\x"',
        ]
    ),
)
WORDS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
LINES = st.lists(WORDS, max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of the host with the same names as that of the device."""
    directory = tmp_path_factory.mktemp("names")
    (directory / "d").mkdir()
    for name in NAMES:
        (directory / name).write_text("")
    return directory


def on_the_host(line: str, directory: Path) -> tuple[int, bytes]:
    """Let dash run a line, with a program ``show`` that writes its arguments."""
    script = f"V='two  *words'; EMPTY=; show() {{ printf '%s|' \"$@\"; echo; }}\n{line}\n"
    done = subprocess.run(
        [DASH, "-c", script],
        cwd=directory,
        capture_output=True,
        check=False,
        timeout=20,
        env={"PATH": "", "LC_ALL": "C"},
    )
    return done.returncode, done.stdout


def on_the_device(line: str) -> tuple[int, bytes]:
    """Let the device run it."""
    bench = ShellBench()
    bench.filesystem.make_directory("/mnt/names")
    bench.filesystem.make_directory("/mnt/names/d")
    for name in NAMES:
        bench.filesystem.write(f"/mnt/names/{name}", b"")
    bench.shell.session.directory = "/mnt/names"
    bench.shell.session.values |= {"V": "two  *words", "EMPTY": ""}
    ended = bench.shell.run(line)
    return ended.status, ended.output


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=LINES)
@example(words="d/*")
@example(words="'d'/* \"*\" [ab] [!a] *c .* */a")
@example(words='$V "$V" a$V$V')
def test_words_as_dash(names: Path, words: str) -> None:
    """Quotes, values, fields and patterns make of a line what dash makes of it."""
    assert on_the_device(f"show {words}") == on_the_host(f"show {words}", names)


STEPS = st.sampled_from(["true", "false", "! true", "! false", "show $?", "show a | cat", "false | true"])
LISTS = st.lists(st.tuples(STEPS, st.sampled_from([" ; ", " && ", " || ", "\n", ";\n"])), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=LISTS)
def test_lists_as_dash(names: Path, steps: list[tuple[str, str]]) -> None:
    """Lists run what dash runs, and end as it ends."""
    line = "".join(step.replace("| cat", "") + join for step, join in steps) + "true"
    assert on_the_device(line) == on_the_host(line, names)


@pytest.mark.parametrize(
    "line",
    ["'open", '"open', "a |", "a &&", "; a", "a ;; b", "a && && b", "a > ", "a | | b", "a >> ;", "( a"],
)
def test_syntax_errors(names: Path, line: str) -> None:
    """What is none of dash's lines is none of the device's either: exit code 2, nothing is run."""
    ended = ShellBench().shell.run(f"mkdir /mnt/x\n{line}")
    assert on_the_host(line, names)[0] == 2
    assert (ended.status, ended.output) == (2, b"")
    assert ended.errors.startswith(b"sh: syntax error: ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a `b`", "syntax error: there is no command substitution here"),
        ("a $(b)", "syntax error: there is no command substitution here"),
        ('a "$(b)"', "syntax error: there is no command substitution here"),
        ("a & b", "syntax error: there are no background jobs here"),
        ("a $$", "syntax error: bad substitution"),
        ('a "$*"', "syntax error: bad substitution"),
        ("a ${b:-c}", "syntax error: bad substitution"),
        ("a 'b", "syntax error: unterminated quoted string"),
        ("a >", "syntax error: unexpected newline"),
        ("a | ; b", 'syntax error: unexpected ";"'),
        ("a &&", "syntax error: unexpected end of file"),
        ("(a)", 'syntax error: unexpected "("'),
    ],
)
def test_refusals(line: str, message: str) -> None:
    """What this shell does not know is refused by name."""
    with pytest.raises(ShellSyntaxError) as refusal:
        parse(line)
    assert str(refusal.value) == message


@given(st.text(max_size=40))
def test_any_line(line: str) -> None:
    """Any text is taken or refused, nothing else happens."""
    complaint = ""
    try:
        parse(line)
    except ShellSyntaxError as error:
        complaint = str(error)
    assert complaint == "" or complaint.startswith("syntax error: ")
