"""From developer credentials to a registered device: wire, store and log."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.pelion.cloud_client.paper_board import CLASS_ID, VENDOR_ID
from tests.pelion.cloud_client.pki import ACCOUNT, DEVICE, ENDPOINT

if TYPE_CHECKING:
    from tests.pelion.cloud_client.site import Site


def test_a_bootstrap_asks_as_the_fact_sheet_says(site: Site) -> None:
    """``POST /bs?ep&aid&mccv``, one option a part, and no ``iep`` the first time (6.2)."""
    site.register()

    (request,) = site.bootstrap.asked
    assert request.opt.uri_path == ("bs",)
    assert request.opt.uri_query == (f"ep={ENDPOINT}", f"aid={ACCOUNT}", "mccv=3.0.0")
    assert request.payload == b""
    site.board.wait(lambda: len(site.dialogue.codes) >= 5)  # another thread hears of the last one
    assert site.dialogue.codes == ["2.02", "2.04", "2.04", "2.04", "2.04"]


def test_a_bootstrap_is_stored_in_one_write(site: Site) -> None:
    """What the server gave is stored as it is, with the device id of its certificate."""
    site.register()

    assert len(site.board.store.commits) == 1
    held = site.board.store.items
    assert held["mbed.LwM2MServerURI"].decode() == site.uri
    assert held["mbed.LwM2MDeviceCert"] == site.pki.device.der
    assert held["mbed.LwM2MDevicePrivateKey"] == site.pki.device.key_der
    assert held["mbed.LwM2MServerCACert"] == site.pki.lwm2m_authority.der
    assert held["mbed.InternalEndpoint"].decode() == DEVICE


def test_a_registration_asks_as_the_fact_sheet_says(site: Site) -> None:
    """``POST /rd?ep&et=default&lt=600&aid&mccv`` with the list of objects, the ids for updates among them."""
    site.register()

    request = site.lwm2m.asked[0]
    assert request.opt.uri_path == ("rd",)
    assert request.opt.uri_query == (
        f"ep={ENDPOINT}",
        "et=default",
        "lt=600",
        f"aid={ACCOUNT}",
        "mccv=3.0.0",
    )
    assert request.opt.content_format == 40
    assert request.payload == b"</3/0>,</10255/0>"


def test_the_log_says_who_is_registered(site: Site) -> None:
    """The three texts of section 6.1, in this order, each in a line of its own."""
    state = site.register()

    assert site.board.said()[-3:] == [
        "Client registered",
        f"Endpoint Name: {ENDPOINT}",
        f"Device Id: {DEVICE}",
    ]
    assert all(
        re.match(r"\d{4}-\d\d-\d\dT[\d:]{8}Z \[(INFO|WARN|ERR )\]\[mbl\]: ", line)
        for line in site.board.log.lines
    )
    assert site.board.log.text().endswith(f"Device Id: {DEVICE}\n")
    assert (state["endpoint_name"], state["device_id"], state["error"]) == (ENDPOINT, DEVICE, None)


def test_the_server_reads_vendor_and_class(site: Site) -> None:
    """16 bytes each, opaque; a device without them has no such resource."""
    site.register()

    assert [(each.code.dotted, each.payload) for each in site.registration.ids] == [
        ("2.05", VENDOR_ID),
        ("2.05", CLASS_ID),
    ]
    assert {each.opt.content_format for each in site.registration.ids} == {42}


def test_a_second_start_registers_without_a_bootstrap(site: Site) -> None:
    """The LwM2M credentials are kept over a power cycle."""
    site.register()
    site.board.stop()

    site.register()

    assert site.bootstrap.connections == 1
    assert site.lwm2m.connections == 2


def test_other_credentials_bring_another_bootstrap(site: Site) -> None:
    """A new endpoint name: what was got with the old one is forgotten, and no ``iep`` is sent."""
    site.register()
    site.board.stop()
    site.board.store.items["mbed.EndpointName"] = b"another"

    site.register()

    assert site.bootstrap.asked[-1].opt.uri_query == ("ep=another", f"aid={ACCOUNT}", "mccv=3.0.0")
    assert site.board.store.commits[1] == site.board.store.commits[0]
    assert len(site.board.store.commits) == 3


def test_the_same_device_names_itself_when_it_bootstraps_again(site: Site) -> None:
    """With LwM2M credentials lost the server is told the internal endpoint name (6.2)."""
    site.register()
    site.board.stop()
    del site.board.store.items["mbed.LwM2MDeviceCert"]

    site.register()

    assert site.bootstrap.asked[-1].opt.uri_query[-1] == f"iep={DEVICE}"
    assert site.bootstrap.connections == 2


@pytest.mark.parametrize("aid", [f"?aid={'9' * 32}", ""], ids=["its own", "none"])
def test_the_account_is_that_of_the_uri(site: Site, aid: str) -> None:
    """The LwM2M URI's account counts; without one, that of the bootstrap URI."""
    site.dialogue.__init__(site.pki, f"{site.uri}{aid}")  # type: ignore[misc]  # the same script, another URI

    site.register()

    expected = "9" * 32 if aid else ACCOUNT
    assert f"aid={expected}" in site.lwm2m.asked[0].opt.uri_query


