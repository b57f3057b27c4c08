"""The exception tree: who is under whom, and what the texts say."""

from __future__ import annotations

import re

import pytest

from harness import errors
from harness.errors import CommandRefused, HarnessError, RequestRefused, UsageError


def drawn_tree() -> dict[str, str]:
    """The tree as the module's docstring draws it: child to parent."""
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([ │├└─]{4,})([A-Z]\w+)", line)
        if not found:
            continue
        depth = len(found[1])
        while path and path[-1][0] >= depth:
            path.pop()
        if path:
            parents[found[2]] = path[-1][1]
        path.append((depth, found[2]))
    return parents


def test_docstring_draws_the_tree_as_it_is() -> None:
    """The drawing names every class with its true parent, and no other."""
    actual = {
        cls.__name__: cls.__bases__[0].__name__
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, HarnessError) and cls is not HarnessError
    }

    assert drawn_tree() == actual
    assert len(actual) >= 12


def test_usage_error_says_all_it_knows() -> None:
    """File, key, value and what was expected are in one message, and can be read apart."""
    error = UsageError("does not fit", file="rig.toml", key="baud", value="fast", expected="a number")

    assert str(error) == "rig.toml: baud: does not fit (got 'fast'); expected a number"
    assert (error.file, error.key, error.value, error.expected) == ("rig.toml", "baud", "fast", "a number")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UsageError("wrong"), "wrong"),
        (UsageError("wrong", key="--x"), "--x: wrong"),
        (UsageError("wrong", file="f"), "f: wrong"),
        (UsageError("wrong", value=0), "wrong (got 0)"),
        (UsageError("wrong", expected="y"), "wrong; expected y"),
    ],
)
def test_usage_error_leaves_out_what_is_unknown(error: UsageError, text: str) -> None:
    """Parts that are not known leave no trace."""
    assert str(error) == text


def test_refused_command_keeps_its_parts() -> None:
    """A suite can judge a refusal by its number, a person by its text."""
    error = CommandRefused("AT%CMNG=3,1,0", "+CME ERROR: 513", 513)

    assert str(error) == "AT%CMNG=3,1,0 was refused: +CME ERROR: 513"
    assert (error.command, error.reply, error.code) == ("AT%CMNG=3,1,0", "+CME ERROR: 513", 513)


def test_refused_request_keeps_its_parts() -> None:
    """A suite can judge a refusal by its status, a person by its text."""
    error = RequestRefused("ClaimDeviceOwnership", 409, "already claimed")

    assert str(error) == "ClaimDeviceOwnership was answered 409: already claimed"
    assert (error.operation, error.status, error.problem) == ("ClaimDeviceOwnership", 409, "already claimed")
