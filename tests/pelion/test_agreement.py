"""The shared check: each single disagreement is told, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import BoardFault, BoardLost
from harness_pelion import agreement_evidence
from harness_pelion.agreement import disagreements
from harness_pelion.agreement_evidence import AccountEvidence, collect, of_board
from harness_pelion.client_models import PelionRefused
from harness_pelion.driver_models import PelionStatus, read_client_log
from tests.pelion import proofs

PEM = "-----BEGIN EC PRIVATE KEY-----"


def test_what_agrees() -> None:
    """A provisioned device, its service and its board say the same."""
    assert disagreements(proofs.account()) == []


def test_nothing_agrees_with_nothing() -> None:
    """A test that made nothing has nothing to disagree."""
    assert disagreements(AccountEvidence()) == []


def _device(**changes: Any) -> dict[str, Any]:
    return {"devices": (proofs.device(**changes),)}


def _board(**changes: Any) -> dict[str, Any]:
    return {"boards": (proofs.board(**changes),)}


def _events(*states: str) -> dict[str, Any]:
    return {"events": {proofs.DEVICE: proofs.events(*states)}, "notes": None}


def _notes(*whats: str, **details: str) -> dict[str, Any]:
    return {"notes": proofs.notes(*whats, **details), "events": None}


DISAGREEMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "never bootstrapped": (_device(bootstrapped_timestamp=None), "registered, and bootstrapped at None"),
    "bootstrapped too soon": (
        _device(state="cloud_enrolling") | {"events": None, "notes": None, "boards": ()},
        "cloud_enrolling, and bootstrapped at 2026",
    ),
    "account": (_device(account_id=proofs.OTHER), "it is in the account eee"),
    "fingerprint": (_device(device_key="00"), "its device_key is not the fingerprint"),
    "no bootstrap told": (
        _events("", "registered"),
        "an event tells that it was registered, and none before that it was bootstrapped",
    ),
    "only the end told": (
        _device(state="deregistered")
        | {"boards": (), "notes": None, "events": {proofs.DEVICE: proofs.events("deregistered")}},
        "deregistered, and no event tells that it was bootstrapped",
    ),
    "told in the wrong order": (
        _events("registered", "bootstrapped", "registered"),
        "an event tells that it was registered, and none before that it was bootstrapped",
    ),
    "last event": (
        _events("bootstrapped", "registered", "deregistered"),
        "registered, and its last event brought it to deregistered",
    ),
    "no event": (_events(""), "registered, and no event tells how it came to that"),
    "bootstrap not noted": (
        _notes("registered"),
        "registered, and the servers finished no bootstrap before they registered it",
    ),
    "nothing noted": (
        _device(state="bootstrapped") | _board(log=proofs.log("")) | _notes("bootstrap began"),
        "bootstrapped, and the servers finished no bootstrap",
    ),
    "registered without a bootstrap": (
        _notes("registered", "bootstrap finished"),
        "the servers finished no bootstrap before they registered it",
    ),
    "registration not noted": (
        _notes("bootstrap finished"),
        "registered, and the servers registered it never",
    ),
    "other certificate": (
        _notes("bootstrap finished", "registered", endpoint=proofs.OTHER),
        f"its ca_id is {proofs.CERTIFICATE}, and it bootstrapped as {proofs.OTHER}",
    ),
    "two bootstrap events": (
        {"events": {proofs.DEVICE: proofs.events("bootstrapped", "bootstrapped", "registered")}},
        "2 events of bootstrapped, and the servers noted 1",
    ),
    "registration told once too often": (
        {"events": {proofs.DEVICE: proofs.events("bootstrapped", "registered", "registered")}},
        "2 events of registered, and the servers noted 1",
    ),
    "foreign certificate": (
        {"certificates": frozenset()},
        f"devices use the certificate {proofs.CERTIFICATE}, which is not one of the test's",
    ),
    "too many devices": (
        {"most_devices": 0},
        f"1 devices use the certificate {proofs.CERTIFICATE}, and 0 may",
    ),
    "folder": (_board(folder=True), "board mbl: its temporary folder is still there"),
    "contradiction": (_board(configured=None), "board mbl: its utility contradicts itself"),
    "nobody registered": (
        _board(log=proofs.log("Client registered\n")),
        "board mbl: its client says that it is registered, and not as whom",
    ),
    "only the board says so": (
        _device(state="deregistered") | {"events": None, "notes": None},
        "its client says that it is registered, and the directory that it is deregistered",
    ),
    "only the directory says so": (
        _board(log=proofs.log(f"{proofs.LOG}: Client unregistered\n")),
        "its client says that it is not registered any more, and the directory that it is",
    ),
    "other endpoint": (
        _board(log=proofs.log(proofs.LOG.replace(proofs.CERTIFICATE, proofs.OTHER))),
        f"its client registered as {proofs.OTHER}, with the certificate {proofs.CERTIFICATE}",
    ),
    "mixed certificate": (
        _board(items=proofs.held(BootstrapDeviceCert=b"another")),
        "and its mbed.BootstrapDeviceCert is of another certificate",
    ),
    "mixed key": (
        _board(items=proofs.held(BootstrapDevicePrivateKey=None)),
        "and its mbed.BootstrapDevicePrivateKey is of another certificate",
    ),
    "key as hex": ({"texts": {"the log": f"x {proofs.KEY.hex()} y"}}, "the log has a private key in it"),
    "key as PEM": ({"texts": {"the log": PEM}}, "the log has a private key in it"),
    "API key": ({"texts": {"the log": "Bearer ak_0123456789abcdefGHIJ"}}, "the log has an API key in it"),
}


@pytest.mark.parametrize(("changes", "said"), DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_single_disagreement_is_told(changes: dict[str, Any], said: str) -> None:
    """One thing is wrong, and the check says which, and nothing of what is right."""
    found = disagreements(proofs.account(**changes))

    assert len([text for text in found if said in text]) == 1
    assert len(found) == 1, found


AGREEING: dict[str, dict[str, Any]] = {
    "hardware": _board(items=None),
    "nobody's log": {"notes": None},
    "unknown events": {"events": None},
    "blank board": {"boards": (proofs.board(configured=False, log=proofs.log(""), items={}),)},
    "mixed and says so": _board(configured=False, items=proofs.held(BootstrapDeviceCert=b"another")),
    "configured with others' credentials": _board(items=proofs.held(EndpointName=b"somebody")),
    "lifetime ended by a shifted clock": _device(state="deregistered")
    | {"events": None, "notes": None, "clock_shifted": True},
    "another device's log": _board(log=proofs.log(proofs.LOG.replace(proofs.DEVICE, proofs.OTHER))),
    "client in trouble": _board(log=proofs.log(f"{proofs.LOG}Error occurred : ConnectTimeout\n")),
    "bootstrapped twice": {
        "events": {proofs.DEVICE: proofs.events("bootstrapped", "bootstrapped", "registered")},
        "notes": proofs.notes("bootstrap finished", "bootstrap finished", "registered"),
    },
    "certificate that is gone": {"credentials": ()},
}


@pytest.mark.parametrize("changes", AGREEING.values(), ids=AGREEING)
def test_what_is_no_disagreement(changes: dict[str, Any]) -> None:
    """What may be so in a good test is not held against it."""
    assert disagreements(proofs.account(**changes)) == []


def test_one_more_device_than_may_be() -> None:
    """The 101st device of a certificate is told."""
    devices = tuple(proofs.device(id=f"{number:032x}") for number in range(101))
    evidence = proofs.account(devices=devices, events=None, notes=None, boards=())

    assert disagreements(evidence) == [f"101 devices use the certificate {proofs.CERTIFICATE}, and 100 may"]
    assert disagreements(proofs.account(devices=devices[:100], events=None, notes=None, boards=())) == []


class PaperDriver:
    """A driver whose log changes while it is looked at."""

    def __init__(self, *logs: str, fault: Exception | None = None) -> None:
        self._logs = list(logs) or [""]
        self._fault = fault

    def watched_log(self) -> Any:
        if isinstance(self._fault, BoardLost):
            raise self._fault
        return read_client_log((self._logs.pop(0) if len(self._logs) > 1 else self._logs[0]).encode())

    def status(self) -> PelionStatus:
        if self._fault is not None:
            raise self._fault
        return PelionStatus(configured=True)

    def watched_folder(self) -> bool:
        return False

    def items(self) -> Any:
        return proofs.held()


def _paper_board(driver: PaperDriver, *, virtual: bool = True) -> Any:
    description = type("Description", (), {"virtual": virtual})()
    controls = type("Controls", (), {"call": lambda _self, _name: [{"commands": ["a", "b"]}]})()
    parts = {"id": "mbl", "driver": driver, "description": description, "virtual": controls}
    return type("Board", (), parts)()


def test_board_is_asked_at_rest() -> None:
    """A client that has just been started is waited for."""
    started = "x: mbl-cloud-client started\n"

    evidence = of_board(_paper_board(PaperDriver(started, started, proofs.LOG)))

    assert evidence == proofs.board(commands="a\nb")


def test_client_that_never_comes_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged as it is behind a deadline."""
    monkeypatch.setattr(agreement_evidence, "SETTLE_SECONDS", 0.05)

    evidence = of_board(_paper_board(PaperDriver("x: mbl-cloud-client started\n"), virtual=False))

    assert evidence is not None
    assert (evidence.log.registered, evidence.log.at_rest, evidence.items) == (False, False, None)