def test_a_traditional_private_key_will_do(site: Site) -> None:
    """The key of a developer may be PKCS#8 or the older form."""
    site.board.store.items["mbed.BootstrapDevicePrivateKey"] = site.pki.developer.traditional_key_der

    assert site.register()["state"] == "registered"


def test_registrations_are_updated(site: Site) -> None:
    """By a POST to the location, every ``register_every_s``, also when that is changed meanwhile."""
    site.register()
    site.board.settings.register_every_s = 0.02
    site.board.on_loop(site.board.client.settings_changed)

    site.board.wait(lambda: site.board.client.state()["updates"] >= 2)

    update = site.lwm2m.asked[1]
    assert (update.code.dotted, update.opt.uri_query, update.payload) == ("0.02", (), b"")
    assert update.opt.uri_path == ("rd", ACCOUNT, "1")
    assert site.lwm2m.connections == 1


def test_an_update_on_order_is_one(site: Site) -> None:
    """It comes at once, however long the next one has to wait, and no other follows it."""
    site.register()

    site.board.on_loop(site.board.client.update_registration)

    site.board.wait(lambda: site.board.client.state()["updates"] >= 1)
    site.board.on_loop(site.board.client.deregister)
    site.board.wait_state("stopped")
    assert [each.code.dotted for each in site.lwm2m.asked] == ["0.02", "0.02", "0.04"]
    assert site.board.state()["updates"] == site.registration.updates == 1
    with pytest.raises(ValueError, match="the client is stopped; expected registered"):
        site.board.on_loop(site.board.client.update_registration)


def test_deregistering_tells_the_server(site: Site) -> None:
    """DELETE of the location; then the client has stopped."""
    site.register()

    site.board.on_loop(site.board.client.deregister)

    assert site.board.wait_state("stopped")["device_id"] == DEVICE
    site.board.join()
    last = site.lwm2m.asked[-1]
    assert (last.code.dotted, last.opt.uri_path) == ("0.04", ("rd", ACCOUNT, "1"))
    assert site.board.said()[-1] == "Client unregistered"
    with pytest.raises(ValueError, match="the client is stopped; expected registered"):
        site.board.on_loop(site.board.client.deregister)


def test_whole_way_is_cheap(site: Site) -> None:
    """A bootstrap and a registration cost less than 40 ms of CPU on the client's thread."""
    costs = []
    for _ in range(3):
        for name in list(site.board.store.items):
            if name.startswith(("mbed.LwM2M", "mbed.Internal", "mbed.Bootstrapped")):
                del site.board.store.items[name]
        before = site.board.cpu_s
        site.register()
        site.board.stop()
        costs.append(site.board.cpu_s - before)

    assert site.bootstrap.connections == 3
    assert min(costs) < 0.040


def test_stopped_at_once(site: Site) -> None:
    """A registered client ends within a second and leaves no thread."""
    site.register()

    assert site.board.stop() < 1
    assert site.board.state()["state"] == "stopped"
    before = time.monotonic()
    site.register()
    assert time.monotonic() - before < 5
