"""Why the service refuses. The doors turn each class into a status; nothing here knows HTTP."""

from __future__ import annotations


class Refusal(Exception):
    """Base: the service will not do what was asked, and says why."""


class BadRequest(Refusal):
    """What was sent is not a request of this kind."""


class NotAuthenticated(Refusal):
    """The service does not know who asks, or the device is nobody's."""


class NotAllowed(Refusal):
    """The service knows who asks and does not let them: role too low, device blocked, proof not good."""


class NotClaimed(NotAuthenticated):
    """The device is nobody's."""


class DeviceBlocked(NotAllowed):
    """The device's team has blocked it."""


class BadCredentials(NotAllowed):
    """What a device shows does not prove that it is the device."""


class NotFound(Refusal):
    """There is no such thing, or it is another team's."""


class NotThere(NotFound):
    """The team has no such device to unclaim, or in the core: that the status is 404 is documented."""


class Conflict(Refusal):
    """The state of things forbids it: the device is claimed already."""


class TokenRefused(Refusal):
    """A token cannot be read, does not verify or belongs to an unknown device."""
