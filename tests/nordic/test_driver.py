"""The driver ``nrf91`` on a virtual board behind real ptys, and on boards that answer nonsense."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import UnkeptAccounts
from harness.config import BoardSettings
from harness.console import Reply
from harness.errors import BoardFault, CommandRefused, ConsoleTimeout
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.digests import pem_digest
from harness_nordic.driver import CredentialEntry, Nrf91Driver
from harness_nordic.enums import CredentialType

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"
TAG = Nrf91Driver.sec_tags[0]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bench with one board, for all tests of this file."""
    with start_bench(tmp_path_factory.mktemp("bench"), [("nrf9151dk-virtual", "dk", {})]) as bench:
        yield bench


@pytest.fixture
def board(bench: Any) -> Iterator[LeasedBoard]:
    """The board, opened anew, without leftovers of another test."""
    with BenchClient(bench.socket) as client:
        controls = client.board("dk")
        controls.set_power(on=False)
        controls.call("network_time", on=True)
        controls.set_power(on=True)
        controls.call("clear_faults")
        controls.call("set_service", url=None)
        controls.call("configure", lte_control="board")
        state = controls.state()
    description = Board(
        id=state.id,
        kind=state.kind,
        driver="nrf91",
        capabilities=frozenset({"provisioning-agent"}),
        bench=str(bench.socket),
        endpoints={role: Endpoint(role=role, url=str(path)) for role, path in state.ports.items()},
        properties=dict(state.properties),
    )
    leased = LeasedBoard(description, load_plugins(), capture_directory=None)
    yield leased
    leased.driver.restore()
    leased.close()


@pytest.fixture
def driver(board: LeasedBoard) -> Nrf91Driver:
    """Its driver, made by the plugin."""
    made = board.driver
    assert isinstance(made, Nrf91Driver)
    return made


def test_identification(board: LeasedBoard, driver: Nrf91Driver) -> None:
    """What the board says over its console is what the bench knows of it."""
    identity = driver.identity()

    assert identity.imei == board.description.properties["imei"]
    assert identity.uuid == board.description.properties["uuid"]
    assert (identity.model, identity.firmware) == ("nRF9151-LACA", "mfw_nrf91x1_2.0.2")
    assert driver.health()


def test_nobody_asks_for_another_plugins_driver(board: LeasedBoard) -> None:
    """The plugin leaves boards of other drivers to others."""
    from dataclasses import replace

    from harness_nordic.plugin import harness_make_driver

    other = LeasedBoard(replace(board.description, driver="other"), load_plugins(), capture_directory=None)

    assert harness_make_driver(other) is None


def test_sec_tags() -> None:
    """Ten tags within the modem's range, none of which Nordic uses (nrfcloud fact sheet, section 1)."""
    assert len(set(Nrf91Driver.sec_tags)) == 10
    assert all(0 <= tag <= 2147483647 for tag in Nrf91Driver.sec_tags)
    assert not {16842753, 16852753, 189298, 50, 42384} & set(Nrf91Driver.sec_tags)


def test_functional_mode(driver: Nrf91Driver) -> None:
    """Offline is 4, online is 1."""
    driver.offline()
    assert driver.functional_mode() == 4
    driver.online()
    assert driver.functional_mode() == 1


def test_credentials(driver: Nrf91Driver) -> None:
    """Written, listed, digested, deleted; what is not there is 513."""
    driver.write_credential(TAG, CredentialType.PSK, "00ff")
    driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "me")

    listed = driver.credentials(tag=TAG)
    assert listed == [
        CredentialEntry(TAG, CredentialType.PSK, pem_digest("00ff")),
        CredentialEntry(TAG, CredentialType.PSK_IDENTITY, pem_digest("me")),
    ]
    assert driver.credentials(TAG, CredentialType.PSK) == listed[:1]
    assert driver.credential_digest(TAG, CredentialType.PSK) == pem_digest("00ff")
    assert len(driver.credentials()) == 5
    driver.delete_credential(TAG, CredentialType.PSK)
    for gone in (driver.credential_digest, driver.delete_credential):
        with pytest.raises(CommandRefused) as refusal:
            gone(TAG, CredentialType.PSK)
        assert refusal.value.code == 513


