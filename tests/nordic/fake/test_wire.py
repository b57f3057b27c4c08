"""The CBOR of the device protocol, to the byte (nrfcloud fact sheet, section 3.5)."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.enums import DeviceReportType
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.wire import (
    AtCommand,
    ConfigCommand,
    DeviceReport,
    FinishedCommand,
    decode_reports,
    encode_commands,
    join_commands,
)

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        pytest.param(
            [FinishedCommand(id=f"{ID}.1")],
            "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3102",
            id="A finished",
        ),
        pytest.param(
            [
                AtCommand(id=f"{ID}.1.s", set_command="%CMNG", parameters="3,5,2", ignored=(513,)),
                AtCommand(id=f"{ID}.1", set_command="%KEYGEN", parameters='5,2,0,"CN=x"'),
            ],
            "8285782864366135663366302d356633652d346235652d396636302d3361336632643063396131312e312e73006525434d"
            "4e4765332c352c328119020185782664366135663366302d356633652d346235652d396636302d336133663264306339"
            "6131312e310067254b455947454e6c352c322c302c22434e3d782280",
            id="B delete and generate",
        ),
        pytest.param(
            [
                AtCommand(
                    id=f"{ID}.2",
                    set_command="%CMNG",
                    parameters='0,5,0,"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"',
                )
            ],
            "8185782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e32006525434d4e47"
            "7842302c352c302c222d2d2d2d2d424547494e2043455254494649434154452d2d2d2d2d0a41413d3d0a2d2d2d2d2d45"
            "4e442043455254494649434154452d2d2d2d2d2280",
            id="C certificate",
        ),
        pytest.param(
            [ConfigCommand(id=f"{ID}.3", pairs={"a/b": "1", "c": "x"})],
            "8183782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3301a263612f6261"
            "3161636178",
            id="D config",
        ),
        pytest.param(
            [FinishedCommand(id="9685ef84-8cac-4257-b5cc-94bc416a1c1d.d")],
            "8182782639363835656638342d386361632d343235372d623563632d3934626334313661316331642e6402",
            id="upstream finished",
        ),
        pytest.param(
            [
                ConfigCommand(
                    id="ee525918-aba9-4d12-8b87-f2c07afef35d.14", pairs={"provisioning/interval-sec": "99"}
                )
            ],
            "8183782765653532353931382d616261392d346431322d386238372d6632633037616665663335642e313401a178197072"
            "6f766973696f6e696e672f696e74657276616c2d736563623939",
            id="upstream config",
        ),
    ],
)
def test_commands_to_the_byte(commands: list[AtCommand], expected: str) -> None:
    """Commands are encoded as Nordic's own codec reads them: definite lengths, shortest integers."""
    assert encode_commands(commands).hex() == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e311866",
            [DeviceReport(id=f"{ID}.1", type=DeviceReportType.FINISHED)],
            id="finished",
        ),
        pytest.param(
            "9f9f782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e311866ffff",
            [DeviceReport(id=f"{ID}.1", type=DeviceReportType.FINISHED)],
            id="finished, indefinite lengths",
        ),
        pytest.param(
            "8283782864366135663366302d356633652d346235652d396636302d3361336632643063396131312e312e731864712b43"
            "4d45204552524f523a203531330d0a83782664366135663366302d356633652d346235652d396636302d336133663264"
            "3063396131312e311864644f4b0d0a",
            [
                DeviceReport(id=f"{ID}.1.s", type=DeviceReportType.AT_DONE, message="+CME ERROR: 513\r\n"),
                DeviceReport(id=f"{ID}.1", type=DeviceReportType.AT_DONE, message="OK\r\n"),
            ],
            id="ignored error, then OK",
        ),
        pytest.param(
            "8184782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e321863190206712b"
            "434d45204552524f523a203531380d0a",
            [
                DeviceReport(
                    id=f"{ID}.2",
                    type=DeviceReportType.FAILED,
                    cme_error=518,
                    message="+CME ERROR: 518\r\n",
                )
            ],
            id="error 518",
        ),
        pytest.param(
            "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e331865",
            [DeviceReport(id=f"{ID}.3", type=DeviceReportType.CONFIG_DONE)],
            id="config",
        ),
        pytest.param(
            "8184782638306238303935652d323731342d343539652d626438622d3337343564383431306131382e6618630065455252"
            "4f52",
            [
                DeviceReport(
                    id="80b8095e-2714-459e-bd8b-3745d8410a18.f",
                    type=DeviceReportType.FAILED,
                    message="ERROR",
                )
            ],
            id="upstream error, no CME",
        ),
        pytest.param(
            "8182626964190066", [DeviceReport(id="id", type=DeviceReportType.FINISHED)], id="long integer"
        ),
    ],
)
def test_reports_to_the_byte(body: str, expected: list[DeviceReport]) -> None:
    """Reports are read as Nordic's own codec writes them, canonical or not."""
    assert decode_reports(bytes.fromhex(body)) == expected


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        "text",
        [[]],
        [["id"]],
        [[b"id", 102]],
        [["x" * 46, 102]],
        [["id", "102"]],
        [["id", True]],
        [["id", 103]],
        [["id", -1]],
        [["id", 102, "more"]],
        [["id", 100]],
        [["id", 100, b"OK"]],
        [["id", 99, "518", "text"]],
        [["id", 99, 2**32, "text"]],
        [["id", 99, -1, "text"]],
        [["id", 99, 518]],
        [["id", 101, {}]],
        [["good", 102], "bad"],
    ],
    ids=repr,
)
def test_what_is_no_report(value: object) -> None:
    """Anything that the grammar does not allow is refused with a text."""
    with pytest.raises(BadRequest, match=r"report"):
        decode_reports(cbor2.dumps(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Bytes of any kind give reports or a refusal, never another error."""
    try:
        reports = decode_reports(body)
    except BadRequest:
        return
    assert all(isinstance(report, DeviceReport) for report in reports)


@pytest.mark.parametrize(
    "body",
    ["", "9f", "81" * 1000, "9b7fffffffffffffff", "8182626964", "c060", "d81c81d81d00", "81a18001", "8162ff"],
)
def test_hostile_bytes(body: str) -> None:
    """Cut off, endless, deep, cyclic and ill-typed CBOR is refused."""
    with pytest.raises(BadRequest):
        decode_reports(bytes.fromhex(body[: len(body) // 2 * 2]))


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=10), st.text(max_size=40))
def test_config_reaches_an_independent_shape(pairs: dict[str, str], parameters: str) -> None:
    """Any text comes out of an encoded batch as it went in."""
    batch = encode_commands(
        [ConfigCommand(id="a", pairs=pairs), AtCommand(id="b", set_command="%X", parameters=parameters)]
    )

    assert cbor2.loads(batch, allow_indefinite=False) == [["a", 1, pairs], ["b", 0, "%X", parameters, []]]


@pytest.mark.parametrize("count", [0, 1, 23, 24, 255, 256, 1000])
def test_joined_elements(count: int) -> None:
    """Elements that were encoded one by one make the very batch that a library makes."""
    element = cbor2.dumps(["id", 2])

    assert join_commands(count, [element] * count) == cbor2.dumps([["id", 2]] * count)
