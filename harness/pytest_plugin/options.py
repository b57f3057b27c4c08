"""The plugin's options and ini keys, and the settings that they make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from harness.config import Settings
    from harness.rig import Rig

# name of the option (and of the ini key, after "harness_"), metavar, help
_VALUES = (
    (
        "bench",
        "BENCH",
        "Boards to use: virtual (starts a bench), virtual=SOCKET (one that runs) or attached; else idle.",
    ),
    ("boards", "N|KIND=N,...", "How many boards, of any kind or of each kind named."),
    ("test-deadline", "SECONDS", "Interrupt a test after so long; 0 for never. Default: 120."),
    ("lease-deadline", "SECONDS", "Wait so long for boards that others hold. Default: 30."),
    (
        "reconnect",
        "SECONDS",
        "Wait so long for a board that goes away in mid-test. Default: 10; on a virtual bench: not at all.",
    ),
    (
        "return-deadline",
        "SECONDS",
        "Wait so long for the return of an attached board that tests still need. Default: 60.",
    ),
    (
        "rig",
        "FILE",
        "What is attached to this host. Default: $HARNESS_RIG, else rig.toml of the root directory.",
    ),
    (
        "sec-tags",
        "FIRST-LAST",
        "Security tags that suites may use on boards. Default: 910000000-910000009.",
    ),
    (
        "max-runtime",
        "SECONDS",
        "Begin no more tests so long after the first began; the rest is not run. Default: no limit.",
    ),
    ("rig-retries", "N", "Run a test that failed by the rig again, on another board. Default: 0 times."),
    (
        "history",
        "FILE|off",
        "What earlier runs came to, and where this one is added. Default: a file of your state directory.",
    ),
    (
        "quarantine-for",
        "SECONDS|off",
        "How long a board that cannot be recovered stays out of sessions. Default: 24 hours.",
    ),
    ("shard", "K/N", "Run only the K-th of N parts of the tests, for several runners."),
)
_LISTS = (
    ("board", "ID", "Use only this board. May be given several times."),
    (
        "backend",
        "NAME=fake|real|URL",
        "A provisioning service to use; real:STAGE for another stage. May be given several times.",
    ),
)
_FLAGS = (
    ("strict-boards", "A test whose need no board meets fails instead of being skipped."),
    ("late-boards", "Boards that are plugged in while tests run are used, too."),
    (
        "backend-dry-run",
        "Change nothing in services that are no fakes: end each test where it would, and say what.",
    ),
    ("keep", "Leave board and service as they are when a test fails."),
    ("allow-destructive", "Tests may change on attached boards what nobody can put back."),
    ("keep-raw-console", "Keep the session's unredacted console captures."),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and their ini keys."""
    group = parser.getgroup("harness", "provisioning tests on boards (harness)")
    for name, metavar, text in _VALUES:
        group.addoption(f"--{name}", metavar=metavar, default=None, help=text)
        parser.addini(ini_key(name), text, type="string", default="")
    for name, metavar, text in _LISTS:
        group.addoption(f"--{name}", metavar=metavar, action="append", default=None, help=text)
        parser.addini(ini_key(name), text, type="linelist", default=[])
    for name, text in _FLAGS:
        group.addoption(f"--{name}", action="store_true", default=None, help=text)
        parser.addini(ini_key(name), text, type="bool", default=False)
    parser.addini(
        "harness_project",
        "What the history calls these tests. Default: the root directory's name.",
        default="",
    )
    group.addoption(
        "--plan", action="store_true", help="Show which test would run on which board, or why not; run none."
    )


def ini_key(name: str) -> str:
    """Return the ini key of an option."""
    return "harness_" + name.replace("-", "_")


def given(config: pytest.Config, name: str) -> Any:
    """Return what the command line, or else the ini file, says for an option."""
    value = config.getoption(name.replace("-", "_"))
    return config.getini(ini_key(name)) if value is None else value


