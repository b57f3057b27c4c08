"""Comparing a service with our fake of it: what a vendor's check finds, and what it cannot find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.backends.contract import UnkeptAccounts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.backends.contract import Accounts, Backend


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What a vendor's check is called with.

    :ivar theirs: the service; no fake of ours.
    :ivar ours: the fake to compare it with, which runs.
    :ivar key_file: file with the key of a team; ``None``: the key of the environment.
    :ivar own_team: whether things may be made in the team, and undone again.
    :ivar control: control socket of the service, where it is a fake that somebody serves: a device of the
        check's own can be enrolled there.
    :ivar viewer_key_file: file with the key of somebody in the team who may only look, if there is one.
    :ivar accounts: where is noted what is about to be made in the service.
    """

    theirs: Backend
    ours: Backend
    key_file: Path | None = None
    own_team: bool = False
    control: Path | None = None
    viewer_key_file: Path | None = None
    accounts: Accounts = field(default_factory=UnkeptAccounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that the two do not do alike.

    :ivar question: what both were asked.
    :ivar aspect: of the answer: its status, its content type, its form, its words.
    :ivar theirs: what the service does.
    :ivar ours: what the fake does.
    """

    question: str
    aspect: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found.

    :ivar asked: how many questions both were asked.
    :ivar differences: in the order of the questions.
    :ivar not_checked: what could not be asked, with the reasons.
    :ivar left: what was made and could not be undone, and why; it stays in the ledger.
    """

    asked: int
    differences: tuple[Difference, ...]
    not_checked: Mapping[str, str]
    left: tuple[str, ...] = ()


def form_of(value: Any) -> Any:
    """Return what kind of JSON a value is: names and types, no contents; of a list its first item counts."""
    if isinstance(value, dict):
        return {name: form_of(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [form_of(each) for each in value[:1]]
    names = {str: "text", bool: "yes or no", int: "number", float: "number"}
    return names.get(type(value), "nothing")
