"""The judge of power cuts: a sound board passes, and each thing that may go wrong is said.

Board and service are one simple model, in which every defect is a switch; keys are made by a virtual board.
"""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ForbiddenOutput
from harness_nordic.client_requests import (
    ClientPrivateKeyGeneration,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)
from harness_nordic.digests import pem_digest
from harness_nordic.driver import CredentialEntry
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.power_trials import PowerTrial, TrialFailed
from tests.soak.support.quiet_board import QuietBoard

if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = 7


class Model:
    """A board and its service: executes, reports and recovers, with the defects that are named."""

    def __init__(self, *defects: str) -> None:
        self.defects = set(defects)
        self.commands: list[Any] = []
        self.passed: list[tuple[str, str]] = []
        self.requests: list[Any] = []
        self.store: dict[tuple[int, int], str] = {}
        self.stored: dict[str, str] = {}
        self.cut: tuple[str, int] | None = None
        self.quiet = QuietBoard()
        self.quiet.board.modem.execute("AT+CFUN=4")
        self.status = DeviceStatus.PROVISIONED
        self.virtual = SimpleNamespace(call=self.call)
        self.console = SimpleNamespace(forbid=self.forbid)
        self.driver = SimpleNamespace(
            provision=self.provision,
            credentials=self.credentials,
            jwt=self.jwt,
            host_settings=self.stored,
            as_stored=str,
        )
        self.id = "device"

    # -- the board --

    def call(self, name: str, **params: Any) -> Any:
        if name == "arm_power_cut":
            self.cut = params["point"], params["nth"]
        elif name == "passed_points" and params.get("clear"):
            self.passed.clear()
        return {"passed_points": list(map(list, self.passed)), "settings": self.stored}.get(name)

    @contextmanager
    def forbid(self, *_banners: bytes) -> Iterator[None]:
        yield

    def pass_by(self, point: str, detail: str) -> None:
        self.passed.append((point, detail))
        if self.cut is not None and self.cut[0] == point:
            self.cut = point, self.cut[1] - 1
            if self.cut[1] == 0:
                self.cut = None
                if "goes on" in self.defects:
                    self.passed.append(("before at", "AT"))
                raise ForbiddenOutput("Ready")

    def write(self, slot: tuple[int, int], digest: str) -> None:
        detail = f"credential {slot[0]},{slot[1]} written"
        self.pass_by("before flash", detail)
        if "does nothing" in self.defects:
            return
        self.store[slot] = pem_digest("other") if "writes something else" in self.defects else digest
        self.pass_by("after flash", detail)

    def execute(self, request: Any) -> dict[str, Any]:
        if isinstance(request, ServerCertificate):
            self.write((request.sec_tag, 0), pem_digest(request.content))
        elif isinstance(request, PreSharedKey):
            self.write((request.sec_tag, 4), pem_digest(request.identity))
            self.write((request.sec_tag, 3), pem_digest(request.secret))
        elif isinstance(request, Configuration):
            for key, value in request.properties.items():
                self.stored[key] = value
                self.pass_by("after flash", f"setting {key}")
        elif isinstance(request, ClientPrivateKeyGeneration):
            self.quiet.board.modem.execute(f"AT%CMNG=3,{TAG},2")
            tag = TAG + ("other tag" in self.defects)
            reply = self.quiet.board.modem.execute(f"AT%KEYGEN={tag},2,1") or ""
            if "another key" in self.defects or "other tag" in self.defects:
                self.quiet.board.modem.execute(f"AT%CMNG=3,{TAG},2")
                self.quiet.board.modem.execute(f"AT%KEYGEN={TAG},2,1")
            self.pass_by("after flash", f"credential {TAG},2 written")
            return {"publicKey": reply.split('"')[1]}
        return {}

    def credentials(self, tag: int) -> list[CredentialEntry]:
        return [
            CredentialEntry(slot[0], CredentialType(slot[1]), digest)
            for slot, digest in self.store.items()
            if slot[0] == tag
        ]

    def jwt(self, tag: int) -> str:
        return (self.quiet.board.modem.execute(f'AT%JWT=0,0,"","",{tag},2') or "").split('"')[1]

    # -- the service --

    def add_command(self, request: Any) -> Any:
        command = SimpleNamespace(
            id=f"id{len(self.commands)}",
            request=request,
            type=request.type,
            status=CommandStatus.PENDING,
            response={},
        )
        command.refresh = lambda: command
        self.commands.append(command)
        return command

    def refresh(self) -> Model:
        return self

    def report(self, commands: list[Any]) -> None:
        times = 2 if "reports twice" in self.defects else 1
        for _time in range(times):
            ids = tuple(f"{command.id}.1" for command in commands)
            self.requests.append(SimpleNamespace(method="POST", status=200, ids=ids))
        for command in commands:
            failed = "fails" in self.defects
            command.status = CommandStatus.FAILED if failed else CommandStatus.SUCCEEDED

    def device_requests(self, _device: str, last: int) -> list[Any]:
        return self.requests[-last:]

    def provision(self, agent: str) -> Any:
        assert agent in {"board", "host"}
        waiting = [command for command in self.commands if command.status is CommandStatus.PENDING]
        if "repeats" in self.defects and self.requests:
            waiting = self.commands[-len(self.commands) :]
        if "gives up" in self.defects and self.passed:
            return SimpleNamespace(event="FAILED", problem="no more")
        if "loses" in self.defects and self.passed:
            return SimpleNamespace(event="NO_COMMANDS", problem=None)
        self.pass_by("before exchange", "GET")
        if "reports first" in self.defects:
            self.report(waiting)
        for command in waiting:
            command.response = {command.type.value: self.execute(command.request)}
            if "twice" in self.defects and isinstance(command.request, ServerCertificate):
                self.execute(command.request)
        if "reports first" not in self.defects:
            self.report(waiting)
        self.pass_by("after exchange", "POST")
        return SimpleNamespace(event="DONE", problem=None)


