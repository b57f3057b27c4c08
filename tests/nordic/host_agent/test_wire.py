"""The host agent's codec against the hand-checked bytes of the nrfcloud fact sheet, sections 3.4 and 3.5."""

from __future__ import annotations

import contextlib

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_nordic.enums import DeviceReportType
from harness_nordic.host_agent.wire import (
    AtCommand,
    Command,
    ConfigCommand,
    DecodeError,
    FinishedCommand,
    Report,
    TooManyCommands,
    decode_commands,
    encode_reports,
)

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"
ID_HEX = "64366135663366302d356633652d346235652d396636302d336133663264306339613131"
FINISHED = "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3102"

EXAMPLES: list[tuple[str, list[Command]]] = [
    (FINISHED, [FinishedCommand(id=f"{ID}.1")]),
    (
        (
            "8285782864366135663366302d356633652d346235652d396636302d3361336632643063396131312e312e73006525434d4e47"
            "65332c352c328119020185782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e31"
            "0067254b455947454e6c352c322c302c22434e3d782280"
        ),
        [
            AtCommand(id=f"{ID}.1.s", set_command="%CMNG", parameters="3,5,2", ignored=(513,)),
            AtCommand(id=f"{ID}.1", set_command="%KEYGEN", parameters='5,2,0,"CN=x"'),
        ],
    ),
    (
        (
            "8185782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e32006525434d4e477842"
            "302c352c302c222d2d2d2d2d424547494e2043455254494649434154452d2d2d2d2d0a41413d3d0a2d2d2d2d2d454e44204345"
            "5254494649434154452d2d2d2d2d2280"
        ),
        [
            AtCommand(
                id=f"{ID}.2",
                set_command="%CMNG",
                parameters='0,5,0,"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"',
            )
        ],
    ),
    (
        (
            "8183782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3301a263612f62613161"
            "636178"
        ),
        [ConfigCommand(id=f"{ID}.3", pairs={"a/b": "1", "c": "x"})],
    ),
    (
        "8182782639363835656638342d386361632d343235372d623563632d3934626334313661316331642e6402",
        [FinishedCommand(id="9685ef84-8cac-4257-b5cc-94bc416a1c1d.d")],
    ),
    (
        (
            "8183782765353235363931382d616261392d346431322d386238372d6632633037616666656335642e313401a1781970726f7669"
            "73696f6e696e672f696e74657276616c2d736563623939"
        ),
        [
            ConfigCommand(
                id="e5256918-aba9-4d12-8b87-f2c07affec5d.14", pairs={"provisioning/interval-sec": "99"}
            )
        ],
    ),
]


@pytest.mark.parametrize(("data", "commands"), EXAMPLES)
def test_commands_of_the_fact_sheet(data: str, commands: list[Command]) -> None:
    """Every example of a batch is read as it is explained there; bytes behind it do not count."""
    assert decode_commands(bytes.fromhex(data), limit=10) == commands
    assert decode_commands(bytes.fromhex(data) + b"\xff\x00", limit=10) == commands


def test_at_line() -> None:
    """A command is typed as AT, name, equals sign, parameters."""
    command = AtCommand(id="x", set_command="%CMNG", parameters="3,5,2")

    assert command.line == "AT%CMNG=3,5,2"


@pytest.mark.parametrize(
    ("reports", "data"),
    [
        (
            [Report(id=f"{ID}.1", type=DeviceReportType.FINISHED)],
            f"81827826{ID_HEX}2e311866",
        ),
        (
            [
                Report(id=f"{ID}.1.s", type=DeviceReportType.AT_DONE, message="+CME ERROR: 513\r\n"),
                Report(id=f"{ID}.1", type=DeviceReportType.AT_DONE, message="OK\r\n"),
            ],
            (
                f"82837828{ID_HEX}2e312e731864712b434d45204552524f523a203531330d0a"
                f"837826{ID_HEX}2e311864644f4b0d0a"
            ),
        ),
        (
            [
                Report(
                    id=f"{ID}.1", type=DeviceReportType.FAILED, cme_error=518, message="+CME ERROR: 518\r\n"
                )
            ],
            f"81847826{ID_HEX}2e311863190206712b434d45204552524f523a203531380d0a",
        ),
        ([Report(id=f"{ID}.3", type=DeviceReportType.CONFIG_DONE)], f"81827826{ID_HEX}2e331865"),
        (
            [
                Report(
                    id="80b8095e-2714-459e-bd8b-3745d8410118.f", type=DeviceReportType.FAILED, message="ERROR"
                )
            ],
            "8184782638306238303935652d323731342d343539652d626438622d3337343564383431303131382e66186300654552524f52",
        ),
    ],
)
def test_reports_of_the_fact_sheet(reports: list[Report], data: str) -> None:
    """Every example of a report is written to the byte."""
    assert encode_reports(reports).hex() == data


