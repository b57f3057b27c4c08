"""A rig with two components, a fake, and command lines in front of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.cli.main import execute
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_guardian.client import connect
from harness_guardian.plugin import harness_backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.virtual.client import VirtualBoardControls
    from harness_guardian.client import GuardianClient

RIG = """
[[board]]
id = "desk"
profile = "guardian-component"
endpoints.console = {{ url = "{console}", rtscts = false }}

[[board]]
id = "gate"
profile = "guardian-gateway"
[board.ssh]
host = "{host}"
port = {port}
user = "{user}"
key_file = "gate.key"
host_key = "{host_key}"
"""


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Bench:
    """A bench that runs.

    :ivar boards: the controls of its boards, by the names that the rig file gives them.
    """

    socket: str
    boards: dict[str, VirtualBoardControls]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A component on a console and a gateway, for all tests of this file."""
    kinds: Any = [("guardian-component-virtual", "c", {}), ("guardian-gateway-virtual", "g", {})]
    with start_bench(tmp_path_factory.mktemp("b"), kinds) as running, BenchClient(running.socket) as client:
        yield Bench(str(running.socket), {"desk": client.board("c"), "gate": client.board("g")})


@pytest.fixture(scope="module")
def guardian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardianClient]:
    """An administrator at a fake, for all tests of this file."""
    (spec,) = harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("f"), lifeline=None) as running:
        client = connect(running.backend, BackendSession(run_id="cli", worker="main"))
        yield client
        client.close()


@pytest.fixture
def run(
    bench: Bench,
    guardian: GuardianClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., Outcome]]:
    """Run ``harness guardian ...`` as an Admin, in a directory whose rig file names both boards."""
    ssh = bench.boards["gate"].call("ssh")
    key = tmp_path / "gate.key"
    key.write_text(ssh["private_key_pem"])
    (tmp_path / "rig.toml").write_text(
        RIG.format(console=bench.boards["desk"].state().ports["console"], **ssh)
    )
    leases = tmp_path / "leases"
    leases.mkdir()
    leases.chmod(0o1777)
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(leases))
    monkeypatch.setenv("GUARDIAN_URL", guardian.backend.url)
    monkeypatch.setenv("GUARDIAN_TOKEN", guardian.world.tokens["admin"])
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = execute(["guardian", *arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield run_command
    for name, board in bench.boards.items():
        if board.call("storage"):
            make_blank(name, board, bench.socket)
    guardian.undo()


def make_blank(name: str, controls: VirtualBoardControls, bench: str) -> None:
    """Make a board as it left its factory: what a technician did to it is meant to stay."""
    state = controls.state()
    description = Board(
        id=state.id,
        kind=state.kind,
        driver="guardian-component",
        capabilities=frozenset({"agent-over-ssh"} if name == "gate" else ()),
        bench=bench,
        endpoints={"console": Endpoint(role="console", url=str(state.ports["console"]))},
    )
    leased = LeasedBoard(description, load_plugins(), capture_directory=None)
    leased.driver.erase()
    leased.close()


@pytest.fixture
def package(guardian: GuardianClient, tmp_path: Path) -> Any:
    """The file of the package of a system that approves by itself."""
    system = guardian.create_system()
    (tmp_path / "package.json").write_bytes(system.package())
    return system


def request_id_in(text: str) -> str:
    """Return the id of a request that a command named."""
    return text.partition("request ")[2].partition(";")[0] or text.partition(":")[0]
