"""Executing batches: what a modem's answer becomes in a report (nrfcloud fact sheet, section 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent.batch import execute, judge, too_long
from harness_nordic.host_agent.options import HostAgentOptions
from harness_nordic.host_agent.wire import AtCommand, Command, ConfigCommand, FinishedCommand, Report

COMMAND = AtCommand(id="x", set_command="%CMNG", parameters="3,5,2", ignored=(513, 23))


@pytest.mark.parametrize(
    "answer",
    [
        "OK\r\n",
        '%CMNG: 1,2,"AA"\r\nOK\r\n',
        "+CME ERROR: 513\r\n",
        "+CME ERROR: 23\r\n",
        "+CME ERROR: 0\r\n",
        "ERROR\r\n",
    ],
)
def test_done(answer: str) -> None:
    """OK, an ignored number and a plain error are reported as done, with the complete text."""
    assert judge(COMMAND, answer) == Report(id="x", type=DeviceReportType.AT_DONE, message=answer)


@pytest.mark.parametrize(
    ("answer", "number"),
    [("+CME ERROR: 518\r\n", 518), ("+CME ERROR:514\r\n", 514), ("+CMS ERROR: 302\r\n", 0), ("", 0)],
)
def test_failed(answer: str, number: int) -> None:
    """Any other end of an answer is a failure with its number, or with 0."""
    assert judge(COMMAND, answer) == Report(
        id="x", type=DeviceReportType.FAILED, cme_error=number, message=answer
    )


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ('0,5,0,"-----BEGIN\r\nAA\n-----END"', True),
        ("1\r\nAT+CFUN=0", False),
        ('1,"a"\nAT+CFUN=0', False),
        ('1,"a\nb",2\0', False),
        ('1,"never closed\nAT+CFUN=0', False),
    ],
)
def test_line_ends(modem: Any, parameters: str, sent: bool) -> None:  # noqa: FBT001 - a case
    """A line end inside quotes is content; outside them nothing is sent."""
    command = AtCommand(id="x", set_command="+X", parameters=parameters)

    done = execute([command], modem, {}, HostAgentOptions())

    assert (modem.asked == [command.line]) is sent
    assert (done.reports[0].type is DeviceReportType.AT_DONE) is sent
    assert done.last == "x"


def test_order(modem: Any) -> None:
    """Settings are stored in order, finished comes last whatever its place."""
    settings = {"a": "0", "other": "x"}
    commands: list[Command] = [
        FinishedCommand(id="f"),
        ConfigCommand(id="1", pairs={"a": "1", "b": "1"}),
        ConfigCommand(id="2", pairs={"a": "2"}),
    ]

    done = execute(commands, modem, settings, HostAgentOptions())

    assert [report.id for report in done.reports] == ["1", "2", "f"]
    assert settings == {"a": "2", "b": "1", "other": "x"}
    assert (done.finished, done.last) == (True, "2")
    assert modem.asked == []


def test_longest_command() -> None:
    """The buffer has to hold the text with its final NUL."""
    command = AtCommand(id="x", set_command="+X", parameters="é")  # two bytes

    assert too_long([command, FinishedCommand(id="f")], 8) is None
    assert too_long([command], 7) == 8
