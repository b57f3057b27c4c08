"""What the provisioning utility takes and refuses, file by file; a good run repairs each refusal."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.driver_models import PROVISIONED
from harness_pelion.enums import DeveloperVariable as Dev
from harness_pelion.enums import UpdateVariable as Upd
from harness_pelion.evidence import expected_items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.driver_models import Outcome
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

NO_DEVELOPER = "There was an error parsing the dev credentials files"
NO_UPDATE = "There was an error parsing the Update Credentials files"
#: Which files the utility reads (pelion fact sheet, section 2.1); it leaves the others alone.
READ_DEVELOPER = [variable for variable in Dev if variable is not Dev.ACCOUNT_ID]
READ_UPDATE = [Upd.CERTIFICATE, Upd.VENDOR_ID, Upd.CLASS_ID]


def each_with_pair(outcome: str, variables: Sequence[Dev | Upd]) -> list[Any]:
    """Return a case for each variable, with a pair of its own."""
    return [
        pytest.param(each, marks=pytest.mark.proves("provision", f"{outcome} {each}"), id=str(each))
        for each in variables
    ]


@pytest.fixture
def left_blank(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> Callable[[Outcome], None]:
    """Judge a device that a refused provisioning left, and that a good one makes well."""

    def judge(outcome: Outcome) -> None:
        assert (outcome.status, PROVISIONED in outcome.output) == (1, False)
        status = board.driver.status()
        assert not status.configured
        assert not board.driver.folder_exists()
        assert board.driver.provision(developer, update).ok
        assert board.driver.status().configured

    return judge


@pytest.mark.parametrize("variable", each_with_pair("without the file of", READ_DEVELOPER))
def test_developer_file_is_missing(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    variable: Dev,
    left_blank: Callable[[Outcome], None],
) -> None:
    """Each of the eleven is named when it is not there, and nothing is configured."""
    outcome = board.driver.provision(developer.without(variable), update)

    assert f"File with path /scratch/provisioning-certs/{variable}.bincould not be opened" in outcome.errors
    assert NO_DEVELOPER in outcome.errors
    left_blank(outcome)


@pytest.mark.parametrize("variable", each_with_pair("without the file of", READ_UPDATE))
def test_update_file_is_missing(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    variable: Upd,
    left_blank: Callable[[Outcome], None],
) -> None:
    """Each of the three is named when it is not there, and nothing is configured."""
    outcome = board.driver.provision(developer, update.without(variable))

    assert f"File with path /scratch/provisioning-certs/{variable}.bincould not be opened" in outcome.errors
    assert NO_UPDATE in outcome.errors
    left_blank(outcome)


@pytest.mark.parametrize(
    "variable",
    each_with_pair(
        "nobody reads the file of", [Upd.FINGERPRINT, Upd.SUBJECT_KEY_IDENTIFIER, Upd.PSK, Upd.PSK_ID]
    ),
)
def test_file_that_nobody_reads(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, variable: Upd
) -> None:
    """The device takes no fingerprint, although the seed says that it is programmed: a deviation."""
    assert board.driver.provision(developer, update.without(variable)).ok
    assert board.driver.status().configured


@pytest.mark.proves("provision", "without the account id")
def test_account_id_is_not_read(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The account is known by the server's address alone."""
    assert board.driver.provision(developer.without(Dev.ACCOUNT_ID), update).ok
    assert board.driver.status().configured


@pytest.mark.parametrize(
    ("variable", "item"),
    [
        pytest.param(
            variable, item, marks=pytest.mark.proves("provision", f"the store refuses {item}"), id=item
        )
        for variable, item in [
            (Dev.DEVICE_CERTIFICATE, "mbed.BootstrapDeviceCert"),
            (Dev.SERVER_ROOT_CA_CERTIFICATE, "mbed.BootstrapServerCACert"),
            (Dev.DEVICE_PRIVATE_KEY, "mbed.BootstrapDevicePrivateKey"),
        ]
    ],
)
@pytest.mark.parametrize("content", [b"", b"no DER at all"], ids=["empty", "no DER"])
def test_store_refuses_developer_item(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    variable: Dev,
    item: str,
    content: bytes,
    left_blank: Callable[[Outcome], None],
) -> None:
    """Certificates and keys are parsed before they are kept; the item is named."""
    outcome = board.driver.provision(developer.with_file(variable, content), update)

    assert f"Failed to store KCM Item! Item name: {item}" in outcome.errors
    assert "Developer Certificate Provisioning failed." in outcome.errors
    left_blank(outcome)


@pytest.mark.parametrize("content", [b"", b"no DER at all"], ids=["empty", "no DER"])
@pytest.mark.proves("provision", "the store refuses mbed.UpdateAuthCert")
def test_store_refuses_update_certificate(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    content: bytes,
    left_blank: Callable[[Outcome], None],
) -> None:
    """An update certificate that is none is no certificate either."""
    outcome = board.driver.provision(developer, update.with_file(Upd.CERTIFICATE, content))

    assert "Failed to store KCM Item! Item name: mbed.UpdateAuthCert" in outcome.errors
    assert "Update Certificate Provisioning failed." in outcome.errors
    left_blank(outcome)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param(options, status, marks=pytest.mark.proves("call the utility", f"with {what}"), id=what)
        for options, status, what in [
            (("--help",), 0, "--help"),
            ((), 2, "no option"),
            (("--unknown",), 2, "an unknown option"),
            (("--provision", "--help"), 2, "two options"),
        ]
    ],
)
def test_utility_is_called_wrongly(board: LeasedBoard, options: tuple[str, ...], status: int) -> None:
    """It takes exactly one of its options, and changes nothing for another."""
    before = board.driver.snapshot()

    assert board.driver.run_util(*options).status == status

    assert board.driver.snapshot() == before


@pytest.mark.proves("provision", "nothing was copied")
def test_nothing_was_copied(board: LeasedBoard) -> None:
    """Without any file the utility names what it misses of both groups."""
    ended = board.driver.run_util("--provision")

    assert ended.status == 1
    assert NO_DEVELOPER in ended.errors.decode()
    assert not board.driver.status().configured


@pytest.mark.proves("provision", "the store holds what was given")
@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
def test_store_holds_what_was_given(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Each item of the store is the value of its file, whole: no letter of it is lost."""
    assert board.driver.provision(developer, update).ok

    held = board.driver.items()
    wanted = expected_items(developer, update)
    assert {name: held[name].sha256 for name in wanted} == {
        name: hashlib.sha256(content).hexdigest() for name, content in wanted.items()
    }
    assert len(wanted) == 15