def is_asked_for(config: pytest.Config) -> bool:
    """Tell whether any of our options needs looking at; the only thing that an idle plugin does."""
    if config.option.help or config.option.version:
        return False
    return any(
        given(config, name) for name in ("bench", *(name for name, *_ in (*_VALUES[1:], *_LISTS, *_FLAGS)))
    ) or bool(config.getoption("plan"))


def read_settings(config: pytest.Config) -> Settings:
    """Make settings out of options and ini keys.

    :raises UsageError: one of them does not fit, or needs ``--bench`` which is not there.
    """
    from harness.config import (
        QUARANTINE_SECONDS,
        Settings,
        choose_sec_tags,
        parse_backends,
        parse_bench,
        parse_boards,
        parse_seconds,
    )
    from harness.errors import UsageError
    from harness.run_options import (
        parse_history,
        parse_max_runtime,
        parse_quarantine_for,
        parse_rig_retries,
        parse_shard,
    )

    bench = parse_bench(given(config, "bench"))
    if bench is None:
        for name in (
            "boards",
            "board",
            "backend",
            "backend-dry-run",
            "plan",
            "rig",
            "sec-tags",
            "allow-destructive",
            "max-runtime",
            "rig-retries",
            "history",
            "quarantine-for",
            "shard",
        ):
            if config.getoption(name.replace("-", "_")):
                raise UsageError(
                    "needs a bench", key=f"--{name}", expected="--bench virtual or --bench attached too"
                )
    deadlines = {
        field: parse_seconds(f"--{name}", given(config, name))
        for field, name in (
            ("test_deadline", "test-deadline"),
            ("lease_deadline", "lease-deadline"),
            ("reconnect", "reconnect"),
            ("return_deadline", "return-deadline"),
        )
        if given(config, name)
    }
    allow_destructive = bool(given(config, "allow-destructive"))
    rig = _read_rig(config)
    return Settings(
        bench=bench,
        boards=parse_boards(given(config, "boards")),
        board_ids=tuple(given(config, "board")),
        backends=parse_backends(given(config, "backend")),
        dry_run=bool(given(config, "backend-dry-run")),
        strict_boards=bool(given(config, "strict-boards")),
        late_boards=bool(given(config, "late-boards")),
        keep=bool(given(config, "keep")),
        keep_raw_console=bool(given(config, "keep-raw-console")),
        rig=rig,
        sec_tags=choose_sec_tags(given(config, "sec-tags"), rig, allow_destructive=allow_destructive),
        allow_destructive=allow_destructive,
        max_runtime=parse_max_runtime(given(config, "max-runtime")),
        rig_retries=parse_rig_retries(given(config, "rig-retries")),
        history=parse_history(given(config, "history"), _base_of(config, "history")),
        quarantine_for=parse_quarantine_for(given(config, "quarantine-for"), QUARANTINE_SECONDS),
        shard=parse_shard(given(config, "shard")),
        **deadlines,
    )


def _base_of(config: pytest.Config, name: str) -> Path:
    """Return the directory that a relative path of an option, or of its ini key, is meant from."""
    return config.rootpath if config.getoption(name) is None else config.invocation_params.dir


def _read_rig(config: pytest.Config) -> Rig | None:
    """Read the rig file that counts; a path is meant from where the option, or the ini file, is."""
    from harness.config import RIG_NAME, RIG_VARIABLE

    named = config.getoption("rig")
    base = config.invocation_params.dir
    if named is None:
        named, base = config.getini(ini_key("rig")), config.rootpath
    places = dict.fromkeys((config.invocation_params.dir, config.rootpath))
    there = any((place / RIG_NAME).is_file() for place in places)
    if not named and not there and not os.environ.get(RIG_VARIABLE):
        return None  # without a file nothing heavy is imported
    from harness.rig import find_rig

    return find_rig(base / named if named else None, places)
