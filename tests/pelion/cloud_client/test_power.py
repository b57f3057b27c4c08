"""Power cuts at every point: the store is as it was or whole, and a retry succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pelion.cloud_client.pki import DEVICE

if TYPE_CHECKING:
    from tests.pelion.cloud_client.site import Site

#: What a device passes from its developer credentials to its registration.
EXCHANGES = (
    "TLS bootstrap",
    "POST /bs",
    "answer DELETE /0",
    "answer PUT /0",
    "answer PUT /1",
    "answer PUT /3",
    "answer POST /bs",
    "TLS lwm2m",
    "POST /rd",
    "answer GET /10255/0/3",
    "answer GET /10255/0/4",
)
GOT = ("LwM2MServerURI", "LwM2MDeviceCert", "LwM2MDevicePrivateKey", "LwM2MServerCACert", "InternalEndpoint")


def passed(site: Site) -> list[tuple[str, str]]:
    """Start the client, wait until all is done, and return the points that it passed."""
    site.register()
    site.board.wait(lambda: ("after exchange", EXCHANGES[-1]) in site.board.points.passed())
    return site.board.points.passed()


def got(site: Site) -> set[str]:
    """Return the names of what the device has got from the bootstrap server."""
    return {name for name in GOT if f"mbed.{name}" in site.board.store.items}


def test_points_of_a_run(site: Site) -> None:
    """Each exchange before and after; the one write within the exchange that ends the bootstrap."""
    expected = []
    for exchange in EXCHANGES:
        expected.append(("before exchange", exchange))
        if exchange == "answer POST /bs":
            expected += [("before store", "commit"), ("after store", "commit")]
        expected.append(("after exchange", exchange))

    assert passed(site) == expected


def test_cut_at_every_point(site: Site) -> None:
    """Never a part of what a bootstrap gives; the client is gone at once; started again it registers."""
    points = passed(site)
    seen: dict[str, int] = {}
    for point, detail in points:
        site.board.stop()
        for name in (*GOT, "BootstrappedEndpoint"):
            site.board.store.items.pop(f"mbed.{name}", None)
        seen[point] = seen.get(point, 0) + 1
        site.board.points.arm(point, seen[point], comes_back=False)
        site.board.start()
        site.board.wait_dark()

        assert got(site) in (set(), set(GOT)), f"{point} {detail}"
        stored = points.index((point, detail)) >= points.index(("after store", "commit"))
        assert bool(got(site)) is stored, f"{point} {detail}"
        assert site.board.client.state()["state"] == "stopped"

        before = site.bootstrap.connections
        assert site.register()["device_id"] == DEVICE
        assert site.bootstrap.connections == before + (not stored)


def test_cut_while_it_forgets_what_is_refused(site: Site) -> None:
    """Before the write all is there, after it the device id alone; a retry succeeds."""
    site.register()
    for point, left in (("before store", 5), ("after store", 1)):
        site.board.stop()
        site.board.store.items["mbed.LwM2MDeviceCert"] = site.pki.stranger.der
        site.board.store.items["mbed.LwM2MDevicePrivateKey"] = site.pki.stranger.key_der
        site.board.points.arm(point, 1, comes_back=False)
        site.board.start()
        site.board.wait_dark()
        assert len(got(site)) == left
        assert site.register()["device_id"] == DEVICE
