"""Power cuts while credentials are injected: no device claims to be configured with mixed credentials."""

from __future__ import annotations

import pytest

from tests.pelion.virtual.material import ENDPOINT, OTHER_ENDPOINT, Material, material
from tests.pelion.virtual.util_bench import UtilBench

ONE = {"mbed.UseBootstrap": b"\x01\x00\x00\x00"}
POINTS = ("before delete", "after delete", "before store", "after store")
ENROLMENT = {
    "mbed.BootstrappedEndpoint": ENDPOINT.encode(),
    "mbed.InternalEndpoint": b"an older device",
    "mbed.LwM2MServerURI": b"coaps://x?aid=y",
}


def same_identity() -> Material:
    """Return credentials that differ in items which no check compares with another one."""
    other = material(OTHER_ENDPOINT).items
    changes = ("mbed.UpdateAuthCert", "mbed.ClassId")
    uri = {"mbed.BootstrapServerURI": b"coaps://127.0.0.1:9?aid=another"}
    return material().with_items({**{name: other[name] for name in changes}, **uri})


@pytest.mark.parametrize("again", [False, True], ids=["blank", "provisioned"])
@pytest.mark.parametrize("point", POINTS)
def test_cut_at_every_store(point: str, again: bool) -> None:  # noqa: FBT001 - a table
    """Cut at each write in turn: old whole, new whole or not configured; the next attempt succeeds."""
    cuts = 0
    for new in (material(OTHER_ENDPOINT), same_identity()):
        for nth in range(1, 40):
            bench = UtilBench()
            if again:
                bench.provision(material())
                bench.kcm.commit(ENROLMENT)
            if not bench.provision_until(new, point, nth):
                break
            cuts += 1
            held = {name: data for name, data in bench.held().items() if name not in ENROLMENT}
            if bench.status()[0] == 0:
                whole = [{**ONE, **new.items}, *([{**ONE, **material().items}] if again else [])]
                assert held in whole
            assert bench.provision(new)[0] == 0
            assert bench.status() == (0, "")
            held = {name: data for name, data in bench.held().items() if name not in ENROLMENT}
            assert held == {**ONE, **new.items}
            renamed = new.items["mbed.EndpointName"] != material().items["mbed.EndpointName"]
            assert [name for name in ENROLMENT if bench.kcm.get(name)] == (
                list(ENROLMENT) if again and not renamed else []
            )
        else:
            pytest.fail("there is no end of points")
    stores = 2 * 15 if "store" in point else 2 * 15 if again else 0
    assert cuts == stores + (1 if again and "store" in point else 0)


def test_without_the_flag_the_checks_alone_would_not_do() -> None:
    """Some mixtures pass every check: that is why the flag goes first and comes last."""
    bench = UtilBench()
    bench.provision(material())
    bench.provision_until(same_identity(), "after store", 6)
    assert bench.kcm.get("mbed.BootstrapServerURI") == b"coaps://127.0.0.1:9?aid=another"
    assert bench.kcm.get("mbed.ClassId") == material().items["mbed.ClassId"]
    assert bench.status() == (1, "Item does not exist:mbed.UseBootstrap\n")
    bench.kcm.store(*next(iter(ONE.items())))
    assert bench.status() == (0, "")