def test_boards_that_do_not_answer_and_that_contradict_themselves() -> None:
    """One that is gone says nothing; one that contradicts itself is told."""
    assert of_board(_paper_board(PaperDriver(fault=BoardLost("gone")))) is None
    evidence = of_board(_paper_board(PaperDriver(fault=BoardFault("contradicts itself"))))
    assert evidence is not None
    assert evidence.configured is None


class PaperPelion:
    """A client of an account with one device."""

    certificates_made = (proofs.CERTIFICATE, proofs.OTHER)

    def __init__(self, *capabilities: str) -> None:
        self.capabilities = frozenset(capabilities)
        self.world = type("World", (), {"account_id": proofs.ACCOUNT, "clock_shifted": False})()

    def devices(self, *, ca_id: str) -> list[Any]:
        return [proofs.device()] if ca_id == proofs.CERTIFICATE else []

    def events(self, _device_id: str) -> Any:
        return proofs.events()

    def server_log(self) -> Any:
        return proofs.notes()

    def developer_certificate(self, certificate_id: str) -> Any:
        if certificate_id == proofs.OTHER:
            import httpx

            from harness_pelion.client_models import Problem

            raise PelionRefused("GetDeveloperCertificate", httpx.Response(404), Problem(), "none")
        return type("Certificate", (), {"credentials": lambda _self: proofs.developer()})()


def test_both_ends_are_collected() -> None:
    """What a fake and a virtual board tell is compared whole, and agrees."""
    pelion: Any = PaperPelion("event-details", "server-log")

    evidence = collect(pelion, [_paper_board(PaperDriver(proofs.LOG))])

    assert disagreements(evidence) == []
    assert evidence.credentials == (proofs.developer(),)
    assert set(evidence.texts) == {
        "the servers' log",
        "the client's log of board mbl",
        "the process list of board mbl",
    }


def test_service_that_tells_less_is_asked_for_less() -> None:
    """Without the capabilities neither events nor a log are asked for."""
    pelion: Any = PaperPelion()

    evidence = collect(pelion, [_paper_board(PaperDriver(fault=BoardLost("gone")))])

    assert (evidence.events, evidence.notes, evidence.boards) == (None, None, ())
    assert disagreements(evidence) == []
