"""The other users of a client's organisation, and the other door (guardian fact sheet, section 1.1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.redaction import SHORTEST_SECRET
from harness_guardian.client_systems import random_part
from harness_guardian.client_world import CREATED, World, organisation
from harness_guardian.enums import ProvisionSource

if TYPE_CHECKING:
    from typing import Self

    from harness.backends.http import ServiceHttp
    from harness_guardian.client_models import RequestRow


class UserCalls(ABC):
    """The part of the client that turns it into somebody else.

    :ivar world: what all users of the organisation share.
    :ivar authorization: header that says who asks; ``None``: nobody says.
    :ivar user: what the user is to a suite; empty for a device, and for nobody.
    :ivar at_appliance: whether the door is the appliance's.
    """

    world: World
    authorization: str | None
    user: str
    at_appliance: bool

    @abstractmethod
    def _like(self, authorization: str | None, user: str, *, at_appliance: bool) -> Self:
        """Return a client of the same organisation as somebody else, or at the other door."""

    @abstractmethod
    def fake_control(self, what: str) -> ServiceHttp:
        """Return the way to the fake's control socket; see the client."""

    @property
    def user_name(self) -> str:
        """The user's name, as columns show it; empty where it is not known."""
        return self.world.names.get(self.user, "")

    @property
    def other_admin(self) -> Self:
        """Another administrator of the organisation."""
        return self._as("other_admin")

    @property
    def reporter(self) -> Self:
        """A user with the role Reporter."""
        return self._as("reporter")

    @property
    def limited(self) -> Self:
        """A user with the role Limited."""
        return self._as("limited")

    @property
    def other_limited(self) -> Self:
        """Another user with the role Limited."""
        return self._as("other_limited")

    @property
    def anonymous(self) -> Self:
        """Nobody: without any token, as a device submits its request."""
        return self._like(None, "", at_appliance=self.at_appliance)

    @property
    def appliance(self) -> Self:
        """The same user at the appliance's door.

        :raises UsageError: the service has no appliance.
        """
        return self._like(self.authorization, self.user, at_appliance=True)

    @property
    def cloud(self) -> Self:
        """The same user at the cloud's door."""
        return self._like(self.authorization, self.user, at_appliance=False)

    def as_device(self, nonce: str) -> Self:
        """Return the device that made a request with this nonce (base64url): it may read that request."""
        if len(nonce) >= SHORTEST_SECRET:  # a suite may offer what is no nonce at all
            self.world.session.register_secret(nonce, "nonce of a provisioning request")
        return self._like(f"Guardian-Nonce {nonce}", "", at_appliance=self.at_appliance)

    def at_door_of(self, row: RequestRow) -> Self:
        """Return the same user at the door by which a request came in."""
        if row.provision_source is ProvisionSource.APPLIANCE and self.world.appliance is not None:
            return self.appliance
        return self.cloud

    def _as(self, user: str) -> Self:
        if user not in self.world.tokens:
            raise UsageError(
                f"nobody here is {user.replace('_', ' ')}",
                key=f"GUARDIAN_{user.upper()}_TOKEN",
                expected="the token of such a user, in the environment",
            )
        token = self.world.tokens[user]
        return self._like(f"Bearer {token}", user, at_appliance=self.at_appliance)

    def new_user(self, role: str) -> Self:
        """Return a further user of the organisation with some role (capability ``roles``).

        :raises UsageError: the service is no fake.
        """
        control = self.fake_control("a further user")
        name = f"user-{random_part()}"
        operation = "make a user"
        control.request(
            "POST",
            f"/organisations/{self.world.organisation}/users",
            operation=operation,
            accept=CREATED,
            json={"name": name, "role": role},
        )
        record = organisation(control, self.world.organisation)
        user = next(user for user in record.users if user.name == name)
        self.world.tokens[name] = user.token
        self.world.names[name] = name
        return self._as(name)
