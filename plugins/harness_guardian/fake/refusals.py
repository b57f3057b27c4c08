"""Why the service refuses: what a problem document says, before any door turns it into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness_guardian.enums import ErrorCode


class Refused(Exception):
    """The service will not do what was asked, and says why (guardian fact sheet, section 10.5).

    :ivar status: the HTTP status that says it.
    :ivar slug: ends the problem's type, ``urn:guardian:problem:<slug>``.
    :ivar title: the kind of problem, the same for every problem of this slug.
    :ivar detail: what is wrong this time.
    :ivar code: the error code of the seed, where one says it.
    """

    def __init__(
        self, status: int, slug: str, title: str, detail: str, code: ErrorCode | None = None
    ) -> None:
        """Say it all.

        :param status: see the class, as of the others.
        """
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.code = code


def undecodable(detail: str) -> Refused:
    """Not even the payload of what was sent can be read: there will be no row of it."""
    return Refused(400, "undecodable", "Not a provisioning request", detail)


def not_authenticated() -> Refused:
    """Nobody has this token."""
    return Refused(401, "not-authenticated", "Not authenticated", "the token is nobody's")


def role_too_low(detail: str) -> Refused:
    """The service knows who asks, and their role does not let them."""
    return Refused(403, "role", "Not allowed to this role", detail)


def not_found(detail: str) -> Refused:
    """There is no such thing, or it is another's; the two cannot be told apart."""
    return Refused(404, "not-found", "Not found", detail)


def unknown_system(name: str) -> Refused:
    """A device without a user names a system that nobody has: there is nowhere to put a row."""
    return Refused(404, "unknown-system", "Unknown system", f"no organisation has a system {name!r}")


def wrong_state(detail: str) -> Refused:
    """The state of the request does not allow it."""
    return Refused(409, "wrong-state", "Not possible in this state", detail)


def failed(text: str, code: ErrorCode | None) -> Refused:
    """The request ended in an error or a rejection: nothing will come of it."""
    return Refused(409, "failed", "Not provisioned", f"the request ended: {text}", code)


def wrong_door(detail: str) -> Refused:
    """The request came in at the other Guardian, which alone may act on it."""
    return Refused(409, "wrong-door", "Another Guardian's request", detail)


def name_taken(detail: str) -> Refused:
    """There is a thing of this name already."""
    return Refused(409, "name-taken", "Name taken", detail)


def in_progress(detail: str) -> Refused:
    """The service is at work on it."""
    return Refused(409, "in-progress", "In progress", detail)


def too_large(detail: str) -> Refused:
    """More bytes than a provisioning request may have."""
    return Refused(413, "too-large", "Too large", detail)


def media_type_unknown(media_type: str) -> Refused:
    """A provisioning request is not sent as this."""
    return Refused(415, "media-type", "Media type not supported", f"not the media type of a PR: {media_type}")


def not_valid(detail: str) -> Refused:
    """It can be read, but a rule forbids it."""
    return Refused(422, "not-valid", "Not valid", detail)


def automatic_approval(detail: str) -> Refused:
    """Users decide nothing in a system of the Automatic approval type (guardian fact sheet, section 2.1)."""
    return Refused(422, "automatic-approval", "Approved automatically", detail)


def vault_unavailable(detail: str) -> Refused:
    """Vault does not do what a system needs before it can begin."""
    return Refused(503, "vault-unavailable", "Vault unavailable", detail)
