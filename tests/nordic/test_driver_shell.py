"""What is typed to a shell to have it run an AT command."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_nordic.driver_shell import NotTypable, ShellDialect, ShellRun, as_stored, typed


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("AT+CGSN", "at 'AT+CGSN'"),
        ('AT%KEYGEN=5,2,0,"CN=x"', "at 'AT%KEYGEN=5,2,0,\"CN=x\"'"),
        (
            'AT%CMNG=0,5,0,"-----BEGIN\nAA==\r\n-----END"',
            r"""at 'AT%CMNG=0,5,0,"-----BEGIN\nAA==\n-----END"'""",
        ),
        ('AT%CMNG = 00 ,5,4,"it\'s"', r"""at 'AT%CMNG = 00 ,5,4,"it\'s"'"""),
        (r'AT+COPS=1,"a\n"', r"""at 'AT+COPS=1,"a\n"'"""),
    ],
)
def test_typed_lines(command: str, line: str) -> None:
    r"""In single quotes; of a credential's line breaks backslash and ``n``, of CR nothing (section 6.2)."""
    assert typed(command) == line
    assert ShellDialect(command).encode(command) == line.encode() + b"\r\n"


@pytest.mark.parametrize(
    "command",
    [
        'AT%CMNG=0,5,4,"a\\nb"',
        'AT%CMNG=0,5,4,"a\rb"',
        'AT+COPS=1,"a\nb"',
        'AT+COPS=1,"a\x03"',
        'AT+COPS=1,"a\t"',
        'AT+COPS=1,"\xe9"',
        'AT+COPS=1,"a\\x41"',
        'AT+COPS=1,"a\\0"',
        'AT+COPS=1,"a\\\'"',
    ],
)
def test_what_cannot_be_typed(command: str) -> None:
    """What a line editor or a shell would change is refused, and a credential is not shown for it."""
    with pytest.raises(NotTypable, match="cannot be typed to a Zephyr shell") as refusal:
        typed(command)
    assert "CMNG" not in command or command[15:] not in str(refusal.value)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_what_arrives_is_what_was_meant(content: str) -> None:
    """Whatever is typed is in one pair of quotes, and read back by a shell's rules it is the command."""
    command = f'AT%CMNG=0,1,0,"{content}"'
    try:
        line = typed(command)
    except NotTypable:
        return
    inside = line.removeprefix("at '").removesuffix("'")
    assert "'" not in inside.replace(r"\'", "")
    assert line.isprintable()
    arrived = inside.replace(r"\'", "'").replace(r"\n", "\r\n")
    assert arrived == f'AT%CMNG=0,1,0,"{as_stored(content)}"'


def test_line_ends_that_are_stored() -> None:
    """Through a shell every line of a credential ends with CR LF."""
    assert as_stored("a\nb\r\nc\n") == "a\r\nb\r\nc\r\n"


@pytest.mark.parametrize("parts", [["at 'AT'"], ["at", " ", "'AT'"], ["kernat 'AT'"]])
def test_echo(parts: list[str]) -> None:
    """It may come in parts, or behind what somebody has typed before; then it is over."""
    dialect = ShellDialect("AT")

    assert [dialect.is_echo(part, "AT") for part in parts] == [True] * len(parts)
    assert dialect.echoed
    assert not dialect.is_echo("at 'AT'", "AT")


def test_other_lines_are_no_echo() -> None:
    """A line that continues nothing is the modem's."""
    dialect = ShellDialect("AT+CGSN")

    assert dialect.is_echo("at 'AT", "")
    assert not dialect.is_echo("359404230261381", "")
    assert not dialect.echoed


def test_command_of_the_shell_itself() -> None:
    """Behind it ``at AT`` is typed, whose answer ends it; both echoes are no part of what it says."""
    dialect = ShellRun("kernel uptime")

    assert dialect.encode("kernel uptime") == b"kernel uptime\r\nat AT\r\n"
    assert not dialect.is_final("nope: command not found")
    assert dialect.is_final("OK")
    assert all(
        map(dialect.is_unsolicited, ["kernel uptime", "at AT", "[00:00:01.000,000] <wrn> a: b", "Ready"])
    )
    assert not dialect.is_unsolicited("Uptime: 4711 ms")