def test_pem_digest() -> None:
    """The upper-case SHA-256 of ``abc`` (FIPS 180-2, appendix B.1)."""
    assert pem_digest("abc") == "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"


def test_refused_write_names_no_content(driver: Nrf91Driver) -> None:
    """The message of a refusal has command and number, and nothing of the content."""
    with pytest.raises(CommandRefused) as refusal:
        driver.write_credential(TAG, CredentialType.ROOT_CA, "topsecret\ntext", password="topsecret")

    assert refusal.value.code == 527
    assert str(refusal.value) == f"AT%CMNG=0,{TAG},0,... was refused: +CME ERROR: 527"


def test_keys_and_tokens(board: LeasedBoard, driver: Nrf91Driver, decode: Any) -> None:
    """A generated key is exported bare, signs JWTs, and is not overwritten."""
    output = driver.generate_key(TAG, attributes="CN=x", key_usage="101010000")
    assert re.fullmatch(r"[\w-]+\.[\w-]+", output)
    with pytest.raises(CommandRefused) as refusal:
        driver.generate_key(TAG, public_key=True)
    assert refusal.value.code == 519
    assert len(decode(driver.generate_key(TAG + 1, public_key=True).split(".")[0])) == 91
    request = decode(driver.generate_key(TAG + 2, key_usage="000000001").split(".")[0])
    assert "0603551d0f04050303070080" in request.hex()

    own, keyed = driver.jwt(), driver.jwt(TAG, subject="s", audience="a")
    assert own.split(".")[0] != keyed.split(".")[0]
    claims = json.loads(decode(keyed.split(".")[1]))
    assert (claims["sub"], claims["aud"]) == ("s", "a")
    body = decode(driver.attestation_token(bytes(range(16))).split(".")[0])
    assert body.endswith(bytes(range(16)))
    assert board.description.properties["uuid"].replace("-", "") in body.hex()


def test_jwt_with_expiry_needs_a_clock(board: LeasedBoard, driver: Nrf91Driver) -> None:
    """Without time it is 525."""
    board.virtual.call("network_time", on=False)
    board.virtual.call("set_clock", seconds=None)

    with pytest.raises(CommandRefused) as refusal:
        driver.jwt(expiry=60)

    assert refusal.value.code == 525


def test_error_numbers_come_back_after_a_power_cycle(board: LeasedBoard, driver: Nrf91Driver) -> None:
    """A board that forgot ``+CMEE`` is told again, and the refusal has its number."""
    driver.offline()
    board.virtual.set_power(on=False)
    board.virtual.set_power(on=True)

    with pytest.raises(CommandRefused) as refusal:
        driver.at("AT%CMNG=3,5,0")

    assert refusal.value.code == 518


def test_suite_may_switch_error_numbers_off(driver: Nrf91Driver) -> None:
    """What a suite switches off stays off until it switches it on."""
    driver.at("AT+CMEE=0")
    with pytest.raises(CommandRefused) as plain:
        driver.at("AT%CMNG=3,5,0")
    driver.at("AT+CMEE=1")
    with pytest.raises(CommandRefused) as numbered:
        driver.at("AT%CMNG=3,5,0")

    assert (plain.value.code, numbered.value.code) == (None, 518)


def test_unknown_command_has_no_number(driver: Nrf91Driver) -> None:
    """A plain error stays one when error numbers are on."""
    with pytest.raises(CommandRefused) as refusal:
        driver.at("AT%NOSUCH")

    assert refusal.value.code is None


