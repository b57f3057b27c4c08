"""What the board checks of the certificates in a profile: keys, chains, authorities, times and slots."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from tests.guardian.making import from_base64url, make_key
from tests.guardian.making_profiles import make_authority
from tests.guardian.virtual.paper_service import SYSTEM, as_made
from tests.guardian.virtual.profile_bench import intermediate, signed

if TYPE_CHECKING:
    from tests.guardian.virtual.profile_bench import ProfileBench

ALL = "identity, signing, tls"


def test_root_of_somebody_else(bench: ProfileBench) -> None:
    """A whole chain up to another root is refused: the root is pinned."""
    other = make_authority(SYSTEM)

    bench.refuses(bench.profile(authority=other), "its root is not the pinned one")


def test_chain_of_somebody_else(bench: ProfileBench) -> None:
    """A leaf that another authority issued under the same names leads nowhere."""
    leaves = bench.leaves("tls", authority=make_authority(SYSTEM))

    bench.refuses(bench.profile(leaves=leaves), "slot tls: the chain does not lead to the pinned root")


@pytest.mark.parametrize("slot", ["identity", "tls", "signing"])
def test_leaf_of_another_key(bench: ProfileBench, slot: str) -> None:
    """Each leaf must carry exactly the key of its signing request."""
    leaves = bench.leaves(slot, key=make_key())

    text = f"the certificate of slot {slot} has another key than its signing request"
    bench.refuses(bench.profile(leaves=leaves), text)


def test_leaves_swapped(bench: ProfileBench) -> None:
    """A key of the board's own in another slot's certificate is another key, too."""
    made = as_made(bench.payload)
    leaves = bench.leaves("tls", key=made.keys["identity"])

    text = "the certificate of slot tls has another key than its signing request"
    bench.refuses(bench.profile(leaves=leaves), text)


def test_leaf_of_another_device(bench: ProfileBench) -> None:
    """The certificate must name the hardware id."""
    leaves = bench.leaves("signing", hw_id="SN-0002")

    bench.refuses(bench.profile(leaves=leaves), "slot signing: the certificate names another hardware id")


@pytest.mark.parametrize(
    ("days", "text"),
    [((-2, -1), "the certificate has expired"), ((1, 2), "the certificate is not valid yet")],
)
def test_leaf_that_is_not_valid_now(bench: ProfileBench, days: tuple[int, int], text: str) -> None:
    """A leaf that is not valid now is refused."""
    now = datetime.now(UTC)
    life = (now + timedelta(days=days[0]), now + timedelta(days=days[1]))

    bench.refuses(bench.profile(leaves=bench.leaves("tls", life=life)), f"slot tls: {text}")


def test_expired_authority(bench: ProfileBench) -> None:
    """A chain over an intermediate that is not valid any more is refused."""
    now = datetime.now(UTC)
    root = make_key()
    valid = make_authority(SYSTEM, keys=(root, make_key()))
    bench.board.put("package", bench.service.package(root=valid.root))
    bench.board.ask("request")
    payload = bench.service.read(bench.board.get("request"))[1]
    expired = intermediate(valid.root, root, life=(now - timedelta(days=2), now - timedelta(days=1)))
    leaves = {
        slot: signed(key.public_key(), expired[0].subject, expired[1])
        for slot, key in as_made(payload).keys.items()
    }

    bench.refuses_chains(payload, valid.root, expired[0], leaves, "the certificate of its issuer has expired")


@pytest.mark.parametrize(
    ("constraints", "usage", "text"),
    [
        (x509.BasicConstraints(ca=False, path_length=None), None, "its issuer is no authority"),
        (None, None, "its issuer is no authority"),
        (x509.BasicConstraints(ca=True, path_length=0), False, "its issuer's key may not sign certificates"),
    ],
)
def test_issuer_that_may_not_issue(
    bench: ProfileBench, constraints: x509.BasicConstraints | None, usage: Any, text: str
) -> None:
    """A certificate that is no authority's, or whose key may not sign certificates, issues nothing."""
    root = make_key()
    valid = make_authority(SYSTEM, keys=(root, make_key()))
    bench.board.put("package", bench.service.package(root=valid.root))
    bench.board.ask("request")
    payload = bench.service.read(bench.board.get("request"))[1]
    issuer = intermediate(valid.root, root, constraints=constraints, may_sign=usage)
    leaves = {
        slot: signed(key.public_key(), issuer[0].subject, issuer[1])
        for slot, key in as_made(payload).keys.items()
    }

    bench.refuses_chains(payload, valid.root, issuer[0], leaves, text)


def test_leaf_that_is_an_authority(bench: ProfileBench) -> None:
    """A device does not become an authority."""
    authority = bench.service.authority
    leaves = bench.leaves("tls")
    key = as_made(bench.payload).keys["tls"].public_key()
    ca = x509.BasicConstraints(ca=True, path_length=None)
    leaves["tls"] = signed(key, authority.intermediate.subject, authority.key, constraints=ca)

    text = "slot tls: the certificate is one of an authority, not of a device"
    bench.refuses(bench.profile(leaves=leaves), text)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            "missing",
            f"it has certificates for identity, tls, and the request asked for {ALL}",
        ),
        (
            "more",
            f"it has certificates for identity, more, signing, tls, and the request asked for {ALL}",
        ),
        ("twice", "it has slot tls twice"),
    ],
)
def test_slots(bench: ProfileBench, change: str, text: str) -> None:
    """All slots must be there, and no other."""
    leaves = bench.leaves("tls")
    if change == "more":
        leaves["more"] = leaves["tls"]
    if change == "missing":
        del leaves["signing"]
    content = bench.profile(leaves=leaves)
    if change == "twice":
        payload = json.loads(from_base64url(content.decode().split(".")[1]))
        entries = payload["certificates"]
        content = bench.profile(certificates=[*entries, entries[1]])

    bench.refuses(content, text)


@pytest.mark.parametrize("chain", [[], ["leaf"], ["leaf", *["intermediate"] * 6], ["leaf", "leaf"]])
def test_chain_that_is_none(bench: ProfileBench, chain: list[str]) -> None:
    """A chain that is empty, too short, too long, or of the wrong certificates is refused."""
    payload = json.loads(from_base64url(bench.profile().decode().split(".")[1]))
    entries = payload["certificates"]
    leaf, between = entries[1]["chain"]
    entries[1]["chain"] = [leaf if each == "leaf" else between for each in chain]
    texts = {
        0: "its certificates cannot be read",
        1: "slot tls: the chain does not lead to the pinned root",
        2: "slot tls: its issuer is no authority",
        7: "slot tls: the chain is too long",
    }

    bench.refuses(bench.profile(certificates=entries), texts[len(chain)])


def test_path_length(bench: ProfileBench) -> None:
    """An intermediate that may have no authority below it has none."""
    payload = json.loads(from_base64url(bench.profile().decode().split(".")[1]))
    entries = payload["certificates"]
    leaf, between = entries[1]["chain"]
    entries[1]["chain"] = [leaf, between, between]

    text = "slot tls: its issuer may not have so many authorities below it"
    bench.refuses(bench.profile(certificates=entries), text)


def test_root_at_the_end_of_the_chain(bench: ProfileBench) -> None:
    """A chain may name the root as well."""
    payload = json.loads(from_base64url(bench.profile().decode().split(".")[1]))
    for entry in payload["certificates"]:
        entry["chain"].append(payload["trust"][0])
    bench.board.put("profile", bench.profile(certificates=payload["certificates"]))

    bench.board.ask("install")

    assert bench.board.status()["state"] == "provisioned"
