"""The core's own plugin: which boards a bench has, described by whose profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import BenchChoice, Settings
from harness.errors import UsageError
from harness.inventory import builtin, serial_ports
from harness.inventory.board import Board, Endpoint
from harness.inventory.builtin import BoardDiscovery, known_profiles, virtual_boards
from harness.inventory.serial_ports import SerialPort
from harness.plugins import HarnessPluginManager
from harness.virtual import client as bench_client
from harness.virtual.client import BoardState

if TYPE_CHECKING:
    from typing import Self

ACME = """
title = "Acme One"
vendor = "Acme"
driver = "acme"
virtual = true
[endpoints.console]
interface = 0
"""


@pytest.fixture
def plugins(tmp_path: Path) -> HarnessPluginManager:
    """The core's plugin, and a vendor's that has a kind of its own."""
    (tmp_path / "acme-one.toml").write_text(ACME)

    class Acme:
        def harness_board_profiles(self) -> list[Path]:
            return [tmp_path]

    manager = HarnessPluginManager()
    manager.register(builtin, "harness-core")
    manager.register(BoardDiscovery(manager), "harness-discovery")
    manager.register(Acme(), "acme")
    return manager


def state(**changes: Any) -> BoardState:
    """A board as a bench describes it."""
    ordinary: dict[str, Any] = {
        "id": "vb-1",
        "kind": "nrf9161dk-virtual",
        "plugged": True,
        "powered": True,
        "ports": {"console": Path("/run/b/vb-1-console"), "trace": Path("/run/b/vb-1-trace")},
        "properties": {"imei": "350000000000001"},
    }
    return BoardState(**{**ordinary, **changes})


def test_vendor_profiles_are_known_like_ours(plugins: HarnessPluginManager) -> None:
    """Profiles of every plugin count, ours and a vendor's."""
    assert {"acme-one", "nrf9161dk", "nrf9161dk-virtual"} <= set(known_profiles(plugins))


def test_virtual_board_is_joined_with_its_profile(plugins: HarnessPluginManager) -> None:
    """The bench says what is there, the profile what it can do and how its lines are spoken to."""
    boards = virtual_boards(known_profiles(plugins), [state()], bench="/run/b/bench.sock")

    assert boards == [
        Board(
            id="vb-1",
            kind="nrf9161dk-virtual",
            driver="nrf91",
            capabilities=frozenset(
                {"attestation", "keygen", "jwt", "provisioning-agent", "certificate-check"}
            ),
            endpoints={
                "console": Endpoint(role="console", url="/run/b/vb-1-console", discipline="at-host"),
                "trace": Endpoint(role="trace", url="/run/b/vb-1-trace", baud=1000000),
            },
            bench="/run/b/bench.sock",
            properties={
                "title": "nRF9161 DK (virtual)",
                "vendor": "Nordic Semiconductor",
                "rx_buffer": "2304",
                "tx_buffer": "2304",
                "imei": "350000000000001",
            },
        )
    ]
    assert boards[0].virtual


def test_unplugged_board_is_not_there(plugins: HarnessPluginManager) -> None:
    """A board that is unplugged is not attached; one without power is."""
    states = [state(id="a", plugged=False, ports={}), state(id="b", powered=False)]

    assert [board.id for board in virtual_boards(known_profiles(plugins), states, bench="s")] == ["b"]


def test_kind_without_a_profile_is_refused(plugins: HarnessPluginManager) -> None:
    """The message suggests the nearest kind."""
    with pytest.raises(
        UsageError, match=r"kind: .*no profile describes \(got 'acme-two'\); expected acme-one"
    ):
        virtual_boards(known_profiles(plugins), [state(kind="acme-two")], bench="s")


def test_role_that_the_profile_lacks_is_refused(plugins: HarnessPluginManager) -> None:
    """A bench and a profile that disagree on a board's ports are told so."""
    odd = state(kind="acme-one", ports={"trace": Path("/x")})

    with pytest.raises(UsageError, match="profile acme-one has no endpoint of this role"):
        virtual_boards(known_profiles(plugins), [odd], bench="s")


def test_bench_is_asked_at_its_socket(plugins: HarnessPluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a running bench the boards are asked for by its control socket, and the connection is closed."""
    log: list[str] = []

    class Client:
        def __init__(self, socket: str) -> None:
            log.append(f"open {socket}")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            log.append("close")

        def boards(self) -> list[BoardState]:
            return [state()]

    monkeypatch.setattr(bench_client, "BenchClient", Client)
    settings = Settings(bench=BenchChoice(kind="virtual", socket=Path("/run/b/bench.sock")))

    found = plugins.hook.harness_discover_boards(settings=settings)

    assert [board.id for boards in found for board in boards] == ["vb-1"]
    assert log == ["open /run/b/bench.sock", "close"]


def test_bench_that_is_not_started_yet_has_no_boards(plugins: HarnessPluginManager) -> None:
    """Before the session's own bench runs there is nothing to find, and no serial port is looked at."""
    settings = Settings(bench=BenchChoice(kind="virtual"))

    assert plugins.hook.harness_discover_boards(settings=settings) == [[]]


@pytest.mark.parametrize("bench", [None, BenchChoice(kind="attached")])
def test_attached_boards_are_found(
    plugins: HarnessPluginManager, monkeypatch: pytest.MonkeyPatch, bench: BenchChoice | None
) -> None:
    """The host's own ports are looked at for attached boards, and when no bench was named."""
    port = SerialPort(
        device="/dev/ttyACM0",
        vid=0x1366,
        pid=0x1069,
        serial_number="001050900001",
        location="1-1",
        interface=0,
    )
    monkeypatch.setattr(serial_ports, "list_serial_ports", lambda: [port])

    found = plugins.hook.harness_discover_boards(settings=Settings(bench=bench))

    assert [(board.id, board.kind, board.bench) for boards in found for board in boards] == [
        ("001050900001", "nrf9161dk", None)
    ]


def test_own_profiles_are_the_shipped_directory() -> None:
    """The core gives the directory of the shipped profiles."""
    assert [path.name for path in builtin.harness_board_profiles()] == ["boards"]
