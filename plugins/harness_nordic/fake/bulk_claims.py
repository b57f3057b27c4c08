"""Claiming by CSV: how a body is told from JSON, what its rows say, and what is answered.

Forms and trap: nrfcloud fact sheet, section 2.4. A row is a line, whatever it holds: so a quotation mark that
is missing spoils its own row and shifts no other.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_nordic.fake.bodies import LONGEST_TAG
from harness_nordic.fake.refusals import BadRequest, Refusal
from harness_nordic.fake.views import shown_device

if TYPE_CHECKING:
    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.records import ClaimedDevice, Member
    from harness_nordic.fake.service import ProvisioningService

MOST_ROWS = 1000

_LINE_END = re.compile(r"\r\n|\n|\r")
_JSON_TYPE = re.compile(r"application/(?:[\w.+-]+\+)?json\b", re.IGNORECASE)
_COLUMNS = 2
_RUN_TOGETHER = "are rows run together? curl -d takes line breaks out, --data-binary leaves them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the body.

    :ivar number: its line, counted from 1.
    :ivar problem: why it can be no claim; empty when it can.
    """

    number: int
    token: str = field(repr=False)
    tags: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRow:
    """A row that claimed nothing, and why."""

    row: Row
    message: str


def is_csv(body: bytes, content_type: str) -> bool:
    """Tell a body of rows from JSON: by its first byte, since clients send it under no type or any.

    What begins like no object and calls itself JSON is bad JSON, and what is empty is nothing.
    """
    text = body.lstrip()
    return bool(text) and not text.startswith(b"{") and not _JSON_TYPE.match(content_type.strip())


def read_rows(body: bytes) -> list[Row]:
    """Read a body of rows; blank lines are none, and count as lines.

    :raises BadRequest: it is no text, holds no row, or more than may be.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is neither JSON nor CSV: no UTF-8 at byte {error.start}") from None
    if "\0" in text:
        raise BadRequest("the body is neither JSON nor CSV: it has zero bytes")
    lines = [(number, line) for number, line in enumerate(_LINE_END.split(text), 1) if line.strip()]
    if not lines:
        raise BadRequest("the body has no row; expected an attestation token in each")
    if len(lines) > MOST_ROWS:
        raise BadRequest(f"the body has {len(lines)} rows; expected {MOST_ROWS} at most")
    return [_read_row(number, line) for number, line in lines]


def _read_row(number: int, line: str) -> Row:
    try:
        (columns,) = csv.reader([line.strip()], strict=True, skipinitialspace=True)
    except csv.Error as error:
        return Row(number=number, token="", problem=f"not CSV: {error}; {_RUN_TOGETHER}")
    token, *rest = (column.strip() for column in columns)
    if len(columns) > _COLUMNS:
        problem = f"{len(columns)} columns; expected a token and one quoted list of tags; {_RUN_TOGETHER}"
        return Row(number=number, token=token, problem=problem)
    tags = tuple(tag.strip() for tag in rest[0].split(",")) if rest and rest[0] else ()
    return Row(number=number, token=token, tags=tags, problem=_why_no_claim(token, tags))


def _why_no_claim(token: str, tags: tuple[str, ...]) -> str:
    if token.count(".") > 1:
        return f"malformed token: {token.count('.') + 1} parts, expected two; {_RUN_TOGETHER}"
    if "" in tags:
        return "an empty tag"
    if any(len(tag) > LONGEST_TAG for tag in tags):
        return f"a tag of more than {LONGEST_TAG} characters; {_RUN_TOGETHER}"
    return ""


def claim_rows(
    service: ProvisioningService, member: Member, rows: list[Row]
) -> tuple[list[ClaimedDevice], list[FailedRow]]:
    """Claim what can be claimed, row by row; one that fails stops no other.

    :return: the devices that are claimed now, and the rows that failed, each in the order of the rows.
    """
    claimed: list[ClaimedDevice] = []
    failed: list[FailedRow] = []
    for row in rows:
        if row.problem:
            failed.append(FailedRow(row=row, message=row.problem))
            continue
        try:
            claimed.append(service.claim(member, row.token, row.tags))
        except Refusal as refusal:
            failed.append(FailedRow(row=row, message=str(refusal)))
    return claimed, failed


def bulk_answer(choices: Choices, claimed: list[ClaimedDevice], failed: list[FailedRow]) -> dict[str, Any]:
    """Return what is answered; only the names ``claimedIds`` and ``failed`` are known (section 2.4)."""
    answer: dict[str, Any] = {
        "claimedIds": [device.id for device in claimed],
        "claimedDevices": [shown_device(device, choices) for device in claimed],
        "failed": [
            {"row": each.row.number, "claimToken": each.row.token, "message": each.message} for each in failed
        ],
    }
    if choices.bulk_claimed_as_devices:
        answer["claimedIds"] = answer.pop("claimedDevices")
    if choices.bulk_failed_as_tokens:
        answer["failed"] = [each.row.token for each in failed]
    return answer
