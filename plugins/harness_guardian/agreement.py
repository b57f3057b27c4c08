"""The shared check: row, history, report, board and Vault's log of a system say the same.

A pure function over what was collected (:mod:`harness_guardian.agreement_evidence`). It knows the protocol by
the seed and the guardian fact sheet (sections 2, 4, 8 and 13) alone, not by any code of the fake.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from harness_guardian.client_models import FINAL
from harness_guardian.enums import (
    COLUMN_TITLES,
    ERROR_LABELS,
    STATUS_TEXTS,
    SYSTEM_ACTOR,
    ApprovalType,
    Column,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness_guardian.agreement_evidence import BoardEvidence, RequestEvidence, SystemEvidence
    from harness_guardian.client_models import HistoryEntry, RequestRow, VaultCall
    from harness_guardian.client_reports import Report

_ENDS = frozenset({Status.ERROR, Status.REJECTED_BY_SYSTEM})

#: What may follow each state (guardian fact sheet, sections 2.1 and 2.2).
NEXT: dict[ApprovalType, dict[Status, frozenset[Status]]] = {
    ApprovalType.AUTOMATIC: {
        Status.VERIFYING: frozenset({Status.AUTO_APPROVED}) | _ENDS,
        Status.AUTO_APPROVED: frozenset({Status.PROVISIONING}),
        Status.PROVISIONING: frozenset({Status.PROVISIONED, Status.ERROR}),
    },
    ApprovalType.MANUAL: {
        Status.VERIFYING: frozenset({Status.NEEDS_APPROVAL}) | _ENDS,
        Status.NEEDS_APPROVAL: frozenset({Status.APPROVING, Status.REJECTING}),
        Status.APPROVING: frozenset({Status.COMPLETE_PROVISIONING}),
        Status.REJECTING: frozenset({Status.REJECTED_BY_USER}),
        Status.COMPLETE_PROVISIONING: frozenset({Status.PROVISIONING}),
        Status.PROVISIONING: frozenset({Status.PROVISIONED, Status.ERROR}),
    },
}

#: The state in which a request counts as approved.
_APPROVED = {
    ApprovalType.AUTOMATIC: Status.AUTO_APPROVED,
    ApprovalType.MANUAL: Status.COMPLETE_PROVISIONING,
}

_ROUNDING = timedelta(milliseconds=5)
"""Times are written in milliseconds, each by its own rounding."""

_SIGN, _SIGN_PROFILE, _REVOKE = "sign", "sign-profile", "revoke"
_SUCCESS = range(200, 300)


def disagreements(evidence: SystemEvidence) -> list[str]:
    """Say where what was collected of a system does not agree; empty when all of it does."""
    found: list[str] = []
    for request in evidence.requests:
        about = f"request {request.row.id}"
        found += [f"{about}: {text}" for text in _row_and_history(request)]
        if evidence.vault is not None:
            found += [f"{about}: {text}" for text in _vault(request, evidence)]
    if evidence.vault is not None:
        found += _strangers(evidence)
    if evidence.report is not None:
        found += _report(evidence.report, [request.row for request in evidence.requests])
    for board in evidence.boards:
        found += [f"board {board.id}: {text}" for text in _board(board, evidence)]
    return found


# Row and history -----------------------------------------------------------------------------------------


def _row_and_history(request: RequestEvidence) -> Iterator[str]:
    row, history = request.row, request.history
    yield from _row(row)
    if history is None:
        return
    if not history:
        yield "no history"
        return
    last = history[-1]
    if (last.status, last.error_code) != (row.status, row.error_code):
        yield f"the row says {_state(row)}, its history ends with {_state(last)}"
    if _plain(last.text) != _plain(row.provisioning_status):
        yield f"the row shows {row.provisioning_status!r}, its history ends with {last.text!r}"
    if history[0].status is not Status.VERIFYING:
        yield f"its history begins with {history[0].status.value}"
    for entry in history:
        if _plain(entry.text) != _plain(_text_of(entry)):
            yield f"its history shows {entry.text!r} for {_state(entry)}"
    for before, after in pairwise(history):
        if after.at < before.at:
            yield f"{after.status.value} is older than {before.status.value} in front of it"
        if row.approval_type and after.status not in NEXT[row.approval_type].get(before.status, ()):
            yield f"{row.approval_type.value} type, and {before.status.value} became {after.status.value}"
    yield from _moments(row, history)


def _row(row: RequestRow) -> Iterator[str]:
    """Say what of the columns does not fit the state (guardian fact sheet, sections 2.1 and 2.2)."""
    state = _state(row)
    provisioned = row.status is Status.PROVISIONED
    rejected = row.status in {Status.REJECTED_BY_USER, Status.REJECTED_BY_SYSTEM}
    response = row.response_id != ""
    for wrong, text in (
        ((row.status is Status.ERROR) != (row.error_code is not None), f"error code {row.error_code}"),
        (_plain(row.provisioning_status) != _plain(_text_of(row)), f"shown as {row.provisioning_status!r}"),
        (provisioned != (row.provisioned_on is not None), f"provisioned on {row.provisioned_on}"),
        (rejected != (row.rejected_on is not None), f"rejected on {row.rejected_on}"),
        (provisioned and not response, "without a response id"),
        (provisioned and not row.component_instance_id, "without a component instance id"),
        (response != (row.response_created_on is not None), f"response on {row.response_created_on}"),
    ):
        if wrong:
            yield f"{state}, and {text}"
    yield from _actors(row)


def _actors(row: RequestRow) -> Iterator[str]:
    """Say who did what that no such actor does."""
    for name, moment, actor in (
        ("approved", row.approved_on, row.approved_by),
        ("rejected", row.rejected_on, row.rejected_by),
        ("provisioned", row.provisioned_on, row.provisioned_by),
    ):
        if (moment is None) != (actor == ""):
            yield f"{name} on {moment}, {name} by {actor!r}"
    if row.status is Status.REJECTED_BY_SYSTEM and row.rejected_by != SYSTEM_ACTOR:
        yield f"rejected by system, and rejected by {row.rejected_by!r}"
    if row.approval_type is None:
        return
    automatic = row.approval_type is ApprovalType.AUTOMATIC
    for name, actor in (("approved", row.approved_by), ("provisioned", row.provisioned_by)):
        if actor and (actor == SYSTEM_ACTOR) != automatic:
            yield f"{row.approval_type.value} type, and {name} by {actor!r}"


def _moments(row: RequestRow, history: Sequence[HistoryEntry]) -> Iterator[str]:
    """Say which moments of the row its history does not know."""
    passed = {entry.status: entry for entry in history}
    rejected = passed.get(Status.REJECTED_BY_USER) or passed.get(Status.REJECTED_BY_SYSTEM)
    approved = _APPROVED.get(row.approval_type) if row.approval_type else None
    if (row.approved_on is not None) != (approved in passed):
        yield f"approved on {row.approved_on}, and its history passed {_names(history)}"
    for name, moment, entry in (
        ("provisioned on", row.provisioned_on, passed.get(Status.PROVISIONED)),
        ("approved on", row.approved_on, passed.get(approved) if approved else None),
        ("rejected on", row.rejected_on, rejected),
    ):
        if moment is not None and entry is not None and moment > entry.at + timedelta(seconds=1):
            yield f"{name} {moment.isoformat()}, and {entry.status.value} since {entry.at.isoformat()}"
    if Status.PROVISIONING in passed and approved not in passed:
        yield "provisioning without an approval"


# Vault's log ---------------------------------------------------------------------------------------------


def _vault(request: RequestEvidence, evidence: SystemEvidence) -> Iterator[str]:
    """Say where Vault was asked for another number of signatures than it should have been, or too early."""
    row = request.row
    if _is_twin(request, evidence):
        return
    calls = [call for call in evidence.vault or () if call.request_id == row.id]
    good = [call for call in calls if call.status in _SUCCESS]
    signed = Counter(call.slot or call.role for call in good if call.call == _SIGN)
    profiles = sum(call.call == _SIGN_PROFILE for call in good)
    if row.response_id:
        wanted = Counter(dict.fromkeys(request.slots, 1))
        if signed != wanted:
            yield f"it has a profile for {_counts(wanted)}, and Vault signed {_counts(signed)}"
        if profiles != 1:
            yield f"it has a profile, and Vault signed {profiles}"
    for slot, number in signed.items():
        if number > 1:
            yield f"Vault signed {number} certificates for the slot {slot}"
    yield from _too_early(request, calls, evidence)
    if row.status is Status.ERROR:
        yield from _left_valid(good, evidence)


def _is_twin(request: RequestEvidence, evidence: SystemEvidence) -> bool:
    """Tell whether a request that was never approved came in at the other door, too, and was approved there.

    Vault's log knows requests by their ids alone, which are unique at one door.
    """
    row = request.row
    return not row.approved_by and any(
        each.row.id == row.id and each.row.provision_source != row.provision_source and each.row.approved_by
        for each in evidence.requests
    )


def _too_early(
    request: RequestEvidence, calls: Sequence[VaultCall], evidence: SystemEvidence
) -> Iterator[str]:
    signing = [call for call in calls if call.call in {_SIGN, _SIGN_PROFILE}]
    if request.history is None or not signing:
        return
    began = next((each.at for each in request.history if each.status is Status.PROVISIONING), None)
    if began is None:
        yield f"it never came to provisioning, and Vault was asked to {signing[0].call}"
    elif not evidence.clock_shifted and signing[0].at < began - _ROUNDING:
        yield f"provisioning since {began.isoformat()}, and signing since {signing[0].at.isoformat()}"


def _left_valid(good: Sequence[VaultCall], evidence: SystemEvidence) -> Iterator[str]:
    """Say which certificates of a failed request are still valid (guardian fact sheet, section 11.3)."""
    revoked = {
        serial_number(call.serial)
        for call in evidence.vault or ()
        if call.call == _REVOKE and call.status in _SUCCESS
    }
    for call in good:
        if call.call == _SIGN and serial_number(call.serial) not in revoked:
            yield f"it failed, and its certificate for the slot {call.slot} is still valid"


def _strangers(evidence: SystemEvidence) -> Iterator[str]:
    known = {request.row.id for request in evidence.requests}
    for call in evidence.vault or ():
        if call.call in {_SIGN, _SIGN_PROFILE} and call.request_id not in known:
            yield f"Vault was asked to {call.call} for the request {call.request_id!r}, which nobody knows"


# The report ----------------------------------------------------------------------------------------------

_DATA_COLUMNS = tuple(column for column in Column if column is not Column.ACTIONS)
_MOMENTS = frozenset(column for column in _DATA_COLUMNS if column.value.endswith("_on"))
_FORMULA = ("=", "+", "-", "@", "\t")


def _report(report: Report, rows: Sequence[RequestRow]) -> Iterator[str]:
    titles = [COLUMN_TITLES[column] for column in _DATA_COLUMNS]
    if list(report.header[: len(titles)]) != titles:
        yield f"the report's header is {list(report.header)}"
        return
    # A request that came in at both doors has two rows of one id, and may have a line for each.
    by_id = {(row.id, str(row.provision_source or "")): row for row in rows}
    ids = Counter(row.id for row in rows)
    listed = Counter(line[COLUMN_TITLES[Column.REQUEST_ID]] for line in report.rows)
    for identifier, times in listed.items():
        if times > max(1, ids[identifier]):
            yield f"the report has {times} lines of the request {identifier}"
        if identifier not in ids:
            yield f"the report has a line of the request {identifier}, which the list has not"
    for line in report.rows:
        row = by_id.get(
            (line[COLUMN_TITLES[Column.REQUEST_ID]], line[COLUMN_TITLES[Column.PROVISION_SOURCE]])
        )
        if row is not None:
            yield from _line(line, row, report.header)
    yield from _devices(listed, rows)


def _line(cells: Mapping[str, str], row: RequestRow, header: Sequence[str]) -> Iterator[str]:
    for column in _DATA_COLUMNS:
        title = COLUMN_TITLES[column]
        if column is Column.PROVISIONING_STATUS:
            agrees = _plain(cells[title]) == _plain(str(row.column(column)))
        elif column in _MOMENTS:
            agrees = _moment(cells[title]) == _to_the_second(row.column(column))
        else:
            agrees = cells[title] == cell(row.column(column))
        if not agrees:
            yield f"request {row.id}: the report says {title} {cells[title]!r}, the row {row.column(column)}"
    code = "" if row.error_code is None else row.error_code.value
    if "Error code" in header and cells["Error code"] != code:
        yield f"request {row.id}: the report says {cells['Error code']!r}, the row {code!r}"


def _devices(listed: Counter[str], rows: Sequence[RequestRow]) -> Iterator[str]:
    """Say which devices the report does not show by their latest request."""
    devices = {row.component_instance_id for row in rows if row.component_instance_id}
    for device in sorted(devices):
        of_device = [row for row in rows if row.component_instance_id == device]
        shown = [row.id for row in of_device if row.id in listed]
        newest = max(of_device, key=lambda row: row.request_created_on or datetime.min.replace(tzinfo=UTC))
        moment = newest.request_created_on
        latest = {row.id for row in of_device if row.request_created_on == moment}
        if len(shown) != 1 or shown[0] not in latest:
            yield f"the report shows the device {device} by {shown}, its latest request is {newest.id}"


def cell(value: object) -> str:
    """Return the text that a cell of the report must have for a value (guardian fact sheet, section 8)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


