"""Bootstrap: whom the server lets in, and what the device makes of a server that goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness_pelion.enums import CertificateStatus, DeviceState
from harness_pelion.enums import DeveloperVariable as Dev

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempts
    from harness_pelion.driver_models import ClientLogView
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

SECONDS = 20.0


def start(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, *errors: str
) -> ClientLogView:
    """Provision a device; its client fails in one of these ways, and is not registered."""
    assert board.driver.provision(developer, update).ok
    view: ClientLogView = board.driver.wait_until_at_rest(SECONDS, after=board.driver.restart_client())
    assert not view.registered
    assert set(errors) & {each.name for each in view.errors}
    return view


def refusals(account: Any, endpoint: str) -> list[str]:
    """Return why the bootstrap server refused devices of an endpoint name, by the log of an account."""
    notes = [note.details for note in account.server_log("bootstrap refused")]
    return [note["reason"] for note in notes if note["endpoint"] == endpoint]


@pytest.mark.proves("bootstrap", "account that is not the certificate's")
@pytest.mark.backend("pelion", needs={"server-log"})
def test_account_of_nobody(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
) -> None:
    """A device that names another account than its certificate is refused, and stays nobody's."""
    uri = developer.server_uri.replace(developer.account_id, "f" * 32)

    start(
        board,
        developer.with_file(Dev.SERVER_URI, uri.encode()),
        update,
        *refused_as("ConnectBootstrapFailed"),
    )

    assert pelion.devices(ca_id=developer.endpoint_name) == []
    assert set(refusals(pelion, developer.endpoint_name)) == {"the account is not the one of the certificate"}


def made_by_oneself(developer: DeveloperCredentials) -> DeveloperCredentials:
    """Return credentials that say what others say, with a key that nobody gave."""
    known = x509.load_der_x509_certificate(developer.certificate_der)
    key = ec.generate_private_key(ec.SECP256R1())
    own = (
        x509.CertificateBuilder(extensions=list(known.extensions))
        .subject_name(known.subject)
        .issuer_name(known.issuer)
        .public_key(key.public_key())
        .serial_number(known.serial_number)
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    key_der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return developer.with_file(Dev.DEVICE_CERTIFICATE, own.public_bytes(Encoding.DER)).with_file(
        Dev.DEVICE_PRIVATE_KEY, key_der
    )


@pytest.mark.proves("bootstrap", "certificate that the service does not know")
def test_unknown_certificate(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
    attempts: Attempts,
) -> None:
    """A certificate that only looks like one of the account's is refused in the handshake."""
    start(board, made_by_oneself(developer), update, *refused_as("ConnectSecureConnectionFailed"))

    assert pelion.devices(ca_id=developer.endpoint_name) == []
    assert attempts(developer, update).evidence.first_broken() is None


@pytest.mark.proves("bootstrap", "certificate was deleted")
def test_deleted_certificate(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
) -> None:
    """A deleted certificate is refused in the handshake already."""
    pelion.delete_certificate(developer.endpoint_name)

    start(board, developer, update, *refused_as("ConnectSecureConnectionFailed"))

    assert pelion.devices(ca_id=developer.endpoint_name) == []


@pytest.mark.proves("bootstrap", "certificate is inactive")
def test_inactive_certificate(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
    attempts: Attempts,
) -> None:
    """A certificate that is not trusted now is refused, and is accepted again when it is."""
    pelion.change_certificate(developer.endpoint_name, status=CertificateStatus.INACTIVE)
    start(board, developer, update, *refused_as("ConnectSecureConnectionFailed"))

    pelion.change_certificate(developer.endpoint_name, status=CertificateStatus.ACTIVE)

    assert attempts(developer, update).evidence.first_broken() is None


@pytest.mark.proves("bootstrap", "endpoint name is not the certificate's")
def test_another_endpoint_name(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
) -> None:
    """The server takes no other name than the certificate's, whatever the device says of itself."""
    renamed = developer.with_file(Dev.ENDPOINT_NAME, b"another-endpoint")

    start(board, renamed, update, *refused_as("ConnectBootstrapFailed"))

    assert pelion.devices(ca_id=developer.endpoint_name) == []


@pytest.mark.proves("bootstrap", "server is nobody that the device trusts")
def test_server_of_another_authority(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, pelion: Any
) -> None:
    """A device tells nothing to a server whose certificate it does not trust."""
    own = developer.with_file(Dev.SERVER_ROOT_CA_CERTIFICATE, developer.certificate_der)

    start(board, own, update, "ConnectSecureConnectionFailed")

    assert pelion.devices(ca_id=developer.endpoint_name) == []


@pytest.mark.proves("bootstrap", "key does not fit")
def test_key_of_another_certificate(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, pelion: Any
) -> None:
    """Who has a certificate and not its key is nobody."""
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()
    mixed = developer.with_file(Dev.DEVICE_PRIVATE_KEY, other.private_key_der)

    start(board, mixed, update, "ConnectorInvalidCredentials")

    assert pelion.devices(ca_id=developer.endpoint_name) == []


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        pytest.param(
            "coaps://127.0.0.1:1?aid=",
            "ConnectNetworkError",
            marks=pytest.mark.proves("bootstrap", "nobody listens"),
            id="nobody listens",
        ),
        pytest.param(
            "coaps://nowhere.invalid:5684?aid=",
            "ConnectDnsResolvingFailed",
            marks=pytest.mark.proves("bootstrap", "no such name"),
            id="no such name",
        ),
    ],
)
def test_server_cannot_be_reached(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, uri: str, error: str
) -> None:
    """The device's log says why."""
    away = developer.with_file(Dev.SERVER_URI, f"{uri}{developer.account_id}".encode())

    start(board, away, update, error)


