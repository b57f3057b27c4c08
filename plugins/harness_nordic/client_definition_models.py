"""What the service answers about tags and rules (nrfcloud fact sheet, sections 2.7 and 2.9)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from harness_nordic.client_models import Page
from harness_nordic.enums import CommandType  # noqa: TC001 - pydantic reads it


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class TagRecord(_Answer):
    """A tag (section 2.7)."""

    id: str
    name: str = Field(alias="tag")
    description: str = ""


class TagPage(Page[TagRecord]):
    """A page of tags."""


class RuleCommandRecord(_Answer):
    """A command that a rule gives."""

    request: Annotated[dict[CommandType, dict[str, Any]], Field(default_factory=dict, repr=False)]


class OnboardingRecord(_Answer):
    """How a rule has its devices appear in device management: a fake choice."""

    sub_type: str = Field("", alias="subType")
    firmware_types: tuple[str, ...] = Field((), alias="fwTypes")
    group: str = ""


class RuleRecord(_Answer):
    """A rule (section 2.9); only ``tags`` is sure to be there."""

    id: str = ""
    name: str = ""
    description: str = ""
    active: bool = False
    commands: tuple[RuleCommandRecord, ...] = ()
    tags: tuple[str, ...] = ()
    onboarding: OnboardingRecord | None = None


class RulePage(Page[RuleRecord]):
    """A page of rules."""