# The board -----------------------------------------------------------------------------------------------


def _board(board: BoardEvidence, evidence: SystemEvidence) -> Iterator[str]:
    if bool(board.response_id) != bool(board.certificates):
        yield f"half provisioned: response {board.response_id!r}, {len(board.certificates)} certificates"
    request = next(
        (
            each
            for each in evidence.requests
            if board.response_id and each.row.response_id == board.response_id
        ),
        None,
    )
    if request is None:
        if board.response_id and board.system == evidence.name:
            yield f"it holds the response {board.response_id}, which the list has not"
        return
    row = request.row
    if row.status in FINAL - {Status.PROVISIONED}:
        yield f"it holds the response {board.response_id} of a request that is {_state(row)}"
    if set(board.certificates) != set(request.slots):
        yield f"it holds {sorted(board.certificates)}, the component has {sorted(request.slots)}"
    if evidence.vault is None:
        return
    signed = {
        call.slot or call.role: serial_number(call.serial)
        for call in evidence.vault
        if call.call == _SIGN and call.status in _SUCCESS and call.request_id == row.id
    }
    held = {slot: serial_number(serial) for slot, serial in board.certificates.items()}
    if held != signed:
        yield f"it holds {_serials(held)}, Vault signed {_serials(signed)}"


def serial_number(text: str) -> int:
    """Return the number that a serial says, however it is written; -1 where it says none."""
    digits = text.replace(":", "").replace("-", "")
    try:
        return int(digits, 16)
    except ValueError:
        return -1


# Texts ---------------------------------------------------------------------------------------------------


def _text_of(entry: RequestRow | HistoryEntry) -> str:
    if entry.error_code is not None:
        return ERROR_LABELS[entry.error_code]
    return STATUS_TEXTS.get(entry.status, entry.status.value)


def _plain(text: str) -> str:
    """Return a text of a status as it is compared (guardian fact sheet, section 2)."""
    return text.removesuffix("...").casefold()


def _state(entry: RequestRow | HistoryEntry) -> str:
    return (
        entry.status.value if entry.error_code is None else f"{entry.status.value} {entry.error_code.value}"
    )


def _names(history: Sequence[HistoryEntry]) -> str:
    return ", ".join(entry.status.value for entry in history)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{number} x {name}" for name, number in sorted(counts.items())) or "nothing"


def _serials(serials: dict[str, int]) -> str:
    return ", ".join(f"{slot} {number:x}" for slot, number in sorted(serials.items())) or "nothing"


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(microsecond=0) if text else None


def _to_the_second(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=0)
