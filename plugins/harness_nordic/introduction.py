"""Making a board and a service known to each other before the first test that uses both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.evidence import step

if TYPE_CHECKING:
    from harness.backends.contract import Backend
    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.driver import Nrf91Driver

#: What a report says of every test on a board whose key the fake did not get from a factory.
RECOVERED = "identity key recovered on first use"
#: What a report says of every test on a board whose own agent, if it has one, has no part in it.
HOST_RUN = "provisioned by the agent on the host"

_MANAGEMENT_HOST = re.compile(r"api\.provisioning(\.[a-z0-9-]+)?\.nrfcloud\.com")


def introduce(board: LeasedBoard, backend: Backend) -> None:
    """Enrol a board with a fake, and tell the board and the agent on the host where the service is.

    :raises HarnessError: the board gives no tokens from which its key follows, or the fake refuses it.
    """
    virtual = board.description.virtual
    driver: Nrf91Driver = board.driver
    lead_to_service(board, backend)
    if not virtual and not is_nrf_cloud(backend.url):
        driver.agents = ("host",)  # its firmware was built for another service
    if driver.agents[0] == "host":
        board.remarks.append(HOST_RUN)
    if backend.control is None:
        return
    from harness_nordic.client import enrol

    if virtual:
        enrol(backend, board.virtual.call("factory_record"))
    else:
        enrol(backend, recovered_record(driver))
        board.remarks.append(RECOVERED)


def lead_to_service(board: LeasedBoard, backend: Backend) -> None:
    """Tell the agent on the host, and a virtual board's own, where the service is and how they know it.

    :raises UsageError: the file of authorities that is named is not there.
    """
    driver: Nrf91Driver = board.driver
    endpoint = backend.addresses.get("device") or device_endpoint(backend.url)
    authorities = _authorities(backend)
    if authorities is None:
        driver.use_service(endpoint)
    else:
        driver.use_service(endpoint, authorities)
    if board.description.virtual:
        board.virtual.call("set_service", url=endpoint)
        if backend.addresses.get("coap", "").startswith("coap://"):  # no virtual board speaks DTLS
            board.virtual.call("set_service", url=backend.address("coap"))
        if authorities is not None:
            board.virtual.call("install_root_ca", pem=authorities)


def _authorities(backend: Backend) -> str | None:
    """Return the certificates (PEM) by which agents know a service that is no fake; ``None``: by their own.

    :raises UsageError: the file that is named is not there.
    """
    if backend.control is not None:
        return None
    from harness.backends.credentials import ca_file
    from harness_nordic.client_access import CA_FILE_VARIABLE

    file = ca_file(CA_FILE_VARIABLE)
    return None if file is None else file.read_text()


def recovered_record(driver: Nrf91Driver) -> dict[str, Any]:
    """Return what a factory would know of a board: from its signatures and what it says of itself.

    :raises BoardFault: its key does not follow from what it signs.
    """
    with step(f"Ask the board for two attestation tokens: {RECOVERED}"):
        from harness_nordic.key_recovery import identify

        key, attestation = identify(driver.attestation_token)
        return {
            "uuid": attestation.device_uuid,
            "public_key": key.hex(),
            "imei": driver.imei(),
            "device_type": attestation.device_type,
            "firmware_uuid": attestation.firmware_uuid,
        }


def is_nrf_cloud(url: str) -> bool:
    """Tell whether an address is of nRF Cloud itself (nrfcloud fact sheet, section 1)."""
    return _MANAGEMENT_HOST.fullmatch(urlsplit(url).hostname or "") is not None


def device_endpoint(url: str) -> str:
    """Return where boards of a service go: on nRF Cloud another host (nrfcloud fact sheet, section 1)."""
    match = _MANAGEMENT_HOST.fullmatch(urlsplit(url).hostname or "")
    return f"https://provisioning-http{match[1] or ''}.nrfcloud.com" if match else url
