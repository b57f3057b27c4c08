"""Options about a run as a whole: what fits becomes a value, anything else one message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness.run_options import (
    parse_history,
    parse_max_runtime,
    parse_quarantine_for,
    parse_rig_retries,
    parse_shard,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = Path("/base")


def _quarantine(text: str) -> float | None:
    return parse_quarantine_for(text, 77.0)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_max_runtime, "", None),
        (parse_max_runtime, "0", None),
        (parse_max_runtime, "1.5", 1.5),
        (parse_rig_retries, "", 0),
        (parse_rig_retries, "0", 0),
        (parse_rig_retries, "12", 12),
        (_quarantine, "", 77.0),
        (_quarantine, "off", None),
        (_quarantine, "60", 60.0),
        (parse_shard, "", None),
        (parse_shard, "1/1", (1, 1)),
        (parse_shard, "2/3", (2, 3)),
        (parse_shard, "3/3", (3, 3)),
    ],
)
def test_what_fits_becomes_a_value(parse: Callable[[str], object], text: str, value: object) -> None:
    """Nothing said is the default, also where an ini file says nothing with an empty value."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "option", "texts"),
    [
        (parse_max_runtime, "--max-runtime", ["soon", "-1", "nan", "inf"]),
        (parse_rig_retries, "--rig-retries", ["-1", "1.5", "many", "٣", "1_0", "1000000", "9" * 5000]),
        (_quarantine, "--quarantine-for", ["0", "-1", "ever", "nan", "inf", "1e300", "OFF"]),
        (
            parse_shard,
            "--shard",
            ["0/3", "4/3", "1", "1/", "/3", "1/3/5", "a/b", "-1/3", " 1/3", "1/0", "²/3"],
        ),
    ],
)
def test_anything_else_is_one_message(parse: Callable[[str], object], option: str, texts: list[str]) -> None:
    """It names the option, what was given and what was expected."""
    for text in texts:
        with pytest.raises(UsageError) as caught:
            parse(text)
        assert str(caught.value).startswith(f"{option}: ")
        assert f"(got {text!r}); expected " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("off", "off"), ("runs.db", BASE / "runs.db"), ("/other/runs.db", Path("/other/runs.db"))],
)
def test_history_is_a_file_off_or_the_default(text: str, value: object) -> None:
    """A relative path is meant from where the option was given."""
    assert parse_history(text, BASE) == value
