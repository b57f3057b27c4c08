"""Claiming many devices by one CSV body: both forms, rows that fail, and how they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

DETAILS = pytest.mark.backend(needs={"bulk-details"})
FACTORY = pytest.mark.backend(needs={"bulk-details", "factory"})

# A token with a valid signature of a device that no registry knows (nrfcloud fact sheet, section 4.5).
UNKNOWN = (
    "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P."
    "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
)


@pytest.fixture
def post_rows(nrfcloud: Any) -> Callable[..., Any]:
    """Send a body of rows as it is; the answer is returned whatever it is."""

    def post(body: bytes | str, content_type: str | None = "text/csv") -> Any:
        return nrfcloud.claim_csv(body.encode() if isinstance(body, str) else body, content_type=content_type)

    return post


def tampered(token: str) -> str:
    """Return a token with one other character in its signature."""
    return token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]


@pytest.mark.proves("bulk claim", "200, the device is READY and ours")
def test_row_claims_the_board(board: LeasedBoard, nrfcloud: Any) -> None:
    """One row claims the very board, with all that the service says of it, and its agent is served."""
    outcome = nrfcloud.claim_many([board.driver.attestation_token()])

    (device,) = outcome.claimed
    assert outcome.failed == ()
    assert (device.id, device.imei) == (board.driver.device_uuid(), board.driver.imei())
    assert device.status is DeviceStatus.READY
    assert nrfcloud.device(device.id).claimed_at == device.claimed_at
    assert board.driver.provision().refused_with is None


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.proves("bulk claim", "200, the device is provisioned like any other")
def test_board_claimed_by_a_row_is_provisioned(
    board: LeasedBoard, nrfcloud: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """A device that was claimed by a row takes commands, and its board executes them."""
    (device,) = nrfcloud.claim_many([board.driver.attestation_token()]).claimed
    device.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    board.driver.provision()

    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
    assert device.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.parametrize("content_type", ["text/csv", None, "application/x-www-form-urlencoded"], ids=str)
@pytest.mark.proves("bulk claim", "200 whatever the type of the body, as clients send it")
def test_body_is_known_by_its_first_byte(
    board: LeasedBoard, post_rows: Any, is_claimed_by: Any, nrfcloud: Any, content_type: str | None
) -> None:
    """The documented type, none at all as Nordic's client sends it, and curl's own: rows are rows."""
    answer = post_rows(f'"{board.driver.attestation_token()}"\n', content_type)

    assert answer.status_code in {200, 201}
    assert is_claimed_by(nrfcloud)


@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\n\n\r\n"], ids=repr)
@pytest.mark.proves("bulk claim", "200 with either line end, or none behind the last row")
def test_line_ends(board: LeasedBoard, post_rows: Any, is_claimed_by: Any, nrfcloud: Any, end: str) -> None:
    """LF, CRLF, no line end at all and blank lines: the row is the same."""
    answer = post_rows(board.driver.attestation_token() + end)

    assert answer.status_code in {200, 201}
    assert answer.json()["failed"] == []
    assert is_claimed_by(nrfcloud)


@pytest.mark.proves("bulk claim", "200 although every row failed")
def test_all_rows_fail(board: LeasedBoard, nrfcloud: Any, post_rows: Any, is_claimed_by: Any) -> None:
    """A correctly formatted request is answered 200 even if nothing could be claimed."""
    answer = post_rows(f"not-a-token\n{tampered(board.driver.attestation_token())}\n")

    assert answer.status_code == 200
    assert answer.json()["claimedIds"] == []
    assert len(answer.json()["failed"]) == 2
    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("bulk claim", "200, rows that fail stop no other")
def test_rows_that_fail(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """Before and behind rows that claim nothing, the board is claimed."""
    token = board.driver.attestation_token()

    outcome = nrfcloud.claim_many(["not-a-token", token, UNKNOWN])

    assert [device.id for device in outcome.claimed] == [board.driver.device_uuid()]
    assert len(outcome.failed) == 2
    assert is_claimed_by(nrfcloud)
    assert board.driver.provision().refused_with is None


@pytest.mark.proves("bulk claim", "200, a device twice is claimed once")
def test_device_in_two_rows(board: LeasedBoard, nrfcloud: Any) -> None:
    """The second row of a device fails, and the claim by the first one stands."""
    outcome = nrfcloud.claim_many([board.driver.attestation_token(), board.driver.attestation_token()])

    assert [device.id for device in outcome.claimed] == [board.driver.device_uuid()]
    assert len(outcome.failed) == 1
    uuid = board.driver.device_uuid()
    assert [device.id for device in nrfcloud.devices() if device.id == uuid] == [uuid]


@pytest.mark.proves("bulk claim", "200, a device of ours is claimed no second time")
def test_device_that_is_claimed_already(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """The row of a claimed device fails, and its claim stays what it was."""
    outcome = nrfcloud.claim_many([board.driver.attestation_token()])

    assert outcome.claimed == ()
    assert len(outcome.failed) == 1
    assert nrfcloud.device(claimed.id).claimed_at == claimed.claimed_at


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("bulk claim", "200, a device of another team stays theirs")
def test_device_of_another_team(board: LeasedBoard, nrfcloud: Any, claimed: Any, is_claimed_by: Any) -> None:
    """A row takes nothing away from another team."""
    other = nrfcloud.another_team()

    outcome = other.claim_many([board.driver.attestation_token()])

    assert (outcome.claimed, len(outcome.failed)) == ((), 1)
    assert is_claimed_by(nrfcloud)
    assert not is_claimed_by(other)


@FACTORY
@pytest.mark.proves("bulk claim", "200, the failed rows by their numbers and reasons")
def test_failed_rows_are_told_by_number(board: LeasedBoard, nrfcloud: Any, siblings: Any) -> None:
    """Rows are counted from 1, failed ones keep their numbers, and each says why."""
    first, second, third = siblings(3)
    bad = tampered(second.token)

    outcome = nrfcloud.claim_many(
        ["not-a-token", first.token, bad, board.driver.attestation_token(), UNKNOWN, third.token, first.token]
    )

    assert [device.id for device in outcome.claimed] == [first.id, board.driver.device_uuid(), third.id]
    assert [failed.row for failed in outcome.failed] == [1, 3, 5, 7]
    assert [failed.token for failed in outcome.failed] == ["not-a-token", bad, UNKNOWN, first.token]
    for failed, reason in zip(outcome.failed, ("malformed", "signature", "unknown", "claimed"), strict=True):
        assert reason in failed.message
    assert {device.id for device in nrfcloud.devices()} == {device.id for device in outcome.claimed}


@FACTORY
@pytest.mark.proves("bulk claim", "200, a spoilt row shifts no other")
def test_row_with_an_open_quote_shifts_no_other(
    board: LeasedBoard, nrfcloud: Any, post_rows: Any, siblings: Any
) -> None:
    """A quotation mark that is never closed spoils its own row; those around it keep their numbers."""
    first, second, third = siblings(3)
    rows = [first.token, f'{second.token},"white', board.driver.attestation_token(), "x,y,z", third.token]

    answer = post_rows("\n".join(rows)).json()

    assert answer["claimedIds"] == [first.id, board.driver.device_uuid(), third.id]
    assert [failed["row"] for failed in answer["failed"]] == [2, 4]
    assert second.id not in {device.id for device in nrfcloud.devices()}


@DETAILS
@pytest.mark.parametrize("tags", ["", ',"white"', ",white"], ids=["bare", "quoted", "plain"])
@pytest.mark.proves("bulk claim", "200, rows that ran together claim nothing and say so")
def test_rows_run_together(
    board: LeasedBoard, nrfcloud: Any, post_rows: Any, is_claimed_by: Any, tags: str
) -> None:
    """``curl -d @file`` takes line breaks out: that is one failed row, and no claim of half of it."""
    row = board.driver.attestation_token() + tags

    answer = post_rows(row + UNKNOWN + tags).json()

    assert answer["claimedIds"] == []
    assert [failed["row"] for failed in answer["failed"]] == [1]
    assert "run together" in answer["failed"][0]["message"]
    assert not is_claimed_by(nrfcloud)


@DETAILS
@pytest.mark.proves("bulk claim", "200, a header row is a failed row")
def test_header_row(board: LeasedBoard, nrfcloud: Any, post_rows: Any, is_claimed_by: Any) -> None:
    """A file has no header; one that is there fails as any row without a token."""
    answer = post_rows(f"token,tags\n{board.driver.attestation_token()}\n").json()

    assert [failed["row"] for failed in answer["failed"]] == [1]
    assert is_claimed_by(nrfcloud)


@pytest.mark.proves("bulk claim", "200, the second column is a list of tags")
def test_tags_of_rows(board: LeasedBoard, nrfcloud: Any, post_rows: Any) -> None:
    """Tags stand in quotes with commas between them, and are the device's as if given with a claim."""
    names = [nrfcloud.create_tag(nrfcloud.own_name(text)).name for text in ("Oslo", "white")]

    answer = post_rows(f'{board.driver.attestation_token()},"{",".join(names)}"\r\n')

    assert answer.json()["failed"] == []
    assert list(nrfcloud.device(board.driver.device_uuid()).tags) == names