def test_silent_board(board: LeasedBoard, driver: Nrf91Driver) -> None:
    """A board that does not answer is a time-out, and not healthy."""
    board.virtual.call("fail_next", command="AT+CGMM", outcome="silent")
    with pytest.raises(ConsoleTimeout, match=r"AT\+CGMM"):
        driver.at("AT+CGMM", timeout=0.1)
    assert driver.model() == "nRF9151-LACA"

    board.virtual.call("fail_next", command="AT", outcome="error", times=1)
    assert not driver.health()


def test_restore(board: LeasedBoard, driver: Nrf91Driver) -> None:
    """What lies under our tags is deleted, other credentials stay, modes are as they were found."""
    console_of_another = Nrf91Driver(board)
    console_of_another.write_credential(7, CredentialType.PSK_IDENTITY, "not ours")
    console_of_another.at("AT+CFUN=4")
    console_of_another.at("AT+CMEE=0")
    driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "ours")
    driver.generate_key(driver.sec_tags[9])
    driver.online()

    driver.restore()
    driver.restore()

    assert [entry["tag"] for entry in board.virtual.call("credentials")][:2] == [7, 4294967292]
    assert driver.functional_mode() == 4
    driver.restore()
    assert board.console.command("AT+CMEE?", _dialect(), timeout=5).lines == ("+CMEE: 0",)
    driver.delete_credential(7, CredentialType.PSK_IDENTITY)


def _dialect() -> Any:
    from harness_nordic.driver_dialect import AtDialect

    return AtDialect("AT+CMEE?")


# -- provisioning -------------------------------------------------------------------------------------------


def test_provisioning(board: LeasedBoard, driver: Nrf91Driver, literal_service: Any) -> None:
    """The board's own agent runs; the outcome has the exchanges, the board has the credential."""
    board.virtual.call("set_service", url=literal_service.url)
    literal_service.commands([f"{ID}.1", 0, "%CMNG", f'0,{TAG},4,"me"', []], [f"{ID}.2", 2])
    literal_service.status(200)

    outcome = driver.provision()

    assert outcome.finished
    assert (outcome.event, outcome.refused_with) == ("DONE", None)
    assert [(exchange.method, exchange.status) for exchange in outcome.exchanges] == [
        ("GET", 200),
        ("POST", 200),
    ]
    assert driver.credential_digest(TAG, CredentialType.PSK_IDENTITY) == pem_digest("me")
    assert driver.functional_mode() == 1


def test_refused_provisioning(board: LeasedBoard, driver: Nrf91Driver, literal_service: Any) -> None:
    """Each run has its own outcome, also when the modem was left offline."""
    board.virtual.call("set_service", url=literal_service.url)
    for status in (403, 401, 500):
        literal_service.status(status)
        driver.offline()

        outcome = driver.provision()

        assert (outcome.finished, outcome.refused_with) == (False, status)
        assert len(outcome.exchanges) == 1
    assert driver.provision().event == "NO_COMMANDS"


def test_run_of_a_firmware_timer_is_not_ours(
    board: LeasedBoard, driver: Nrf91Driver, literal_service: Any
) -> None:
    """A notification that was not asked for is not taken for the answer to our trigger."""
    driver.functional_mode()
    board.virtual.call("set_service", url=literal_service.url)
    literal_service.status(403)
    trace = board.endpoint("trace")
    board.virtual.call("provision")
    trace.expect("event FAILED", timeout=5)
    board.console.expect("#XNRFPROV: -1", timeout=5)

    assert driver.provision().refused_with is None


def test_host_manages_lte(board: LeasedBoard, driver: Nrf91Driver, literal_service: Any) -> None:
    """On firmware that leaves LTE to its host the driver takes it down and up."""
    board.virtual.call("set_service", url=literal_service.url)
    board.virtual.call("configure", lte_control="host")
    literal_service.commands([f"{ID}.1", 0, "%CMNG", f'0,{TAG},4,"me"', []], [f"{ID}.2", 2])
    literal_service.status(200)

    assert driver.provision().finished
    assert driver.functional_mode() == 1