def requests(number: int = 1) -> list[Any]:
    """A mix with a content of its own."""
    return [
        ServerCertificate(sec_tag=1, content=f"PEM {number}"),
        PreSharedKey(sec_tag=2, identity=f"identity {number}", secret=f"{number:04x}"),
        Configuration(properties={"a": str(number)}),
        ClientPrivateKeyGeneration(sec_tag=TAG),
        Finished(),
    ]


def trial_of(*defects: str) -> tuple[PowerTrial, Model]:
    """Make a trial of a model."""
    model = Model(*defects)
    board: Any = model
    return PowerTrial(board, model, board, agent="board"), model


def test_sound_board_passes() -> None:
    """Every point of a run is told; after a cut at each of them all is well."""
    trial, _model = trial_of()
    passed = trial.points(requests())

    assert [point for point, _detail in passed] == [
        "before exchange",
        *("before flash", "after flash") * 3,
        *("after flash", "after flash"),
        "after exchange",
    ]
    recovered = [
        trial.cut(requests(10 * index + nth), point, nth)
        for index, (point, most) in enumerate(
            [("before exchange", 1), ("before flash", 3), ("after flash", 5), ("after exchange", 1)]
        )
        for nth in range(1, most + 1)
    ]
    assert {recovery.runs for recovery in recovered} == {1}
    assert [recovery.repeated for recovery in recovered] == [0, 0, 1, 2, 1, 2, 3, 4, 5, 0]


@pytest.mark.parametrize(
    ("defect", "point", "said"),
    [
        ("goes on", "before exchange", "the board went on after the cut"),
        ("reports first", "before flash", "serverCertificate was reported, but never done"),
        ("gives up", "before exchange", "run 1 after the cut ended with FAILED: no more"),
        ("loses", "before exchange", "4 runs after the cut there is still something open"),
        ("repeats", "after exchange", "serverCertificate was reported 2 times"),
        ("twice", "before exchange", "serverCertificate was done more than once after the cut"),
        ("reports twice", "before exchange", "serverCertificate was reported 2 times"),
        ("writes something else", "before exchange", "serverCertificate: the board holds"),
        ("another key", "before exchange", "the key under tag 7 is not the one that the service got"),
        ("other tag", "before exchange", "the service got a key of tag 8, not 7"),
    ],
)
def test_defect_is_said(defect: str, point: str, said: str) -> None:
    """Each defect of a board or service is told in words of its own."""
    trial, _model = trial_of(defect)

    with pytest.raises(TrialFailed, match=said):
        trial.cut(requests(), point, 1)


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        ("does nothing", "serverCertificate SUCCEEDED, but was never done"),
        ("fails", "serverCertificate is FAILED"),
    ],
)
def test_defect_without_a_cut(defect: str, said: str) -> None:
    """A board that does not even provision without a cut fails its dry run."""
    trial, _model = trial_of(defect)

    with pytest.raises(TrialFailed, match=said):
        trial.points(requests())


def test_point_that_is_never_passed() -> None:
    """A cut that never happened is no trial."""
    trial, _model = trial_of()

    with pytest.raises(TrialFailed, match=r"without passing 'before exchange' for the 2\. time"):
        trial.cut(requests(), "before exchange", 2)


def test_device_that_is_not_provisioned() -> None:
    """All commands done is not enough: the device must be PROVISIONED."""
    trial, model = trial_of()
    model.status = DeviceStatus.PENDING

    with pytest.raises(TrialFailed, match="the device is PENDING when all is done"):
        trial.points(requests())


def test_done_again_without_a_report() -> None:
    """A command that was final is not done again, also when nobody reports it."""
    trial, model = trial_of()

    def write_again(agent: str) -> Any:
        if model.requests:
            model.write((1, 0), pem_digest("PEM 1"))
        return provision(agent)

    provision, model.driver.provision = model.driver.provision, write_again
    with pytest.raises(TrialFailed, match="serverCertificate was reported and done again"):
        trial.cut(requests(), "after exchange", 1)


def test_final_response_that_changes() -> None:
    """What the service was told of a final command stays."""
    trial, model = trial_of()

    def change(agent: str) -> Any:
        if model.requests:
            model.commands[0].response = {"serverCertificate": {"message": "another"}}
        return provision(agent)

    provision, model.driver.provision = model.driver.provision, change
    with pytest.raises(TrialFailed, match="serverCertificate was final and has another response now"):
        trial.cut(requests(), "after exchange", 1)
