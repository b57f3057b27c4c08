"""Break: what one user sets, all users have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import settings_calls
from harness_guardian.fake.authentication import user_of
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.fake.records import User
    from harness_guardian.fake.service import GuardianService

TITLE = "what one user sets, all users have"
EXPECTED = ("test_dates.py::test_settings_of_each_user",)
ABOUT = r"settings"


_user_of = user_of


@replaces(settings_calls, "user_of")
def anybody(service: GuardianService, request: Request) -> User:
    """Return the organisation's first user, whoever asks."""
    user = _user_of(service, request)
    return next(iter(service.organisation(user.organisation).users.values()))
