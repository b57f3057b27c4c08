"""Text files in front of which a redactor stands."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest

from harness.errors import CommandRefused, HarnessError
from harness.redaction import Redactor, protect_messages
from harness.redaction.output import RedactedOutput, redact_handler


@pytest.fixture
def redactor() -> Redactor:
    """One that knows a value."""
    redactor = Redactor()
    redactor.add("secret-value", "it")
    return redactor


def test_lines_are_passed_on(redactor: Redactor) -> None:
    """A line comes out when it ends, without secrets, however it was written."""
    file = io.StringIO()
    output = RedactedOutput(file, redactor)

    output.write("one secret-")
    assert file.getvalue() == ""
    output.writelines(["value\n", "two é"])
    assert file.getvalue() == "one [redacted: it]\n"
    output.flush()
    assert file.getvalue() == "one [redacted: it]\ntwo é"


def test_the_binary_file_below(redactor: Redactor) -> None:
    """Who writes bytes to the file below does not get around redaction, and the order stays."""
    below = io.BytesIO()
    file = io.TextIOWrapper(below, "utf-8")
    output = RedactedOutput(file, redactor)

    output.write("text secr")
    assert output.buffer.write(b"et-value \xc3") == 10
    output.buffer.write(b"\xa9\xff\n")
    output.buffer.flush()

    assert below.getvalue() == "text [redacted: it] é\\xff\n".encode()
    assert output.buffer.readable()


def test_it_has_everything_else_of_the_file(redactor: Redactor) -> None:
    """Colours, width and debuggers ask the file what it is."""
    output: Any = RedactedOutput(io.StringIO(), redactor)

    assert output.isatty() is False
    assert output.writable()
    with pytest.raises(AttributeError):
        output.no_such_thing  # noqa: B018 - asks for it


def test_log_records(redactor: Redactor) -> None:
    """A handler writes neither a secret in a message nor one in an exception."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    redact_handler(handler, redactor)
    logger = logging.getLogger("harness.tests.output")
    logger.addHandler(handler)
    logger.propagate = False

    error = ValueError("secret-value")
    logger.error("key %s", "secret-value", exc_info=error)

    assert "secret-value" not in stream.getvalue()
    assert stream.getvalue().startswith("key [redacted: it]\n")
    assert "ValueError: [redacted: it]" in stream.getvalue()


def test_errors_of_the_harness(redactor: Redactor) -> None:
    """While a session runs, errors are clean from the moment on at which they are made; their parts stay."""
    with protect_messages(redactor):
        refused = CommandRefused("AT secret-value", "ERROR")
        other = HarnessError("it is", b"secret-value", "secret-value")

    assert str(refused) == "AT [redacted: it] was refused: ERROR"
    assert repr(refused) == "CommandRefused('AT [redacted: it] was refused: ERROR')"
    assert refused.command == "AT secret-value"
    assert other.args == ("it is", b"secret-value", "[redacted: it]")
    assert str(HarnessError("secret-value")) == "secret-value"
