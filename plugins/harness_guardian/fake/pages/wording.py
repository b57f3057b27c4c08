"""What the Devices page says about its actions; labels are those of the seed 'Manage device provisioning'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.enums import Action
from harness_guardian.fake.pages.sessions import Message

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one action.

    :ivar row_button: in the Actions column.
    :ivar one: button of the panel for one request.
    :ivar many: link in the toolbar and button of the panel for several; ``{}`` is how many.
    :ivar question: what the panel says of one.
    :ivar question_many: what it says of several.
    :ivar done: how a success begins.
    :ivar thing: what it is done to.
    """

    row_button: str
    one: str
    many: str
    question: str
    question_many: str
    done: str
    thing: str


WORDS = {
    Action.APPROVE: Words(
        row_button="Approve",
        one="Approve PR",
        many="Approve {} PRs",
        question="Approve this provisioning request? It can be provisioned afterwards.",
        question_many="Approve the provisioning requests that need approval under the current filter?",
        done="Approved",
        thing="PR",
    ),
    Action.REJECT: Words(
        row_button="Reject",
        one="Reject PR",
        many="Reject {} PRs",
        question="Reject this provisioning request? This is final: the device has to make a new one.",
        question_many="Review the provisioning requests that you are rejecting. This is final: "
        "their devices have to make new ones.",
        done="Rejected",
        thing="PR",
    ),
    Action.PROVISION: Words(
        row_button="Provision",
        one="Provision device",
        many="Provision {} devices",
        question="Provision this device? Its certificates and its certified profile are signed then.",
        question_many="Provision the devices whose requests are approved, under the current filter? "
        "Their certificates and certified profiles are signed then.",
        done="Provisioning begun for",
        thing="device",
    ),
}

#: Who looks before approving may also reject (seed: "If you choose to reject the PR at this point").
PANEL_ACTIONS = {
    Action.APPROVE: (Action.APPROVE, Action.REJECT),
    Action.REJECT: (Action.REJECT,),
    Action.PROVISION: (Action.PROVISION,),
}

MOST_NAMED = 10
"""Conflicts that a message names one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What became of an action on one request.

    :ivar problem: why it was not done; ``None`` when it was.
    """

    hw_id: str
    problem: str | None = None


def messages_about(action: Action, results: Sequence[Acted]) -> list[Message]:
    """Return what is said after an action: a success, and what was not done because it had moved on."""
    words = WORDS[action]
    good = [result for result in results if result.problem is None]
    bad = [result for result in results if result.problem is not None]
    said = []
    if len(good) == 1:
        said.append(Message(text=f"{words.done} 1 {words.thing}: {good[0].hw_id}."))
    elif good:
        said.append(Message(text=f"{words.done} {len(good)} {words.thing}s."))
    if bad:
        named = [f"{result.hw_id}: {result.problem}" for result in bad[:MOST_NAMED]]
        rest = len(bad) - len(named)
        said.append(
            Message(
                text=f"{len(bad)} of {len(results)} {words.thing}s could not be changed: "
                "they had moved on, or may not be changed here.",
                good=False,
                details=[*named, *([f"and {rest} more"] if rest else [])],
            )
        )
    return said