@FACTORY
@pytest.mark.proves("bulk claim", "200, each row has its own tags")
def test_rows_have_tags_of_their_own(nrfcloud: Any, siblings: Any) -> None:
    """A row's tags are its device's and no other's."""
    first, second, third = siblings(3)

    nrfcloud.claim_many([(first.token, ["white", "Oslo"]), second.token, (third.token, ["white"])])

    tags = {device.id: list(device.tags) for device in nrfcloud.devices()}
    assert tags == {first.id: ["white", "Oslo"], second.id: [], third.id: ["white"]}


@FACTORY
@pytest.mark.parametrize("tags", ["x" * 101, "white,,Oslo"], ids=["101 characters", "empty"])
@pytest.mark.proves("bulk claim", "200, a tag that can be none fails its row")
def test_row_with_a_bad_tag(
    board: LeasedBoard, nrfcloud: Any, post_rows: Any, siblings: Any, tags: str
) -> None:
    """A tag of more than 100 characters, or of none, fails its row and no other."""
    (sibling,) = siblings(1)

    answer = post_rows(f'{sibling.token},"{tags}"\n{board.driver.attestation_token()}\n').json()

    assert [failed["row"] for failed in answer["failed"]] == [1]
    assert [device.id for device in nrfcloud.devices()] == [board.driver.device_uuid()]


