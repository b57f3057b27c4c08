"""The shared check: what agrees passes it, and each single disagreement is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.agreement import disagreements, serial_number
from harness_guardian.agreement_evidence import BoardEvidence, RequestEvidence, SystemEvidence, slots_of
from harness_guardian.client_models import HistoryRecord, RequestRow, SystemRecord, VaultCalls
from harness_guardian.client_reports import read_report
from tests.guardian.client import answers

if TYPE_CHECKING:
    from harness_guardian.client_models import HistoryEntry, VaultCall

TITLES = (
    "System name,System instance name,System instance ID,Component name,Component instance ID,"
    "Component instance created on,Device HW ID,Approval type,Provisioning status,Request ID,"
    "Request created on,Response ID,Response created on,Provision source,Approved on,Approved by,"
    "Rejected on,Rejected by,Provisioned on,Provisioned by,Error code"
)
LINE = (
    "run1-system-cafe,Ward A,11111111-2222-4333-8444-555555555555,pump,"
    "99999999-2222-4333-8444-555555555555,2026-11-21T10:00:01Z,SN-1,Automatic,Provisioned,"
    f"{answers.ID},2026-11-21T10:00:00Z,77777777-2222-4333-8444-555555555555,2026-11-21T10:00:02Z,Cloud,"
    "2026-11-21T10:00:01Z,System,,,2026-11-21T10:00:02Z,System,"
)
WAY = [
    ("verifying", "Verifying...", 0),
    ("auto_approved", "Auto-approved", 1),
    ("provisioning", "Provisioning", 1),
    ("provisioned", "Provisioned", 2),
]


def _row(**changes: Any) -> RequestRow:
    return RequestRow.model_validate(answers.provisioned(**changes))


def _history(way: list[tuple[str, str, int]], code: str | None = None) -> tuple[HistoryEntry, ...]:
    items = [
        {
            "status": status,
            "text": text,
            "at": f"2026-11-21T10:00:{second:02}.000Z",
            "by": "System",
            "error_code": code if status == "error" else None,
        }
        for status, text, second in way
    ]
    return HistoryRecord.model_validate({"items": items}).items


def _call(call: str, **changes: Any) -> dict[str, Any]:
    return {
        "at": "2026-11-21T10:00:01.500Z",
        "call": call,
        "status": 200,
        "request_id": answers.ID,
        **changes,
    }


def _log(*calls: dict[str, Any]) -> tuple[VaultCall, ...]:
    return VaultCalls.model_validate({"items": calls}).items


SIGN = _call("sign", slot="identity", serial="0a:bc")
PROFILE = _call("sign-profile")


@pytest.fixture
def good() -> SystemEvidence:
    """A device that is provisioned, and all that is known of it."""
    request = RequestEvidence(row=_row(), history=_history(WAY), slots=("identity",))
    return SystemEvidence(
        name="run1-system-cafe",
        requests=(request,),
        report=read_report(f"{TITLES}\r\n{LINE}\r\n".encode()),
        boards=(
            BoardEvidence(
                id="b1",
                system="run1-system-cafe",
                response_id="77777777-2222-4333-8444-555555555555",
                certificates={"identity": "abc"},
            ),
        ),
        vault=_log(_call("read-issuer"), SIGN, PROFILE),
    )


def _with_row(evidence: SystemEvidence, **changes: Any) -> SystemEvidence:
    (request,) = evidence.requests
    return replace(evidence, requests=(replace(request, row=_row(**changes)),), report=None, boards=())


def _with_history(evidence: SystemEvidence, way: list[tuple[str, str, int]], **row: Any) -> SystemEvidence:
    (request,) = evidence.requests
    changed = replace(request, history=_history(way), row=_row(**row))
    return replace(evidence, requests=(changed,), report=None, boards=())


def test_what_agrees(good: SystemEvidence) -> None:
    """Nothing is found where there is nothing."""
    assert disagreements(good) == []
    assert disagreements(replace(good, vault=None, report=None, boards=())) == []


def test_nothing_known() -> None:
    """A system without requests agrees with an empty report and an empty log."""
    report = read_report(f"{TITLES}\r\n".encode())
    assert disagreements(SystemEvidence(name="s", requests=(), report=report, vault=())) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"provisioning_status": "Provisioning"}, "shown as 'Provisioning'"),
        ({"error_code": "APPLIANCE_ONLY"}, "error code APPLIANCE_ONLY"),
        ({"provisioned_on": None, "provisioned_by": None}, "provisioned on None"),
        ({"provisioned_by": None}, "provisioned by ''"),
        ({"provisioned_by": "anna"}, "Automatic type, and provisioned by 'anna'"),
        ({"approved_by": None}, "approved by ''"),
        ({"approved_on": None, "approved_by": None}, "approved on None, and its history passed"),
        ({"approved_on": "2026-11-21T10:09:00Z"}, "approved on 2026-11-21T10:09:00"),
        ({"rejected_on": "2026-11-21T10:00:02Z", "rejected_by": "x"}, "rejected on 2026"),
        ({"response_id": None, "response_created_on": None}, "without a response id"),
        ({"response_created_on": None}, "response on None"),
        ({"component_instance_id": None}, "without a component instance id"),
        ({"approval_type": "Manual"}, "Manual type, and verifying became auto_approved"),
    ],
)
def test_row_that_does_not_fit(good: SystemEvidence, changes: dict[str, Any], found: str) -> None:
    """Each column has to fit the state and what was passed."""
    assert any(found in text for text in disagreements(_with_row(good, **changes)))


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ([], "no history"),
        (WAY[:-1], "the row says provisioned, its history ends with provisioning"),
        (WAY[1:], "its history begins with auto_approved"),
        ([WAY[0], *WAY[2:]], "verifying became provisioning"),
        ([*WAY[:2], WAY[3]], "auto_approved became provisioned"),
        ([("verifying", "Verifying...", 5), *WAY[1:]], "older than verifying"),
        ([*WAY[:3], ("provisioned", "Done", 2)], "shows 'Done' for provisioned"),
        ([("verifying", "Checking", 0), *WAY[1:]], "shows 'Checking' for verifying"),
    ],
)
def test_history_that_does_not_fit(good: SystemEvidence, way: list[tuple[str, str, int]], found: str) -> None:
    """A history begins with verifying, takes only edges that there are, and ends where the row is."""
    assert any(found in text for text in disagreements(_with_history(good, way)))


def test_texts_with_and_without_dots(good: SystemEvidence) -> None:
    """The seed writes the texts of passing states both ways (fact sheet, section 2)."""
    assert disagreements(_with_history(good, [("verifying", "verifying", 0), *WAY[1:]])) == []


FAILED = {
    "status": "error",
    "error_code": "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE",
    "provisioning_status": "Vault could not sign profile",
    "response_id": None,
    "response_created_on": None,
    "provisioned_on": None,
    "provisioned_by": None,
}


def _failed(evidence: SystemEvidence, *calls: dict[str, Any]) -> SystemEvidence:
    way = [*WAY[:3], ("error", "Vault could not sign profile", 2)]
    (request,) = evidence.requests
    history = _history(way, "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE")
    changed = replace(request, history=history, row=_row(**FAILED))
    return replace(evidence, requests=(changed,), report=None, boards=(), vault=_log(*calls))


def test_failed_and_revoked(good: SystemEvidence) -> None:
    """What was signed for a request that failed is revoked, and all agrees."""
    refused = _call("sign-profile", status=500)
    assert disagreements(_failed(good, SIGN, refused, _call("revoke", serial="0A-BC", request_id=None))) == []


def test_failed_and_left_valid(good: SystemEvidence) -> None:
    """A certificate that is good for nobody must not stay good."""
    (text,) = disagreements(_failed(good, SIGN, _call("sign-profile", status=500)))
    assert "its certificate for the slot identity is still valid" in text


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ((PROFILE,), "a profile for 1 x identity, and Vault signed nothing"),
        ((SIGN, SIGN, PROFILE), "Vault signed 2 certificates for the slot identity"),
        ((SIGN,), "it has a profile, and Vault signed 0"),
        ((SIGN, PROFILE, PROFILE), "it has a profile, and Vault signed 2"),
        ((SIGN, _call("sign", slot="tls", serial="01"), PROFILE), "Vault signed 1 x identity, 1 x tls"),
        (({**SIGN, "at": "2026-11-21T10:00:00.500Z"}, PROFILE), "signing since 2026-11-21T10:00:00.500"),
        (({**SIGN, "request_id": "other"}, SIGN, PROFILE), "for the request 'other', which nobody knows"),
        (({**SIGN, "serial": "0a:bd"}, PROFILE), "it holds identity abc, Vault signed identity abd"),
    ],
)
def test_log_that_does_not_fit(good: SystemEvidence, calls: Any, found: str) -> None:
    """One signature for each slot and one for the profile, none before provisioning, none for strangers."""
    assert any(found in text for text in disagreements(replace(good, vault=_log(*calls))))


def test_shifted_clock(good: SystemEvidence) -> None:
    """Where the service's clock went elsewhere, its times are not compared with Vault's."""
    early = _log({**SIGN, "at": "2025-11-21T10:00:00Z"}, PROFILE)
    assert disagreements(replace(good, vault=early)) != []
    assert disagreements(replace(good, vault=early, clock_shifted=True)) == []


def test_signed_without_provisioning(good: SystemEvidence) -> None:
    """A request that was rejected by the system was to get nothing."""
    (request,) = good.requests
    rejected = _row(
        **{
            **FAILED,
            "status": "rejected_by_system",
            "error_code": None,
            "provisioning_status": "Rejected by system",
            "approved_on": None,
            "approved_by": None,
            "rejected_on": "2026-11-21T10:00:01Z",
            "rejected_by": "System",
        }
    )
    way = _history([WAY[0], ("rejected_by_system", "Rejected by system", 1)])
    changed = replace(request, row=rejected, history=way)
    evidence = replace(good, requests=(changed,), report=None, boards=(), vault=())

    assert disagreements(evidence) == []
    (text,) = disagreements(replace(evidence, vault=_log(SIGN)))
    assert "never came to provisioning, and Vault was asked to sign" in text
    late = _row(**{**rejected.model_dump(mode="json"), "rejected_on": "2026-11-21T10:09:00Z"})
    (text,) = disagreements(replace(evidence, requests=(replace(changed, row=late),)))
    assert "rejected on 2026-11-21T10:09:00" in text
    by_user = replace(changed, row=rejected.model_copy(update={"rejected_by": "anna"}))
    (text,) = disagreements(replace(evidence, requests=(by_user,)))
    assert "rejected by system, and rejected by 'anna'" in text


def _report(*lines: str, titles: str = TITLES) -> Any:
    return read_report("".join(f"{line}\r\n" for line in (titles, *lines)).encode())


@pytest.mark.parametrize(
    ("report", "found"),
    [
        (_report(), "shows the device 99999999-2222-4333-8444-555555555555 by []"),
        (_report(LINE, LINE), "has 2 lines of the request"),
        (_report(LINE.replace(answers.ID, "other")), "a line of the request other, which the list has not"),
        (_report(LINE.replace("Ward A", "Ward B")), "the report says System instance name 'Ward B'"),
        (_report(LINE.replace(",Provisioned,", ",Provisioning,")), "says Provisioning status 'Provisioning'"),
        (_report(LINE.replace("10:00:02Z,System", "10:00:03Z,System")), "the report says Provisioned on"),
        (_report(f"{LINE}APPLIANCE_ONLY"), "the report says 'APPLIANCE_ONLY', the row ''"),
        (
            _report(LINE, titles=TITLES.replace("Approved on,Approved by", "Approved by,Approved on")),
            "header is",
        ),
    ],
)
def test_report_that_does_not_fit(good: SystemEvidence, report: Any, found: str) -> None:
    """One line for each device, by its latest request, with what the row says."""
    assert any(found in text for text in disagreements(replace(good, report=report)))


def test_cell_that_is_no_formula(good: SystemEvidence) -> None:
    """A cell that a spreadsheet could take for a formula has an apostrophe (fact sheet, section 8)."""
    (request,) = good.requests
    row = request.row.model_copy(update={"device_hw_id": "=SN"})
    evidence = replace(good, requests=(replace(request, row=row),))

    assert disagreements(replace(evidence, report=_report(LINE.replace("SN-1", "'=SN")))) == []
    assert disagreements(replace(evidence, report=_report(LINE.replace("SN-1", "=SN")))) != []


def test_report_without_the_last_column(good: SystemEvidence) -> None:
    """Whether a report has the error code is not known of a service elsewhere."""
    report = _report(LINE.removesuffix(","), titles=TITLES.removesuffix(",Error code"))
    assert disagreements(replace(good, report=report)) == []


def test_device_by_its_latest_request(good: SystemEvidence) -> None:
    """A device is shown by the request that came last."""
    (request,) = good.requests
    later = _row(id="later", request_id="later", request_created_on="2026-11-21T11:00:00Z")
    older = replace(good, requests=(request, replace(request, row=later)), vault=None, boards=())

    (text,) = disagreements(older)
    assert "its latest request is later" in text
    line = LINE.replace(answers.ID, "later").replace("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z")
    assert disagreements(replace(older, report=_report(line))) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"certificates": {}}, "half provisioned"),
        ({"response_id": ""}, "half provisioned"),
        ({"response_id": "unknown"}, "the response unknown, which the list has not"),
        ({"certificates": {"identity": "abc", "tls": "1"}}, "it holds ['identity', 'tls']"),
        ({"certificates": {"identity": "abd"}}, "it holds identity abd, Vault signed identity abc"),
    ],
)
def test_board_that_does_not_fit(good: SystemEvidence, changes: dict[str, Any], found: str) -> None:
    """A board holds exactly what Vault signed for it, or nothing."""
    board = replace(good.boards[0], **changes)
    assert any(found in text for text in disagreements(replace(good, boards=(board,))))


def test_boards_that_do_not_count(good: SystemEvidence) -> None:
    """A board of another system, or one that has nothing, says nothing of this one."""
    other = BoardEvidence(id="b2", system="another", response_id="r", certificates={"identity": "1"})
    assert disagreements(replace(good, boards=(other, BoardEvidence(id="b3")))) == []
    assert disagreements(replace(good, vault=None)) == []


def test_board_with_a_failed_response(good: SystemEvidence) -> None:
    """Nobody holds what a failed request was to bring."""
    (request,) = good.requests
    changes = {**FAILED, "response_id": "77777777-2222-4333-8444-555555555555"}
    row = _row(**{**changes, "response_created_on": "2026-11-21T10:00:02Z"})
    way = _history([*WAY[:3], ("error", "Vault could not sign profile", 2)], str(FAILED["error_code"]))
    evidence = replace(good, requests=(replace(request, row=row, history=way),), report=None, vault=None)

    (text,) = disagreements(evidence)
    assert "of a request that is error FAIL_SIGN_DEVICE_CERTIFIED_PROFILE" in text


def test_history_that_was_not_read(good: SystemEvidence) -> None:
    """Of very many requests not every history is read; the rest is compared all the same."""
    (request,) = good.requests
    assert disagreements(replace(good, requests=(replace(request, history=None),))) == []


@pytest.mark.parametrize(
    ("text", "number"), [("0a:bc", 0xABC), ("0A-BC", 0xABC), ("abc", 0xABC), ("", -1), ("x", -1)]
)
def test_serial_numbers(text: str, number: int) -> None:
    """Vault, boards and OpenSSL write them differently."""
    assert serial_number(text) == number


def test_slots() -> None:
    """Those of the component; of one that is not defined, none."""
    system = SystemRecord.model_validate(answers.system())
    assert slots_of(system, "pump") == ("identity",)
    assert slots_of(system, "toaster") == ()
