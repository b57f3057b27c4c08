"""What nobody outside knows of the real service, decided: every choice of the fake, in one place.

The evidence for the real service stands in the nrfcloud fact sheet; where it says "unknown", "inferred" or
"fake choice", the fake has to do something all the same. What it does by default is the fact sheet's own
choice. :data:`CONTRARIAN` decides each of them the other way: suites that pass against it, too, assert
nothing that nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything that the fake does because it must do something.

    Refusals by the management API (sections 2.1, 2.2 and 2.6)

    :ivar bad_request: status for a body, query or value that cannot be.
    :ivar role_too_low: status for a viewer who wants to change something.
    :ivar not_found: status for what is not there, or another team's.
    :ivar conflict: status for what the state of things forbids: claimed already, a name that is taken.
    :ivar token_refused: status for a token that is no good, or of an unknown device.
    :ivar error_code: whether error bodies have a number ``code`` besides ``message``.
    :ivar reason_told: whether ``message`` says why, or only what the status means.

    Claims and claimed devices (sections 2.2, 2.5 and 2.6)

    :ivar dry_run_body: whether the answer to a dry run that is well has a body.
    :ivar block_answers_device: whether block and unblock answer 200 with the device, or 204 with nothing.
    :ivar block_shown: whether a blocked device's status is ``BLOCKED``, or what it was before.
    :ivar plain_lists: whether lists of devices are plain arrays of all there is, or pages with ``items``.
    :ivar filters: whether the list of devices can be filtered.
    :ivar provisioned_without_finished: whether a device without ``finished`` is ``PROVISIONED`` when every
        command is done, or ``READY``.

    Tags and rules (sections 2.6, 2.7 and 2.9)

    :ivar tags_by_claim: whether a claim with a tag that nobody defined defines it, or is refused.
    :ivar tags_answered: whether the call that makes or changes a tag is answered with it, or with nothing.
    :ivar tags_readable: whether a tag can be read by its id; the path reads a device's tags, too.
    :ivar tags_settable: whether the tags of a claimed device can be set.
    :ivar rule_control: whether a rule can be read, changed, activated and deleted.
    :ivar rules_brief: whether lists of rules say no more of one than what is sure to be there: ``tags``.
    :ivar rule_finished: whether the service puts ``finished`` behind the commands of rules.
    :ivar rules_in_order: whether several rules of a device apply in the order of creation, or the other way.
    :ivar rules_overtake: whether a rule that has no room in the queue lets later ones pass.
    :ivar rules_onboard: whether a rule's ``onboarding`` makes its devices appear in device management.

    Commands (sections 2.8, 3.5 to 3.8)

    :ivar command_control: whether commands can be listed, deleted, reset and discarded.
    :ivar portal_commands: whether the key names of configuration, private key and pre-shared key are ours.
    :ivar brief_commands: whether commands are answered with what is sure to be there only: ``id`` at their
        creation, ``id``, ``status`` and ``response`` later.
    :ivar titled_statuses: whether final statuses of commands are written as the portal shows them
        (``Succeeded``), or like the others (``SUCCEEDED``).
    :ivar in_progress_shown: whether commands that a device has in hand are ``IN_PROGRESS``, or ``PENDING``.
    :ivar finished_count: whether finished commands count among the 20 that a device may have.
    :ivar error_details: whether the response of a failed command has the error as an object, or a message.
    :ivar csr_as_message: whether a CSR is ``message`` in the response of its command, or ``csr``.
    :ivar plain_error_fails: whether a report of success with the text ``ERROR`` fails the command.
    :ivar unfit_fails: whether a command that can never fit its device fails, or waits for ever.
    :ivar drop_after_error: whether commands behind one that failed are gone, or withheld.
    :ivar line_end: how lines of a certificate end in the AT command; ``None`` as they came.
    :ivar own_step_ids: whether the UUID in a correlation id is one of its own, or the command's.

    Bulk claims (section 2.4)

    :ivar bulk_claimed_as_devices: whether ``claimedIds`` holds device objects, or ids with the objects in a
        list beside it.
    :ivar bulk_failed_as_tokens: whether ``failed`` holds the tokens of the rows, or objects that say more.

    The core API (section 2.10)

    :ivar core_delete_answers_device: whether a deleted device is answered with 202, or 204 with nothing.
    :ivar core_all_rows_or_none: whether a row that is refused keeps the others of its body from counting.
    :ivar core_operation_takes_time: whether a bulk operation is in progress when it is first asked for.
    :ivar core_groups_shown: whether a device shows its groups.

    The device endpoint (section 3.1)

    :ivar unclaimed_device: status for a device that nobody has claimed.
    :ivar blocked_device: status for a device that is blocked.
    :ivar bad_credentials: status for a JWT that does not prove who made it.

    The device endpoint by CoAP (section 3.3)

    :ivar coap_claim_needed: whether a device must be claimed, and not blocked, to prove who it is, or only to
        fetch and report.
    :ivar coap_session_seconds: for how long a device is known that has proven who it is.
    :ivar coap_suspend: whether a connection can be suspended, or that is not found.
    """

    bad_request: int = 400
    role_too_low: int = 403
    not_found: int = 404
    conflict: int = 409
    token_refused: int = 422
    error_code: bool = True
    reason_told: bool = True

    dry_run_body: bool = False
    block_answers_device: bool = False
    block_shown: bool = True
    plain_lists: bool = False
    filters: bool = True
    provisioned_without_finished: bool = True

    tags_by_claim: bool = True
    tags_answered: bool = True
    tags_readable: bool = True
    tags_settable: bool = True
    rule_control: bool = True
    rules_brief: bool = False
    rule_finished: bool = True
    rules_in_order: bool = True
    rules_overtake: bool = False
    rules_onboard: bool = True

    command_control: bool = True
    portal_commands: bool = True
    brief_commands: bool = False
    titled_statuses: bool = False
    in_progress_shown: bool = True
    finished_count: bool = False
    error_details: bool = True
    csr_as_message: bool = False
    plain_error_fails: bool = True
    unfit_fails: bool = True
    drop_after_error: bool = False
    line_end: str | None = None
    own_step_ids: bool = False

    bulk_claimed_as_devices: bool = False
    bulk_failed_as_tokens: bool = False

    core_delete_answers_device: bool = False
    core_all_rows_or_none: bool = False
    core_operation_takes_time: bool = False
    core_groups_shown: bool = True

    unclaimed_device: int = 401
    blocked_device: int = 403
    bad_credentials: int = 403

    coap_claim_needed: bool = True
    coap_session_seconds: int = 30 * 24 * 3600
    coap_suspend: bool = True


