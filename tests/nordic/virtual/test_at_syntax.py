"""Reading AT commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.at_syntax import Argument, AtCommand, Form, parse
from harness_nordic.virtual.errors import AtError, CmeRefusal


def bare(text: str) -> Argument:
    """Make an argument without quotes."""
    return Argument(text, quoted=False)


def quoted(text: str) -> Argument:
    """Make an argument in quotes."""
    return Argument(text, quoted=True)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("AT", AtCommand("", Form.EXECUTE)),
        ("at+cgsn", AtCommand("+CGSN", Form.EXECUTE)),
        ("AT+CFUN?", AtCommand("+CFUN", Form.READ)),
        ("AT#XNRFPROV=?", AtCommand("#XNRFPROV", Form.TEST)),
        ("AT+CFUN=4 ", AtCommand("+CFUN", Form.SET, (bare("4"),))),
        ("AT%CMNG=1, 5", AtCommand("%CMNG", Form.SET, (bare("1"), bare("5")))),
        ("AT%JWT=0,300,,", AtCommand("%JWT", Form.SET, (bare("0"), bare("300"), None, None))),
        (
            'AT%CMNG=0,5,0 , "a,b\r\nc" ,""',
            AtCommand("%CMNG", Form.SET, (bare("0"), bare("5"), bare("0"), quoted("a,b\r\nc"), quoted(""))),
        ),
    ],
)
def test_commands(line: str, command: AtCommand) -> None:
    """Names, forms and arguments, with blanks around arguments and line breaks inside quotes."""
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "",
        "kernel reboot warm",
        "at AT+CGSN",
        "AT=1",
        "AT+CFUN!",
        'AT%CMNG=0,5,0,"open',
        'AT%CMNG=0,5,0,"a"b',
        'AT%CMNG=0,5,0,a"b"',
    ],
)
def test_no_commands(line: str) -> None:
    """What is no command is a plain error."""
    with pytest.raises(AtError):
        parse(line)


def test_arguments() -> None:
    """Numbers are bare and text is quoted; what is left out takes the default or is missing."""
    command = parse('AT%X=7,"t",,4294967295,x')

    assert (command.number(0), command.text(1), command.number(2, default=9)) == (7, "t", 9)
    assert (command.text(2, default="d"), command.number(3, high=0xFFFFFFFF)) == ("d", 4294967295)
    assert (command.has(1), command.has(2), command.has(9)) == (True, False, False)
    command.at_most(5)


@pytest.mark.parametrize(
    ("ask", "number"),
    [
        (lambda command: command.number(1), 50),
        (lambda command: command.number(2), 51),
        (lambda command: command.number(3), 50),
        (lambda command: command.number(4), 50),
        (lambda command: command.number(9), 51),
        (lambda command: command.text(0), 50),
        (lambda command: command.text(2), 51),
        (lambda command: command.at_most(4), 50),
    ],
)
def test_unfit_arguments(ask: object, number: int) -> None:
    """50 for a bad parameter, 51 for a missing one (nrfcloud fact sheet, section 5.6)."""
    with pytest.raises(CmeRefusal) as refusal:
        ask(parse('AT%X=7,"t",,4294967295,x'))  # type: ignore[operator] # one of the lambdas above

    assert refusal.value.number == number


@given(st.text())
def test_any_text_is_a_command_or_an_error(text: str) -> None:
    """Nothing else can happen."""
    for line in (text, f"AT+CFUN={text}", f'AT%CMNG=0,1,0,"{text}'):
        try:
            parse(line)
        except AtError:
            continue
