"""Organisations and their users, and what only the session may order of them."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from harness_guardian.enums import Role, Status
from harness_guardian.fake import refusals
from harness_guardian.fake.organisation import Organisation
from harness_guardian.fake.records import TRANSIENT, Hold, User

if TYPE_CHECKING:
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.clock import Clock
    from harness_guardian.fake.records import Event
    from harness_guardian.fake.revocations import Revocations

FIRST_USERS = (
    ("anna", Role.ADMIN),
    ("bert", Role.ADMIN),
    ("rita", Role.REPORTER),
    ("liam", Role.LIMITED),
    ("lena", Role.LIMITED),
)
"""Who is in every organisation from its beginning."""

TOKEN_BEGINS = "gdn_"  # noqa: S105 - what every token begins with gives none away
"""How every user's token begins: so it is known for a secret wherever it turns up."""

HOLDABLE = TRANSIENT | {Status.PROVISIONING}
"""Statuses in which a request can be held: those that the service leaves by itself."""


LARGEST_SHIFT = 100 * 366 * 24 * 3600.0
"""Seconds that an organisation's clock may be off at most: what comes of it can still be written."""


class Organisations:
    """Who there is, and the orders of the session. The part of the service that knows no request.

    :ivar clock: the time of the fake; each organisation has its own, which follows it.
    :ivar choices: what the fake does where nobody knows what the real service does.
    :ivar revocations: what revokes certificates.
    """

    def __init__(self, clock: Clock, choices: Choices, revocations: Revocations) -> None:
        """Begin with none."""
        self.clock = clock
        self.choices = choices
        self.revocations = revocations
        self._organisations: dict[str, Organisation] = {}
        self._users: dict[str, User] = {}

    def add_organisation(self, name: str) -> tuple[Organisation, bool]:
        """Make an organisation with its first users, or find the one of this name.

        :return: the organisation, and whether it was made now.
        """
        known = self._organisations.get(name)
        if known is not None:
            return known, False
        made = Organisation(name, self.clock, self.choices.dwell)
        self._organisations[name] = made
        for user, role in FIRST_USERS:
            self.add_user(name, user, role)
        return made, True

    def organisation(self, name: str) -> Organisation:
        """Return an organisation.

        :raises Refused: 404.
        """
        try:
            return self._organisations[name]
        except KeyError:
            raise refusals.not_found(f"there is no organisation {name!r}") from None

    def add_user(self, organisation: str, name: str, role: Role) -> User:
        """Make a user, or find the one of this name and role.

        :raises Refused: 404 for an unknown organisation, 409 when the user has another role.
        """
        users = self.organisation(organisation).users
        if name in users:
            if users[name].role is not role:
                raise refusals.name_taken(f"the user {name!r} is {users[name].role.value}")
            return users[name]
        token = f"{TOKEN_BEGINS}{secrets.token_urlsafe(24)}"
        user = User(name=name, role=role, organisation=organisation, token=token)
        users[name] = self._users[user.token] = user
        return user

    def order_dwell(self, organisation: str, seconds: float) -> None:
        """Decide how long each transient status lasts for requests that enter it from now on.

        :raises Refused: 404 for an unknown organisation, 422 for less than nothing.
        """
        if not 0 <= seconds < float("inf"):
            raise refusals.not_valid(f"seconds: expected 0 or more, got {seconds}")
        self.organisation(organisation).dwell = seconds

    def order_clock(self, organisation: str, offset_seconds: float) -> None:
        """Let an organisation's clock be ahead of the host's, or behind it.

        :raises Refused: 404 for an unknown organisation, 422 for what is no number of seconds.
        """
        if not abs(offset_seconds) < LARGEST_SHIFT:
            raise refusals.not_valid(f"offset_seconds: expected less than a century, got {offset_seconds}")
        wanted = self.organisation(organisation)
        wanted.clock.shift = offset_seconds
        self.revocations.clock_changed(wanted)

    def hold(self, organisation: str, system: str, status: Status) -> Hold:
        """Keep requests of a system in a status; those that are in it already, too.

        :raises Refused: 404 for an unknown organisation or system, 422 for a status that waits for a user
            anyway.
        """
        wanted = self.organisation(organisation)
        if status not in HOLDABLE:
            names = ", ".join(sorted(HOLDABLE))
            raise refusals.not_valid(f"status: expected one of {names}, got {status.value}")
        if system not in wanted.systems:
            raise refusals.not_found(f"there is no system {system!r}")
        made = Hold(id=str(uuid.uuid4()), organisation=organisation, system=system, status=status)
        wanted.holds[made.id] = made
        return made

    def release_hold(self, identifier: str) -> None:
        """Let requests go that are held.

        :raises Refused: 404.
        """
        for organisation in self._organisations.values():
            held = organisation.holds.pop(identifier, None)
            if held is not None:
                held.released.set()
                return
        raise refusals.not_found(f"there is no hold {identifier!r}")

    def withdraw_orders(self, organisation: str) -> None:
        """End what a test ordered: holds, dwell and clock are as at the beginning.

        :raises Refused: 404.
        """
        wanted = self.organisation(organisation)
        for identifier in list(wanted.holds):
            self.release_hold(identifier)
        wanted.dwell = self.choices.dwell
        self.order_clock(organisation, 0.0)

    def events(self, organisation: str) -> list[Event]:
        """Return what happened in an organisation, oldest first.

        :raises Refused: 404.
        """
        return list(self.organisation(organisation).events)

    def user_by_token(self, token: str) -> User:
        """Find out who asks.

        :raises Refused: 401.
        """
        user = self._users.get(token)
        if user is None:
            raise refusals.not_authenticated()
        return user