FAKE = Choices()
"""The fact sheet's own choices."""

CONTRARIAN = Choices(
    bad_request=422,
    role_too_low=401,
    not_found=403,
    conflict=400,
    token_refused=404,
    error_code=False,
    reason_told=False,
    dry_run_body=True,
    block_answers_device=True,
    block_shown=False,
    plain_lists=True,
    filters=False,
    provisioned_without_finished=False,
    tags_by_claim=False,
    tags_answered=False,
    tags_readable=False,
    tags_settable=False,
    rule_control=False,
    rules_brief=True,
    rule_finished=False,
    rules_in_order=False,
    rules_overtake=True,
    rules_onboard=False,
    command_control=False,
    portal_commands=False,
    brief_commands=True,
    titled_statuses=True,
    in_progress_shown=False,
    finished_count=True,
    error_details=False,
    csr_as_message=True,
    plain_error_fails=False,
    unfit_fails=False,
    drop_after_error=True,
    line_end="\r\n",
    own_step_ids=True,
    bulk_claimed_as_devices=True,
    bulk_failed_as_tokens=True,
    core_delete_answers_device=True,
    core_all_rows_or_none=True,
    core_operation_takes_time=True,
    core_groups_shown=False,
    unclaimed_device=403,
    blocked_device=401,
    bad_credentials=401,
    coap_claim_needed=False,
    coap_session_seconds=3600,
    coap_suspend=False,
)
"""Every choice decided the other way. What is known of the service stays as it is known."""
