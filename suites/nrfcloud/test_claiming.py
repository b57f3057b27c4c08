"""Claiming: who may claim which device, with which token, and what is refused."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.enums import DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

# A token with a valid signature of a device that no registry knows (nrfcloud fact sheet, section 4.5).
TOKEN_OF_AN_UNKNOWN_DEVICE = (
    "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P."
    "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
)


@pytest.mark.proves("claim", "201, the device is READY and ours")
def test_claimed_device_is_the_board(board: LeasedBoard, nrfcloud: Any) -> None:
    """A claim answers with the very board: its UUID, its IMEI, its type, its firmware, READY."""
    device = nrfcloud.claim(board.driver.attestation_token())

    assert device.id == board.driver.device_uuid()
    assert device.imei == board.driver.imei()
    assert device.device_type.lower().replace("_", "-") == board.driver.model().lower()
    assert board.driver.at("AT%XMODEMUUID") == [f"%XMODEMUUID: {device.firmware_id}"]
    assert device.status is DeviceStatus.READY
    assert device.ownership_status == "IDENTIFIED"


@pytest.mark.backend(needs={"tags-by-claim"})
@pytest.mark.proves("claim", "201, tags are kept")
def test_claim_with_tags(board: LeasedBoard, nrfcloud: Any) -> None:
    """Tags given with the claim are the device's tags, in the answer and when read again."""
    tags = ["location=Trondheim", "x" * 100]

    device = nrfcloud.claim(board.driver.attestation_token(), tags=tags)

    assert list(device.tags) == tags
    assert list(nrfcloud.device(device.id).tags) == tags


@pytest.mark.proves("claim", "201, on the path of the documented example too")
def test_claim_on_the_documented_path(board: LeasedBoard, nrfcloud: Any) -> None:
    """The path in the service's own example claims as well."""
    answer = nrfcloud.raw.request(
        "POST", "/v1/identities/claimed-devices", json={"claimToken": board.driver.attestation_token()}
    )

    assert answer.status_code == 201
    nrfcloud.device(answer.json()["id"]).unclaim()


@pytest.mark.proves("claim", "409 when the own team has it already")
def test_claim_twice(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, refused: Any, is_claimed_by: Any
) -> None:
    """A claimed device cannot be claimed again, not even by its owner."""
    with refused(409):
        nrfcloud.claim(board.driver.attestation_token())

    assert is_claimed_by(nrfcloud)


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("claim", "409 when another team has it")
def test_claim_of_another_teams_device(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, refused: Any, is_claimed_by: Any
) -> None:
    """A second team gets nothing, and the first keeps its claim."""
    other = nrfcloud.another_team()

    with refused(409):
        other.claim(board.driver.attestation_token())

    assert not is_claimed_by(other)
    assert claimed.refresh().owner_id == nrfcloud.owner_id != other.owner_id


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("not-a-token", id="no-point"),
        pytest.param("", id="empty"),
        pytest.param("2dn3hQ.0oRD", id="cut-off"),
        pytest.param("%%%.&&&", id="not-base64url"),
    ],
)
@pytest.mark.proves("claim", "422 for a malformed token")
def test_malformed_token(
    board: LeasedBoard, nrfcloud: Any, refused: Any, token: str, is_claimed_by: Any
) -> None:
    """A token that cannot be read claims nothing."""
    with refused(422):
        nrfcloud.claim(token)

    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("attestation", "the nonce is the challenge, or new each time")
def test_nonce_of_a_token(board: LeasedBoard) -> None:
    """A token answers a challenge, and without one no two tokens are alike."""

    def nonce(token: str) -> bytes:
        body = token.partition(".")[0]
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))[-16:]

    challenge = bytes(range(16))

    assert nonce(board.driver.attestation_token(challenge)) == challenge
    assert nonce(board.driver.attestation_token()) != nonce(board.driver.attestation_token())


