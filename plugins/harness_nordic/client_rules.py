"""The client's calls about provisioning rules, and onboarding by a rule (nrfcloud fact sheet, section 2.9).

How a rule is deleted on the real service is not known. What cannot be undone is not made: rules need the
capability ``rules``, which a service has where the team is one for tests and rules may be left behind.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.backends.answers import parse_answer
from harness.errors import UsageError
from harness_nordic.client_definition_models import OnboardingRecord, RulePage, RuleRecord
from harness_nordic.client_definitions import StaysBehind
from harness_nordic.client_pages import read_pages
from harness_nordic.client_requests import (
    ClientPrivateKeyGeneration,
    CloudAccessKeyGeneration,
    ServerCertificate,
    secrets_in,
)
from harness_nordic.client_tags import DONE, TagCalls
from harness_nordic.enums import FirmwareType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from harness.backends.contract import Change
    from harness_nordic.client_core import CoreClient
    from harness_nordic.client_definitions import Definitions
    from harness_nordic.client_objects import ClaimedDevice
    from harness_nordic.client_requests import CommandRequest

RULES = "/v1/provisioning-rules"
RULE = "rule"
MAKE, CONTROL, ONBOARDING = "rules", "rule-control", "onboarding"
ONBOARDING_SEC_TAG = 16842753
"""Where nRF Cloud's credentials are unless somebody says otherwise (section 1)."""

_NOT_FOUND = 404
_TAG_PATH = re.compile(r"/v1/(?:claimed-devices|provisioning)/tags/([^/]+)")
_RULE_PATH = re.compile(r"/v1/provisioning-rules/([^/]+)")


class OnboardingCertificates(StrEnum):
    """What the portal lets an onboarding rule provision."""

    ALL = "All"
    AWS = "AWS"
    COAP = "CoAP"
    NONE = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """The CA certificates (PEM) that onboarding provisions.

    :ivar aws: for REST and MQTT.
    :ivar coap: for CoAP.
    """

    aws: str
    coap: str

    def chosen(self, certificates: OnboardingCertificates) -> str:
        """Return what is to be written; an empty line joins both, as in what Nordic's client sends."""
        if certificates is OnboardingCertificates.AWS:
            return self.aws
        if certificates is OnboardingCertificates.COAP:
            return self.coap
        return f"{self.aws}\n{self.coap}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """How a rule has its devices appear in device management.

    :ivar sub_type: subtype; empty for none.
    :ivar firmware_types: firmware that can be updated.
    :ivar group: device management group, which is no provisioning group; empty for none.
    """

    sub_type: str = ""
    firmware_types: Sequence[FirmwareType] = ()
    group: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the fields as the fake names them: a fake choice."""
        firmware = [FirmwareType(each).value for each in self.firmware_types]
        return {"subType": self.sub_type, "fwTypes": firmware, "group": self.group}


class Rule:
    """A provisioning rule: what the service last said of it, and what can be done with it."""

    def __init__(self, client: RuleCalls, record: RuleRecord) -> None:
        """Hold a rule of a client's team."""
        self._client = client
        self._record = record

    def __repr__(self) -> str:
        """Name the rule."""
        return f"<Rule {self.name!r}>"

    @property
    def id(self) -> str:
        """The id that the service gave it; empty where it tells none."""
        return self._record.id

    @property
    def name(self) -> str:
        """The name."""
        return self._record.name

    @property
    def description(self) -> str:
        """What its maker wrote about it."""
        return self._record.description

    @property
    def active(self) -> bool:
        """Whether devices get it; a rule that is not is a draft."""
        return self._record.active

    @property
    def tags(self) -> tuple[str, ...]:
        """Names of the tags whose devices get it, as last read."""
        return self._record.tags

    @property
    def commands(self) -> list[dict[str, Any]]:
        """The requests that it gives to devices, each with its type as key."""
        return [
            {kind.value: fields for kind, fields in command.request.items()}
            for command in self._record.commands
        ]

    @property
    def onboarding(self) -> OnboardingRecord | None:
        """How devices are to appear in device management; ``None`` when they are not to."""
        return self._record.onboarding

    def refresh(self) -> Self:
        """Read the rule anew and return it (capability ``rule-control``).

        :raises RequestRefused: it is gone.
        """
        self._record = self._client.read_rule(self.id)
        return self

    def change(self, **changes: Any) -> None:
        """Edit a draft (capability ``rule-control``).

        :param changes: as the service names them; what is not named stays as it is.
        :raises RequestRefused: the rule is active, or cannot be like that.
        """
        self._record = self._client.change_rule(self.id, changes)

    def activate(self) -> None:
        """Let devices get it (capability ``rule-control``)."""
        self.change(active=True)

    def deactivate(self) -> None:
        """Take it out of use; it is a draft again (capability ``rule-control``)."""
        self.change(active=False)

    def delete(self) -> None:
        """Delete it; devices keep what it gave them (capability ``rule-control``).

        :raises RequestRefused: it is gone.
        """
        self._client.delete_rule(self.id)