def test_provisioning_that_does_not_end(
    board: LeasedBoard, driver: Nrf91Driver, literal_service: Any
) -> None:
    """The wait has a deadline and says what it waited for."""
    board.virtual.call("set_service", url=literal_service.url)
    literal_service.hold.clear()

    with pytest.raises(ConsoleTimeout, match="the end of the provisioning"):
        driver.provision(timeout=0.3)

    literal_service.hold.set()
    board.console.wait_unsolicited("#XNRFPROV: 0", timeout=5)


def test_board_without_a_trace_endpoint(board: LeasedBoard, literal_service: Any) -> None:
    """Without the log the outcome is what the notification says."""
    from dataclasses import replace

    board.virtual.call("set_service", url=literal_service.url)
    literal_service.status(401)
    endpoints = {"console": board.description.endpoints["console"]}
    bare = LeasedBoard(
        replace(board.description, endpoints=endpoints), load_plugins(), capture_directory=None
    )
    board.close()
    try:
        outcome = bare.driver.provision()
    finally:
        bare.close()

    assert (outcome.event, outcome.refused_with, outcome.exchanges) == ("FAILED_DEVICE_NOT_CLAIMED", 401, ())


def test_trace_that_tells_nothing(
    board: LeasedBoard, driver: Nrf91Driver, literal_service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real firmware may log nothing of the kind: after a moment the notification counts."""
    monkeypatch.setattr("harness_nordic.driver_provisioning._LOG_SECONDS", 0.05)
    board.virtual.call("set_service", url=literal_service.url)
    board.virtual.shape("trace", silent=True)
    literal_service.status(403)
    try:
        outcome = driver.provision()
    finally:
        board.virtual.unshape()

    assert (outcome.event, outcome.refused_with) == ("FAILED", None)


# -- boards that answer nonsense ----------------------------------------------------------------------------


class Parrot:
    """A board whose console answers what it is told to, by command."""

    def __init__(self, **answers: list[str]) -> None:
        self.id = "parrot"
        self.console = self
        self.settings = BoardSettings(allow_destructive=True)
        self.accounts = UnkeptAccounts()
        self.capabilities: frozenset[str] = frozenset()
        self.description = Board(id="parrot", kind="parrot", driver="nrf91")
        self._answers = {"AT+CMEE?": ["+CMEE: 0"], "AT+CFUN?": ["+CFUN: 4"], **answers}

    def register_secret(self, value: str, label: str) -> None:
        """Keep nothing."""

    def command(self, line: str, dialect: Any, *, timeout: float, reason: str, shown: str) -> Reply:
        lines = self._answers.get(line, [])
        return Reply(command=line, lines=tuple(lines), final="OK", seconds=0)


@pytest.mark.parametrize(
    ("answers", "ask", "says"),
    [
        ({}, lambda driver: driver.imei(), "without a word"),
        ({"AT%DEVICEUUID": ["nothing"]}, lambda driver: driver.device_uuid(), "no %DEVICEUUID in the answer"),
        ({"AT+CFUN?": ["+CFUN: x"]}, lambda driver: driver.imei(), "is no number"),
        ({"AT%CMNG=1": ["%CMNG: x"]}, lambda driver: driver.credentials(), "no entry of a credential list"),
        ({"AT%CMNG=1": ['%CMNG: 1,77,"' + "A" * 64 + '"']}, lambda driver: driver.credentials(), "type 77"),
    ],
)
def test_nonsense_is_the_boards_fault(answers: dict[str, list[str]], ask: Any, says: str) -> None:
    """An answer that cannot be read is a BoardFault that shows it."""
    driver = Nrf91Driver(Parrot(**answers))  # type: ignore[arg-type] # all that the driver uses of a board

    with pytest.raises(BoardFault, match=says):
        ask(driver)