@pytest.mark.parametrize(
    "data",
    [
        f"9f827826{ID_HEX}2e3102ff",
        f"819f7826{ID_HEX}2e3102ff",
        f"81827826{ID_HEX}2e311802",
        f"9801827826{ID_HEX}2e3102",
        f"8182787f26{ID_HEX}",
        "80",
        "",
        "00",
        "a0",
        "f6",
        f"81837826{ID_HEX}2e310200",
        f"81827826{ID_HEX}2e3103",
        f"81817826{ID_HEX}2e31",
        f"81825826{ID_HEX}2e3102",
        f"8182782e{ID_HEX}2e3132333435363738393002",
        f"81847826{ID_HEX}2e3100622541" + "613180"[:4],
        f"81857826{ID_HEX}2e3100622541613187" + "01" * 7,
        f"81857826{ID_HEX}2e31006225416131a0",
        f"81857826{ID_HEX}2e3100622541613181f5",
        f"81857826{ID_HEX}2e310062254161318120",
        f"81857826{ID_HEX}2e31006225416131811b0000000100000000",
        f"81857826{ID_HEX}2e3100422541613180",
        f"81837826{ID_HEX}2e3301a1616101",
        f"81837826{ID_HEX}2e3301a2616161316161" + "6132",
        f"81837826{ID_HEX}2e3301ab" + "".join(f"61{0x61 + each:x}6131" for each in range(11)),
        f"81837826{ID_HEX}2e330180",
        f"81827826{ID_HEX}2e31f6",
        f"81827826{ID_HEX}2e31f5",
        f"c1827826{ID_HEX}2e3102",
        FINISHED[:-2],
        "d81c81d81d00",
        "81" * 100,
    ],
)
def test_what_the_grammar_does_not_allow(data: str) -> None:
    """Indefinite and long forms, wrong counts, wrong kinds, cut off: none of it is executed."""
    with pytest.raises(DecodeError):
        decode_commands(bytes.fromhex(data), limit=10)


def test_limits_that_are_just_kept() -> None:
    """Six ignored codes, ten pairs, an id of 45 characters and as many commands as asked for are fine."""
    longest = f"{ID}.12345678"
    assert len(longest) == 45
    pairs = {str(number): "x" for number in range(10)}
    body = cbor2.dumps([[longest, 0, "+X", "1", [1, 2, 3, 4, 5, 0xFFFFFFFF]], [longest, 1, pairs]])

    assert decode_commands(body, limit=2) == [
        AtCommand(id=longest, set_command="+X", parameters="1", ignored=(1, 2, 3, 4, 5, 0xFFFFFFFF)),
        ConfigCommand(id=longest, pairs=pairs),
    ]
    with pytest.raises(TooManyCommands, match="2 commands, 1 were asked for"):
        decode_commands(body, limit=1)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_mutated_commands(data: st.DataObject) -> None:
    """Whatever happens to a batch on its way, it is read or refused, and nothing else happens."""
    raw = bytearray.fromhex(data.draw(st.sampled_from([example for example, _ in EXAMPLES])))
    for _change in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        commands = decode_commands(bytes(raw), limit=10)
    except DecodeError:
        return
    assert all(len(command.id) <= 45 for command in commands)


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    """No bytes at all do anything but be read or refused."""
    with contextlib.suppress(DecodeError):
        assert decode_commands(data, limit=10)
