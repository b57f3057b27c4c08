"""What nobody outside knows of Guardian, decided: every choice of the fake, in one place.

No wire format, no REST API and no list of options of the product is public (guardian fact sheet, section 1),
so what stands here and in the fact sheet's marks [design] is the fake's own. :data:`CONTRARIAN` decides each
of these the other way: suites that pass against it, too, assert nothing that nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness_guardian.enums import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything that the fake does because it must do something.

    Refusals (section 10.5)

    :ivar undecodable: status for a request that is none: body, query or value that cannot be.
    :ivar role_too_low: status for a user whose role does not let them.
    :ivar not_found: status for what is not there, or another organisation's.
    :ivar wrong_state: status for what the state of things forbids.
    :ivar rule: status for what a rule of the system forbids, such as approving in an Automatic one.
    :ivar media_type: status for a body of a kind that is not taken.
    :ivar too_large: status for a body that is too long.
    :ivar reason_told: whether ``detail`` says why, or only what the status means.
    :ivar error_code: whether problems have the member ``code`` where the seed has one.

    Answers (section 10.5)

    :ivar submitted: status for a request that was taken.
    :ivar submitted_again: status for the same request once more.
    :ivar ordered: status for an approval, a rejection or a provisioning that was begun.
    :ivar made: status for a system, an instance or a key that was made.
    :ivar profile_media_type: of a certified profile.
    :ivar retry_after: seconds that a client shall wait before it asks again.
    :ivar prefer_wait: whether ``Prefer: wait=N`` is obeyed, or everything answered at once.
    :ivar version_tags: whether rows come with an ``ETag``.

    Rows and lists (sections 2, 4 and 5)

    :ivar dots: whether the texts of transient statuses end with ``...``; the seed writes them both ways.
    :ivar newest_first: the order of lists.
    :ivar page_size: rows of a page when nobody says how many.
    :ivar largest_page: the most rows of one page.
    :ivar default_columns: what the Devices page shows of itself.
    :ivar passed_rows_all: whether with the history toggle every passed status of a device that matches is a
        row, or only those that match.

    Bulk (section 6)

    :ivar most_at_once: ids of one call.

    The report (section 8)

    :ivar report_name: how its file name begins.
    :ivar report_error_code: whether its last column is the error code.

    Time (sections 2, 3 and 9)

    :ivar dwell: seconds that each transient status lasts.
    :ivar grace: seconds after a reprovisioning for which the old certificates stay valid, from the moment the
        new profile was fetched.
    :ivar oldest_request: seconds that a provisioning request may be old.
    :ivar newest_request: seconds that it may be ahead of the clock.
    """

    undecodable: int = 400
    role_too_low: int = 403
    not_found: int = 404
    wrong_state: int = 409
    rule: int = 422
    media_type: int = 415
    too_large: int = 413
    reason_told: bool = True
    error_code: bool = True

    submitted: int = 202
    submitted_again: int = 200
    ordered: int = 202
    made: int = 201
    profile_media_type: str = "application/guardian-cp+jws"
    retry_after: int = 1
    prefer_wait: bool = True
    version_tags: bool = True

    dots: bool = True
    newest_first: bool = True
    page_size: int = 100
    largest_page: int = 500
    default_columns: tuple[Column, ...] = (
        Column.SYSTEM_NAME,
        Column.SYSTEM_INSTANCE_NAME,
        Column.COMPONENT_NAME,
        Column.DEVICE_HW_ID,
        Column.PROVISIONING_STATUS,
        Column.REQUEST_ID,
        Column.REQUEST_CREATED_ON,
        Column.PROVISIONED_ON,
        Column.ACTIONS,
    )
    passed_rows_all: bool = True

    most_at_once: int = 500

    report_name: str = "device-provisioning-report"
    report_error_code: bool = True

    dwell: float = 0.05
    grace: float = 24 * 3600.0
    oldest_request: float = 30 * 24 * 3600.0
    newest_request: float = 5 * 60.0


FAKE = Choices()
"""The fact sheet's own choices."""

CONTRARIAN = Choices(
    undecodable=422,
    role_too_low=401,
    not_found=403,
    wrong_state=400,
    rule=409,
    media_type=400,
    too_large=400,
    reason_told=False,
    error_code=False,
    submitted=201,
    submitted_again=202,
    ordered=200,
    made=200,
    profile_media_type="application/jose",
    retry_after=2,
    prefer_wait=False,
    version_tags=False,
    dots=False,
    newest_first=False,
    page_size=10,
    largest_page=50,
    default_columns=(
        Column.SYSTEM_INSTANCE_NAME,
        Column.COMPONENT_NAME,
        Column.DEVICE_HW_ID,
        Column.APPROVAL_TYPE,
        Column.PROVISIONING_STATUS,
        Column.ACTIONS,
    ),
    passed_rows_all=False,
    most_at_once=50,
    report_name="provisioning",
    report_error_code=False,
    dwell=0.005,
    grace=0.0,
    oldest_request=365 * 24 * 3600.0,
    newest_request=60.0,
)
"""Every choice decided the other way. What the seed says stays as it says."""