def going_wrong(name: str, outcome: str, error: str, **fault: str) -> Any:
    """Return a case: a fault of the bootstrap server, and what the client logs."""
    return pytest.param(fault, error, marks=pytest.mark.proves("bootstrap", outcome), id=name)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        going_wrong(
            "handshake refused",
            "refused in the handshake",
            "ConnectSecureConnectionFailed",
            kind="refuse",
            step="handshake",
        ),
        going_wrong(
            "refused 4.03",
            "refused 4.03",
            "ConnectBootstrapFailed",
            kind="refuse",
            step="request",
            code="4.03",
        ),
        going_wrong(
            "refused 5.03",
            "refused 5.03",
            "ConnectBootstrapFailed",
            kind="refuse",
            step="request",
            code="5.03",
        ),
        going_wrong(
            "closed at the request",
            "connection closed at the request",
            "ConnectNetworkError",
            kind="close",
            step="request",
        ),
        going_wrong(
            "closed before the credentials",
            "connection closed before the credentials",
            "ConnectNetworkError",
            kind="close",
            step="security",
        ),
        going_wrong(
            "closed before the end",
            "connection closed before the end",
            "ConnectNetworkError",
            kind="close",
            step="finish",
        ),
        going_wrong("no answer", "no answer", "ConnectTimeout", kind="hold", step="request"),
        going_wrong(
            "damaged TLV",
            "damaged credentials",
            "ConnectBootstrapFailed",
            kind="damaged-tlv",
            step="security",
        ),
        going_wrong(
            "certificate of another key",
            "certificate of another key",
            "ConnectorInvalidCredentials",
            kind="wrong-device-certificate",
            step="security",
        ),
    ],
)
@pytest.mark.backend("pelion", needs={"faults"})
@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
def test_server_goes_wrong(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    fault: dict[str, Any],
    error: str,
) -> None:
    """The log names the error, nothing is registered; when the fault is over, one device is."""
    board.virtual.call("configure", retry_first_s=0.2, retry_longest_s=0.5)
    if fault["kind"] == "hold":  # else a server that is slow would be taken for one that says nothing
        board.virtual.call("configure", client_timeout_s=0.5)
    with pelion.fault("bootstrap", times=99, **fault):
        start(board, developer, update, error)
        assert all(
            device.state is not DeviceState.REGISTERED
            for device in pelion.devices(ca_id=developer.endpoint_name)
        )

    board.driver.wait_until_registered(SECONDS, after=board.driver.restart_client())

    assert [device.state for device in pelion.devices(ca_id=developer.endpoint_name)] == [
        DeviceState.REGISTERED
    ]