class RuleCalls(TagCalls, ABC):
    """What a client can do with rules; part of :class:`~harness_nordic.client.NrfCloudClient`."""

    core: CoreClient
    _rules: Definitions

    @abstractmethod
    def claim(self, token: str, tags: Sequence[str] = ()) -> ClaimedDevice:
        """Claim a device by its attestation token."""

    def create_rule(
        self,
        name: str,
        commands: Sequence[CommandRequest],
        tags: Sequence[str],
        *,
        active: bool = True,
        description: str = "",
        onboarding: Onboarding | None = None,
    ) -> Rule:
        """Make a rule (capability ``rules``); it is deleted after the test.

        :param tags: names of tags; devices that hold one of them get the rule when they are online.
        :param active: whether devices get it at once; if not it is a draft.
        :param onboarding: how devices are to appear in device management (capability ``onboarding``).
        :raises RequestRefused: there is one of this name, or it cannot be one.
        :raises UsageError: the service is not known to be able to.
        """
        self._require(MAKE)
        if onboarding is not None:
            self._require(ONBOARDING)
        operation = "CreateProvisioningRule"
        for request in commands:
            for value, label in secrets_in(request):
                self._session.register_secret(value, label)
        requests = [{"request": {request.type.value: request.fields()}} for request in commands]
        body: dict[str, Any] = {"name": name, "description": description, "active": active}
        body |= {"commands": requests, "tags": list(tags)}
        if onboarding is not None:
            body["onboarding"] = onboarding.fields()
        definition = self._rules.intend(name)
        with self._appearing(tags):
            response = self._http.send("POST", RULES, operation=operation, json=body)
            if 400 <= response.status_code < 500:  # noqa: PLR2004 - RFC 9110: the request was not done
                self._rules.never_made([definition])
        if response.status_code != 201:  # noqa: PLR2004 - what Nordic's client takes (section 2.9)
            raise self._http.refusal(operation, response)
        record = parse_answer(RuleRecord, response, operation)
        if record.id:
            self._rules.made(definition, record.id)
        # The service is not known to answer with the rule; what it does not say is what we asked for.
        return Rule(self, record.model_copy(update={"name": name, "tags": record.tags or tuple(tags)}))

    def rules(self) -> list[Rule]:
        """Return every rule of the team, in the order of creation."""
        return [Rule(self, record) for record in self._rule_records()]

    def rule(self, name: str) -> Rule:
        """Return the rule of a name.

        :raises UsageError: the team has none of this name.
        """
        rules = self.rules()
        for rule in rules:
            if rule.name == name:
                return rule
        names = ", ".join(sorted(rule.name for rule in rules)) or "a rule; the team has none"
        raise UsageError("the team has no such rule", key="rule", value=name, expected=names)

    def read_rule(self, rule_id: str) -> RuleRecord:
        """Read a rule (capability ``rule-control``)."""
        self._require(CONTROL)
        operation = "GetProvisioningRule"
        response = self._http.request("GET", f"{RULES}/{rule_id}", operation=operation, accept={200})
        return parse_answer(RuleRecord, response, operation)

    def change_rule(self, rule_id: str, changes: Mapping[str, Any]) -> RuleRecord:
        """Edit, activate or take out of use (capability ``rule-control``)."""
        self._require(CONTROL)
        operation = "UpdateProvisioningRule"
        path = f"{RULES}/{rule_id}"
        response = self._http.request("PUT", path, operation=operation, accept={200}, json=dict(changes))
        return parse_answer(RuleRecord, response, operation)

    def delete_rule(self, rule_id: str) -> None:
        """Delete a rule (capability ``rule-control``)."""
        self._require(CONTROL)
        self._http.request("DELETE", f"{RULES}/{rule_id}", operation="DeleteProvisioningRule", accept=DONE)
        self._rules.gone(rule_id)

    # Onboarding --------------------------------------------------------------------------------------

    def auto_onboard(
        self,
        *,
        name: str,
        authorities: Authorities | None = None,
        sec_tag: int | None = None,
        certificates: OnboardingCertificates = OnboardingCertificates.ALL,
        group: str | None = None,
        firmware_types: Sequence[FirmwareType] = (),
        sub_type: str | None = None,
    ) -> Rule:
        """Make the rule that the portal makes for onboarding while claiming; it is active at once.

        Its provisioning group has the rule's name. Claim devices with :meth:`claim_with_rule`.

        :param name: of the rule; unique in the team.
        :param authorities: the certificates to provision; not needed for ``None``.
        :param sec_tag: where the device keeps nRF Cloud's credentials; :data:`ONBOARDING_SEC_TAG` by default.
        :param certificates: which certificates the device gets.
        :param group: device management group that the device joins.
        :param firmware_types: firmware that can be updated on it.
        :param sub_type: its subtype.
        :raises RequestRefused: there is a rule of this name.
        :raises UsageError: certificates are to be provisioned and there are none.
        """
        commands: list[CommandRequest] = []
        tag = ONBOARDING_SEC_TAG if sec_tag is None else sec_tag
        if certificates is not OnboardingCertificates.NONE:
            if authorities is None:
                raise UsageError(
                    "no certificates to provision",
                    key="authorities",
                    expected=f"the CAs, or certificates={OnboardingCertificates.NONE!s}",
                )
            commands = [
                ClientPrivateKeyGeneration(sec_tag=tag),
                CloudAccessKeyGeneration(sec_tag=tag),
                ServerCertificate(sec_tag=tag, content=authorities.chosen(certificates)),
            ]
        onboarding = Onboarding(
            sub_type=sub_type or "", firmware_types=tuple(firmware_types), group=group or ""
        )
        return self.create_rule(name, commands, [name], onboarding=onboarding)

    def claim_with_rule(self, token: str, rule: Rule | str) -> ClaimedDevice:
        """Claim a device into the provisioning group of a rule, which it gets when it is online.

        :param rule: a rule, or the name of one that there is.
        :raises RequestRefused: the service does not want it.
        :raises UsageError: the team has no rule of this name, or it has no group.
        """
        chosen = self.rule(rule) if isinstance(rule, str) else rule
        if not chosen.tags:
            raise UsageError("the rule has no provisioning group", key="rule", value=chosen.name)
        device = self.claim(token, tags=chosen.tags)
        if chosen.onboarding is not None:
            self.core.expect(device.id)
        return device

    def refuse_foreign_definition(self, change: Change) -> None:
        """Refuse a request that would change a tag or rule of the team that nobody defined here.

        :raises UsageError: it would.
        """
        path = urlsplit(change.url).path
        for pattern, definitions, read in (
            (_TAG_PATH, self._tags, self._tag_records),
            (_RULE_PATH, self._rules, self._rule_records),
        ):
            match = pattern.fullmatch(path)
            if match is None or definitions.may_change(match[1]):
                continue
            if any(record.id == match[1] for record in read()):
                raise UsageError(
                    f"{change.operation} would change what this session did not define",
                    key="id",
                    value=match[1],
                    expected="a tag or rule that a test made: what we did not make is never touched",
                )

    def _rule_records(self) -> list[RuleRecord]:
        return read_pages(self._http, RULES, "ListProvisioningRules", RulePage)

    def _find_rule(self, name: str) -> str | None:
        records = self._rule_records()
        if any(not (record.name and record.id) for record in records):
            raise StaysBehind("the service does not tell names and ids of rules")
        return next((record.id for record in records if record.name == name), None)

    def _remove_rule(self, rule_id: str) -> bool:
        path, operation = f"{RULES}/{rule_id}", "DeleteProvisioningRule"
        response = self._http.send("DELETE", path, operation=operation)
        if response.status_code in DONE:
            return True
        if CONTROL not in self.backend.capabilities:  # whether there is such a call at all is not known
            if any(record.id == rule_id for record in self._rule_records()):
                raise StaysBehind(f"the service answers {response.status_code}")
        elif response.status_code != _NOT_FOUND:
            raise self._http.refusal(operation, response)
        return False
