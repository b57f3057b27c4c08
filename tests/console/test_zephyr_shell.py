"""What a terminal shows of the lines of a Zephyr shell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.console.zephyr_shell import is_complaint, is_prompt, is_refusal, shown_text

PROMPT = "\x1b[1;32muart:~$ \x1b[m"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("359404230261381", "359404230261381"),
        (f"{PROMPT}at 'AT+CGSN'", "at 'AT+CGSN'"),
        (f"{PROMPT}{PROMPT}", ""),
        ("uart:~$ uart:~$ help", "help"),
        ("rtt:~$ kernel version", "kernel version"),
        ("\x1b[1;31mfoo: command not found\x1b[m", "foo: command not found"),
        ("\x1b[0m[00:00:01.000,000] <inf> app: hi\x1b[0m", "[00:00:01.000,000] <inf> app: hi"),
        pytest.param(
            f"{PROMPT}at\x1b[10D\x1b[J[00:00:01.000,000] <inf> app: hi",
            "[00:00:01.000,000] <inf> app: hi",
            id="erased",
        ),
        ("atx\b \b 'AT'", "at 'AT'"),
        ("50 %\r60 %", "60 %"),
        ("abc\x1b[2DX", "aXc"),
        ("abc\x1b[99D\x1b[2CX", "abX"),
        ("ab\x1b[999999999CX", "abX"),
        ("abc\x1b[2K", "   "),
        ("abc\x1b[1DX\x1b[1K", "   "),
        ("cut \x1b[1", "cut \x1b[1"),
        ("cost: 5$", "cost: 5$"),
        ("a uart:~$ b", "a uart:~$ b"),
    ],
)
def test_line_is_shown(line: str, shown: str) -> None:
    """Colours and prompts are out, what was erased or written over is gone, all else stays."""
    assert shown_text(line) == shown


def test_prompts() -> None:
    """A prompt counts where nothing else stands on the line."""
    assert is_prompt(PROMPT)
    assert is_prompt("uart:~$ ")
    assert not any(map(is_prompt, [PROMPT + "at", "\x1b[m", "", "$"]))


@pytest.mark.parametrize(
    "line",
    [
        "AT+CGSN: command not found",
        "\x1b[1;31mAT: command not found",
        "at: wrong parameter count",
        "not terminated: '",
        'not terminated: "',
        "Too many arguments in the command.",
    ],
)
def test_complaints(line: str) -> None:
    """The shell says that it could make nothing of a line."""
    assert is_complaint(line)
    assert is_refusal(line)


@pytest.mark.parametrize(
    "line", ["OK", "ERROR", '%CMNG: 1,0,"x: command not found"', "the key was not terminated: 'x'", ""]
)
def test_what_is_no_complaint(line: str) -> None:
    """What a modem says is none."""
    assert not is_complaint(line)
    assert not is_refusal(line)


def test_help_is_a_refusal() -> None:
    """A command that exists, but not with such a part, is explained."""
    assert is_refusal("Subcommands:")


@given(st.text(alphabet=st.sampled_from("ab:~$ 9;[JKDCm\x1b\b\r"), max_size=60))
def test_any_line_can_be_shown(line: str) -> None:
    """No sequence of bytes is too much, nothing grows, and what is shown moves nothing any more."""
    shown = shown_text(line)

    assert len(shown) <= len(line)
    assert not {"\b", "\r"} & set(shown)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc"]), max_size=60))
def test_plain_text_stays(line: str) -> None:
    """Without control characters only a prompt at the beginning is taken off."""
    assert line.endswith(shown_text(line))
    assert shown_text("x" + line) == "x" + line or "~$" in line
