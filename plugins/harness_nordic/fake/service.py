"""The service without its doors: factory registry, teams, claims. One thread, one event loop.

Facts and fake choices: nrfcloud fact sheet, sections 2.2 to 2.8, 3.1 and 4.3.
"""

from __future__ import annotations

import secrets
import uuid
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from harness_nordic.enums import AfterError, Role
from harness_nordic.fake import jwt, tokens
from harness_nordic.fake.choices import FAKE
from harness_nordic.fake.command_queue import CommandQueue
from harness_nordic.fake.core_devices import CoreDevices
from harness_nordic.fake.faults import Faults
from harness_nordic.fake.onboarding import onboard
from harness_nordic.fake.records import ClaimedDevice, DeviceRequest, FactoryRecord, Member
from harness_nordic.fake.refusals import (
    Conflict,
    DeviceBlocked,
    NotAuthenticated,
    NotClaimed,
    NotFound,
    NotThere,
    TokenRefused,
)
from harness_nordic.fake.rules import TeamRules, apply_rules
from harness_nordic.fake.tags import TeamTags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.enums import KeygenOutput
    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.clock import Clock

MOST_REQUESTS_KEPT = 10_000
"""Requests of one device that are remembered; older ones are forgotten."""


class ProvisioningService:
    """Everything the fake knows and decides.

    :ivar clock: the time of the service.
    :ivar choices: what the fake does where nobody knows what the real service does.
    :ivar faults: what is broken on purpose.
    :ivar core: what the rest of nRF Cloud knows of devices.
    """

    def __init__(
        self,
        clock: Clock,
        after_error: AfterError | None = None,
        choices: Choices = FAKE,
    ) -> None:
        """Begin with no device, no team and no claim.

        :param after_error: what becomes of the commands behind one that failed, unless a team orders
            otherwise; by default as the choices say.
        :param choices: see :mod:`harness_nordic.fake.choices`.
        """
        self.clock = clock
        self.choices = choices
        if after_error is None:
            after_error = AfterError.DROP if choices.drop_after_error else AfterError.WITHHOLD
        self.faults = Faults(clock)
        self.core = CoreDevices(clock)
        self._after_error = after_error
        self._after_error_of: dict[str, AfterError] = {}
        self._factory: dict[str, FactoryRecord] = {}
        self._members: dict[str, Member] = {}
        self._named: dict[str, Member] = {}
        self._claims: dict[str, ClaimedDevice] = {}
        self._claims_made = 0
        self._tags: dict[str, TeamTags] = {}
        self._rules: dict[str, TeamRules] = {}
        self._requests: dict[str, deque[DeviceRequest]] = {}

    # What only the session may do --------------------------------------------------------------------

    def enrol(self, record: FactoryRecord) -> None:
        """Put a device into the factory registry; a later record of the same device replaces it."""
        self._factory[record.id] = record
        self._requests.setdefault(record.id, deque(maxlen=MOST_REQUESTS_KEPT))

    def add_member(
        self, role: Role = Role.OWNER, *, owner_id: str | None = None, api_key: str | None = None
    ) -> Member:
        """Make an API key: of a new team, or of the team ``owner_id``.

        :raises NotFound: there is no such team.
        :raises Conflict: the key is somebody's already.
        """
        if owner_id is not None and owner_id not in {member.owner_id for member in self._members.values()}:
            raise NotFound("there is no such team")
        member = Member(
            api_key=api_key or secrets.token_hex(20), owner_id=owner_id or str(uuid.uuid4()), role=role
        )
        if member.api_key in self._members:
            raise Conflict("somebody has this API key already")
        self._members[member.api_key] = member
        return member

    def named_member(
        self, name: str, role: Role | None = None, *, owner_id: str | None = None, api_key: str | None = None
    ) -> tuple[Member, bool]:
        """Make an API key under a name, or find the one that was made under it.

        So the worker that replaces a dead one gets its team again, and can undo what it left.

        :param role: its role; ``None`` takes what there is, or an owner's.
        :return: the member, and whether it was made now.
        :raises NotFound: see :meth:`add_member`.
        :raises Conflict: see :meth:`add_member`, or the name is that of another member than is asked for.
        """
        known = self._named.get(name)
        if known is None:
            made = self.add_member(role or Role.OWNER, owner_id=owner_id, api_key=api_key)
            self._named[name] = made
            return made, True
        wanted = (role or known.role, owner_id or known.owner_id, api_key or known.api_key)
        if wanted != (known.role, known.owner_id, known.api_key):
            raise Conflict("the name is that of another member")
        return known, False

    def order_after_error(self, owner_id: str, after_error: AfterError | None) -> None:
        """Decide what becomes of the commands behind one that failed, for one team's devices.

        :param after_error: ``None`` puts back what the fake was started with.
        """
        if after_error is None:
            self._after_error_of.pop(owner_id, None)
        else:
            self._after_error_of[owner_id] = after_error
        for device in self._claims.values():
            if device.owner_id == owner_id:
                device.queue.after_error = after_error or self._after_error

    def owner_of(self, device_id: str) -> str | None:
        """Return the team that has claimed a device, if any has."""
        device = self._claims.get(device_id)
        return None if device is None else device.owner_id

    def owner_of_key(self, api_key: str) -> str | None:
        """Return the team of an API key, if it is any's."""
        member = self._members.get(api_key)
        return None if member is None else member.owner_id

    def requests_of(self, device_id: str) -> list[DeviceRequest]:
        """Return what a device has asked of the device endpoint, oldest first.

        :raises NotFound: the device is unknown.
        """
        if device_id not in self._requests:
            raise NotFound("no such device was enrolled")
        return list(self._requests[device_id])

    # What a team may do ------------------------------------------------------------------------------

    def member(self, api_key: str) -> Member:
        """Find out who asks.

        :raises NotAuthenticated: nobody has this key.
        """
        try:
            return self._members[api_key]
        except KeyError:
            raise NotAuthenticated("Unauthorized") from None

    def check_claim(self, token: str) -> tuple[FactoryRecord, tokens.Attestation]:
        """Tell whether a device may be claimed with a token.

        :raises TokenRefused: it cannot be read, does not verify, or its device is unknown.
        :raises Conflict: the device is claimed, by whomever.
        """
        attestation = tokens.read_attestation(token)
        record = self._factory.get(attestation.device_id)
        if record is None:
            raise TokenRefused("the device is unknown")
        tokens.verify_attestation(attestation, record.public_key)
        if attestation.device_type is not record.device_type:
            raise TokenRefused("the token names another device type than the factory did")
        if record.id in self._claims:
            raise Conflict("the device is claimed already")
        return record, attestation

    def claim(self, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
        """Claim a device; it begins with a clean record.

        :raises TokenRefused: see :meth:`check_claim`.
        :raises Conflict: see :meth:`check_claim`.
        :raises BadRequest: a tag is not defined, where claims do not define tags.
        """
        record, attestation = self.check_claim(token)
        team_tags = self.tags_of(member)
        tag_ids = team_tags.ids_of(tags, define=self.choices.tags_by_claim)
        self._claims_made += 1
        device = ClaimedDevice(
            factory=record,
            number=self._claims_made,
            owner_id=member.owner_id,
            firmware_id=attestation.firmware_id,
            tag_ids=tag_ids,
            team_tags=team_tags,
            claimed_at=self.clock.timestamp(),
            queue=CommandQueue(partial(self._verify_keygen, record.id), self.choices),
        )
        device.queue.after_error = self._after_error_of.get(member.owner_id, self._after_error)
        device.queue.on_success = partial(self._command_succeeded, device)
        self._claims[record.id] = device
        return device

    def _command_succeeded(self, device: ClaimedDevice, command_id: str) -> None:
        onboard(device, command_id, self.core)

    def _verify_keygen(self, device_id: str, text: str, sec_tag: int, output: KeygenOutput) -> None:
        key = self._factory[device_id].public_key
        tokens.verify_keygen(text, key, device_id=device_id, sec_tag=sec_tag, output=output)

    def tags_of(self, member: Member) -> TeamTags:
        """Return the team's tags."""
        return self._tags.setdefault(member.owner_id, TeamTags())

    def rules_of(self, member: Member) -> TeamRules:
        """Return the team's rules."""
        if member.owner_id not in self._rules:
            self._rules[member.owner_id] = TeamRules(self.tags_of(member))
        return self._rules[member.owner_id]

    def devices(self, member: Member) -> list[ClaimedDevice]:
        """Return the team's devices in the order of their claims."""
        return [device for device in self._claims.values() if device.owner_id == member.owner_id]

    def device(self, member: Member, device_id: str) -> ClaimedDevice:
        """Return a device of the team.

        :raises NotFound: it is nobody's or another team's; the two cannot be told apart.
        """
        device = self._claims.get(device_id)
        if device is None or device.owner_id != member.owner_id:
            raise NotFound("the team has no such device")
        return device

    def unclaim(self, member: Member, device_id: str) -> None:
        """Forfeit a claim; the device's commands vanish with it.

        :raises NotThere: it is nobody's or another team's.
        """
        try:
            device = self.device(member, device_id)
        except NotFound as refusal:
            raise NotThere(str(refusal)) from refusal
        del self._claims[device.id]

    # What a device may do ----------------------------------------------------------------------------

    def identify(self, token: str) -> FactoryRecord:
        """Find out which device asks, by its JWT.

        :raises NotAuthenticated: no JWT, or of an unknown device.
        :raises BadCredentials: the JWT does not prove who made it.
        """
        return jwt.verify_jwt(token, self._factory.get, now=self.clock.seconds())

    def served_device(self, record: FactoryRecord) -> ClaimedDevice:
        """Return the claim of a device that may provision itself.

        :raises NotClaimed: nobody has claimed it.
        :raises DeviceBlocked: it is blocked.
        """
        device = self._claims.get(record.id)
        if device is None:
            raise NotClaimed("the device is not claimed")
        if device.blocked:
            raise DeviceBlocked("the device is blocked")
        return device

    def evaluate_rules(self, device: ClaimedDevice) -> None:
        """Give a device that just proved to be online the commands of rules for it (section 2.9).

        Commands of a rule are not there before: a device that is offline or blocked has none of them.
        """
        rules = self._rules.get(device.owner_id)
        if rules is not None and device.tag_ids:
            apply_rules(device, rules.matching(device), self.choices, self.clock.timestamp())

    def remember_request(self, record: FactoryRecord, request: DeviceRequest) -> None:
        """Write down what a device asked."""
        self._requests[record.id].append(request)
