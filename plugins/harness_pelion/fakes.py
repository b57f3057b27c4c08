"""The factory of the fake: Pelion's API with its bootstrap server and its LwM2M server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness_pelion.fake.app import PelionFake
from harness_pelion.fake.choices import CONTRARIAN, FAKE

if TYPE_CHECKING:
    from harness.backends.contract import FakeSettings

ACCOUNT = "account"
CONTRARIAN_OPTION = "contrarian"

_OPTIONS = (ACCOUNT, CONTRARIAN_OPTION)
_LONGEST_NAME = 200


def create(settings: FakeSettings) -> PelionFake:
    """Make the fake that the runner serves.

    The option ``account`` makes an account at once, for use by hand: its id and its API key are in the notes.
    ``contrarian`` (``yes`` or ``no``) decides all that nobody knows the other way.

    :raises UsageError: an option or value that this fake does not have.
    """
    options = settings.options
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        expected = " or ".join(_OPTIONS)
        raise UsageError("no such option of this fake", key="--option", value=unknown[0], expected=expected)
    contrarian = options.get(CONTRARIAN_OPTION, "no")
    if contrarian not in {"yes", "no"}:
        raise UsageError("not an answer", key=CONTRARIAN_OPTION, value=contrarian, expected="yes or no")
    name = options.get(ACCOUNT)
    if name is not None and (not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable()):
        expected = f"1 to {_LONGEST_NAME} printable characters"
        raise UsageError("no name of an account", key=ACCOUNT, value=name, expected=expected)
    fake = PelionFake(choices=CONTRARIAN if contrarian == "yes" else FAKE)
    if name is not None:
        account, key, _made = fake.pelion.accounts.add(name)
        fake.notes = {"account": name, "account id": account.id, "API key": key.secret}
    return fake