@pytest.mark.backend(needs={"tags-by-claim"})
@pytest.mark.proves("bulk claim", "200, a row that fails defines no tag")
def test_row_that_fails_defines_no_tag(board: LeasedBoard, nrfcloud: Any) -> None:
    """Tags that nobody defined are defined by the rows that claim, and by no other."""
    ours, theirs = nrfcloud.own_name("ours"), nrfcloud.own_name("of-no-device")
    token = board.driver.attestation_token()

    (device,) = nrfcloud.claim_many([(tampered(token), [theirs]), (token, [ours])]).claimed

    assert nrfcloud.device(device.id).tags == (ours,)
    assert {ours, theirs} & {tag.name for tag in nrfcloud.tags()} == {ours}


@pytest.mark.proves("bulk claim", "200 for 1000 rows")
def test_thousand_rows(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """A thousand rows are taken, and the last one counts."""
    outcome = nrfcloud.claim_many(["not-a-token"] * 999 + [board.driver.attestation_token()])

    assert [device.id for device in outcome.claimed] == [board.driver.device_uuid()]
    assert len(outcome.failed) == 999
    assert is_claimed_by(nrfcloud)


@DETAILS
@pytest.mark.proves("bulk claim", "400 for 1001 rows, nothing is claimed")
def test_too_many_rows(board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any) -> None:
    """One row more is refused as a whole."""
    with refused(400):
        nrfcloud.claim_many([board.driver.attestation_token()] + ["not-a-token"] * 1000)

    assert not is_claimed_by(nrfcloud)


@DETAILS
@pytest.mark.parametrize("body", [b"\xff\xfe\x00x\n", b"row\0row\n", b"\n \r\n", b""], ids=repr)
@pytest.mark.proves("bulk claim", "400 for a body that is no text")
def test_body_without_rows(board: LeasedBoard, nrfcloud: Any, post_rows: Any, body: bytes) -> None:
    """Bytes that are no text, and no row at all, are refused with a message."""
    answer = post_rows(body)

    assert answer.status_code == 400
    assert answer.json()["message"]


@DETAILS
@pytest.mark.proves("bulk claim", "400 for rows that call themselves JSON")
def test_rows_that_call_themselves_json(
    board: LeasedBoard, nrfcloud: Any, post_rows: Any, is_claimed_by: Any
) -> None:
    """What says that it is JSON and is none claims nothing."""
    answer = post_rows(f"{board.driver.attestation_token()}\n", "application/json; charset=utf-8")

    assert answer.status_code == 400
    assert not is_claimed_by(nrfcloud)


@DETAILS
@pytest.mark.proves("dry run", "400 for rows")
def test_dry_run_of_rows(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """A dry run is of one token; rows are refused and claim nothing."""
    answer = nrfcloud.raw.request(
        "POST",
        "/v1/claimed-devices",
        params={"dryrun": "true"},
        content=board.driver.attestation_token(),
        headers={"Content-Type": "text/csv"},
    )

    assert answer.status_code == 400
    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("bulk claim", "401 without the key of a team")
def test_rows_without_a_key(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """Nobody claims by rows without a team's key."""
    answer = nrfcloud.raw.request(
        "POST",
        "/v1/claimed-devices",
        content=board.driver.attestation_token(),
        headers={"Content-Type": "text/csv", "Authorization": "Bearer wrong"},
    )

    assert answer.status_code == 401
    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("claim", "201, JSON under any type of body")
def test_json_without_its_type(board: LeasedBoard, nrfcloud: Any, post_rows: Any, is_claimed_by: Any) -> None:
    """A body that begins like an object is one claim, also where its type says CSV."""
    answer = post_rows(f' {{"claimToken": "{board.driver.attestation_token()}"}}')

    assert answer.status_code == 201
    assert answer.json()["id"] == board.driver.device_uuid()
    assert is_claimed_by(nrfcloud)
