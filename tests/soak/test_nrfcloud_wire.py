"""The device protocol under random and damaged input: two independent ends agree, nothing escapes."""

from __future__ import annotations

import contextlib
from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.fake import tokens
from harness_nordic.fake import wire as service_wire
from harness_nordic.fake.jwt import verify_jwt
from harness_nordic.fake.refusals import Refusal
from harness_nordic.virtual import at_syntax
from harness_nordic.virtual import wire as board_wire
from harness_nordic.virtual.cbor import DecodeError
from harness_nordic.virtual.errors import AtError, CmeRefusal

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
IDS = st.text("0123456789abcdef-", min_size=1, max_size=45)
COMMANDS = st.one_of(
    st.builds(
        service_wire.AtCommand,
        id=IDS,
        set_command=TEXT,
        parameters=TEXT,
        ignored=st.lists(st.integers(0, 2**32 - 1), max_size=4).map(tuple),
    ),
    st.builds(service_wire.ConfigCommand, id=IDS, pairs=st.dictionaries(TEXT, TEXT, min_size=1, max_size=4)),
    st.builds(service_wire.FinishedCommand, id=IDS),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.text(max_size=6)
    | st.binary(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


def plain(command: Any) -> list[Any]:
    """What both ends know of a command, in one form."""
    pairs = getattr(command, "pairs", None)
    return [
        command.id,
        getattr(command, "set_command", None),
        getattr(command, "parameters", None),
        tuple(getattr(command, "ignored", ())),
        dict(pairs) if pairs is not None else None,
    ]


@given(commands=st.lists(COMMANDS, min_size=1, max_size=5))
def test_board_understands_the_service(commands: list[service_wire.DeviceCommand]) -> None:
    """What the fake encodes, the board's own decoder reads as it was meant."""
    data = service_wire.encode_commands(commands)

    assert [plain(command) for command in board_wire.decode_commands(data, limit=20)] == [
        plain(command) for command in commands
    ]


@given(
    commands=st.lists(COMMANDS, min_size=1, max_size=3),
    place=st.integers(0, 4000),
    new=st.binary(max_size=3),
    gone=st.integers(0, 3),
)
def test_damaged_commands_are_read_or_refused(
    commands: list[service_wire.DeviceCommand], place: int, new: bytes, gone: int
) -> None:
    """A damaged reply is either still one, or refused by the board as such; nothing else happens."""
    data = service_wire.encode_commands(commands)
    at = place % (len(data) + 1)
    damaged = data[:at] + new + data[at + gone :]
    with contextlib.suppress(DecodeError):
        board_wire.decode_commands(damaged, limit=20)


@given(data=st.binary(max_size=60) | VALUES.map(cbor2.dumps))
def test_any_bytes_are_commands_or_refused(data: bytes) -> None:
    """The board refuses what is no reply of the service by one kind of error."""
    with contextlib.suppress(DecodeError):
        board_wire.decode_commands(data, limit=20)


@given(data=st.binary(max_size=60) | st.lists(VALUES, max_size=4).map(cbor2.dumps))
def test_any_bytes_are_reports_or_refused(data: bytes) -> None:
    """The service answers a report that is none with a refusal; it never breaks."""
    with contextlib.suppress(Refusal):
        for report in service_wire.decode_reports(data):
            assert report.id is not None


@given(
    token=st.text(max_size=80)
    | st.tuples(st.from_regex(r"[A-Za-z0-9_-]{0,60}"), st.from_regex(r"[A-Za-z0-9_-]{0,60}")).map(".".join)
)
def test_any_text_is_no_token(token: str) -> None:
    """A text that no board made is refused as a token and as a JWT, whatever it is."""
    with contextlib.suppress(Refusal):
        tokens.read_attestation(token)
    with contextlib.suppress(Refusal):
        verify_jwt(f"{token}.x", lambda _uuid: None, now=0.0)


@given(
    line=st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            ["AT", "at", "+", "%", "CMNG", "CFUN", "=", "?", ",", '"', "1", "-1", " ", "\r\n", ";"]
        ),
        max_size=14,
    ).map("".join)
)
def test_any_line_is_a_command_or_refused(line: str) -> None:
    """The modem reads any line as a command or refuses it; its arguments are read or refused too."""
    with contextlib.suppress(AtError, CmeRefusal):
        command = at_syntax.parse(line)
        for index in range(4):
            with contextlib.suppress(CmeRefusal):
                command.number(index)
            with contextlib.suppress(CmeRefusal):
                command.text(index)