@pytest.mark.proves("claim", "422 for a token whose signature was tampered with")
def test_tampered_token(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """One changed character in the signature, and the claim is refused."""
    token = board.driver.attestation_token()
    changed = "A" if token[-20] != "A" else "B"

    with refused(422):
        nrfcloud.claim(token[:-20] + changed + token[-19:])

    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("claim", "422 for a token that another key signed")
def test_forged_token(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """A well-formed token for our board, signed by a key that is not the board's, is refused."""
    if not board.description.virtual:
        pytest.skip("only a virtual board can be told to forge its own token")
    board.virtual.call("forge", what="token-signature", times=1)
    forged = board.driver.attestation_token()

    with refused(422):
        nrfcloud.claim(forged)

    assert not is_claimed_by(nrfcloud)
    assert nrfcloud.claim(board.driver.attestation_token()).status is DeviceStatus.READY


@pytest.mark.proves("claim", "422 for a device that nobody made")
def test_unknown_device(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """A valid signature of an unknown device claims nothing."""
    with refused(422):
        nrfcloud.claim(TOKEN_OF_AN_UNKNOWN_DEVICE)

    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("claim", "400 for a tag over 100 characters")
def test_tag_too_long(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """A tag may have 100 characters and no more; the device stays unclaimed."""
    with refused(400):
        nrfcloud.claim(board.driver.attestation_token(), tags=["x" * 101])

    assert not is_claimed_by(nrfcloud)


@pytest.mark.parametrize(
    "body", [b"{", b'{"tags": []}', b'{"claimToken": 7}', b'{"claimToken": null}', b"{}"], ids=repr
)
@pytest.mark.proves("claim", "400 for a body that is no claim")
def test_unfit_body(board: LeasedBoard, nrfcloud: Any, body: bytes, refused: Any) -> None:
    """A body that is not a claim is refused with a message."""
    answer = nrfcloud.raw.request(
        "POST", "/v1/claimed-devices", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == refused.status(400)
    assert answer.json().get("message")


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Basic abc", "Bearer "], ids=repr)
@pytest.mark.proves("claim", "401 without the key of a team")
def test_without_a_valid_key(board: LeasedBoard, nrfcloud: Any, key: str | None, is_claimed_by: Any) -> None:
    """Nobody claims without a team's key."""
    answer = nrfcloud.raw.request(
        "POST",
        "/v1/claimed-devices",
        json={"claimToken": board.driver.attestation_token()},
        headers={"Authorization": key or ""},
    )

    assert answer.status_code == 401
    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("dry run", "202, and nothing is claimed")
def test_dry_run_of_a_free_device(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """A dry run says that a device could be claimed and claims nothing."""
    nrfcloud.dry_run(board.driver.attestation_token())

    assert not is_claimed_by(nrfcloud)
    assert nrfcloud.claim(board.driver.attestation_token()).status is DeviceStatus.READY


@pytest.mark.proves("dry run", "409 for a claimed device")
def test_dry_run_of_a_claimed_device(board: LeasedBoard, nrfcloud: Any, claimed: Any, refused: Any) -> None:
    """A dry run tells that the device is taken."""
    with refused(409):
        nrfcloud.dry_run(board.driver.attestation_token())


@pytest.mark.proves("dry run", "422 for a malformed token")
def test_dry_run_of_a_malformed_token(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """A dry run tells that the token is none."""
    with refused(422):
        nrfcloud.dry_run("not-a-token")


@pytest.mark.proves("dry run", "422 for a token whose signature was tampered with")
def test_dry_run_of_a_tampered_token(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """A dry run looks at the signature too."""
    token = board.driver.attestation_token()
    changed = "A" if token[-20] != "A" else "B"

    with refused(422):
        nrfcloud.dry_run(token[:-20] + changed + token[-19:])


@pytest.mark.proves("dry run", "422 for a device that nobody made")
def test_dry_run_of_an_unknown_device(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """A dry run knows which devices there are."""
    with refused(422):
        nrfcloud.dry_run(TOKEN_OF_AN_UNKNOWN_DEVICE)


@pytest.mark.proves("list", "200, the team's devices")
def test_list_shows_the_claimed_device(nrfcloud: Any, claimed: Any) -> None:
    """The list holds the claimed device as it was claimed."""
    listed = [device for device in nrfcloud.devices() if device.id == claimed.id]

    assert [(device.imei, device.status) for device in listed] == [(claimed.imei, claimed.status)]


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("list", "200, nothing of another team")
def test_list_of_another_team(nrfcloud: Any, claimed: Any, is_claimed_by: Any) -> None:
    """A team does not see another team's devices."""
    assert not is_claimed_by(nrfcloud.another_team())


@pytest.mark.proves("list", "401 without the key of a team")
def test_list_without_a_key(board: LeasedBoard, nrfcloud: Any) -> None:
    """Nobody lists devices without a team's key."""
    answer = nrfcloud.raw.request("GET", "/v1/claimed-devices", headers={"Authorization": "Bearer wrong"})

    assert answer.status_code == 401


@pytest.mark.proves("get", "200, the device")
def test_get(nrfcloud: Any, claimed: Any) -> None:
    """A claimed device can be read by its id."""
    device = nrfcloud.device(claimed.id)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", device.claimed_at)
    assert (device.imei, device.firmware_id, device.claimed_at) == (
        claimed.imei,
        claimed.firmware_id,
        claimed.claimed_at,
    )


@pytest.mark.proves("get", "404 for an unknown id")
def test_get_unknown(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """An id that is nobody's is not found."""
    with refused(404):
        nrfcloud.device("00000000-0000-4000-8000-000000000000")


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("get", "404 for another team's device")
def test_get_of_another_team(nrfcloud: Any, claimed: Any, refused: Any) -> None:
    """Another team's device is not found either."""
    with refused(404):
        nrfcloud.another_team().device(claimed.id)


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("list", "200, only what the filter names")
def test_list_with_a_filter(nrfcloud: Any, claimed: Any) -> None:
    """A filter shows the devices that fit it and no others."""
    for imei, ids in ((claimed.imei, [claimed.id]), ("000000000000000", [])):
        answer = nrfcloud.raw.request("GET", "/v1/claimed-devices", params={"imei": imei})

        assert answer.status_code == 200
        assert [item["id"] for item in answer.json()["items"]] == ids


@pytest.mark.backend(needs={"teams"})
@pytest.mark.parametrize("role", ["owner", "admin", "editor"])
@pytest.mark.proves("dry run", "202 with the key of an owner, an admin or an editor")
def test_roles_that_may_claim(nrfcloud: Any, would_claim: Any, role: str) -> None:
    """Owners, admins and editors may use the service."""
    assert would_claim(nrfcloud.colleague(role)).status_code == 202


@pytest.mark.backend(needs={"exact-status", "teams"})
@pytest.mark.proves("claim", "403 with the key of a viewer")
def test_viewer_does_not_claim(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """A viewer claims nothing."""
    with refused(403):
        nrfcloud.colleague("viewer").claim(board.driver.attestation_token())

    assert not is_claimed_by(nrfcloud)


@pytest.mark.backend(needs={"exact-status", "teams"})
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/block"), ("POST", "/provisioning"), ("DELETE", "")],
    ids=["block", "command", "unclaim"],
)
@pytest.mark.proves("claim", "a viewer reads a claimed device and changes nothing")
def test_viewer_only_reads(nrfcloud: Any, claimed: Any, method: str, path: str, refused: Any) -> None:
    """A viewer of the team sees its devices, and neither blocks, commands nor unclaims them."""
    viewer = nrfcloud.colleague("viewer")

    answer = viewer.raw.request(
        method, f"/v1/claimed-devices/{claimed.id}{path}", json={"request": {"finished": {}}}
    )

    assert answer.status_code == refused.status(403)
    assert viewer.device(claimed.id).status is DeviceStatus.READY
