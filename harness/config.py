"""Options and environment, parsed into frozen, validated settings.

Pure: strings in, settings or one :class:`~harness.errors.UsageError` out. Neither pytest nor typer is
imported here; both front doors hand their strings over.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.rig import Rig

DEFAULT_VIRTUAL_BOARDS = 1
#: Security tags that suites may use on a board, unless told others.
RESERVED_SEC_TAGS = range(910_000_000, 910_000_010)
#: The installation of a real service that is for everybody.
REAL_STAGE = "prod"
#: The tag of the credentials that connect a board to its service in the field.
FIELD_SEC_TAG = 16_842_753
#: How long a board that does not answer stays out of sessions, unless told otherwise.
QUARANTINE_SECONDS = 24 * 3600.0
#: How long an attached board that went away in mid-test is waited for, unless told otherwise.
RECONNECT_SECONDS = 10.0
RIG_NAME = "rig.toml"
RIG_VARIABLE = "HARNESS_RIG"
_FORMS = "NAME=fake, NAME=real or NAME=URL"
_HIGHEST_SEC_TAG = 2_147_483_647
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchChoice:
    """Which bench a session uses.

    :ivar kind: ``virtual`` or ``attached``.
    :ivar socket: control socket of a running virtual bench to attach to; ``None`` starts one of our own.
    """

    kind: Literal["virtual", "attached"]
    socket: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardsWanted:
    """What ``--boards`` asked for.

    :ivar count: number of boards of any kind; ``None`` when kinds are named or nothing was said.
    :ivar kinds: number of boards by kind.
    """

    count: int | None = None
    kinds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendChoice:
    """What ``--backend NAME=VALUE`` asked for.

    :ivar mode: ``fake`` (start one), ``url`` (use the service at ``url``) or ``real``.
    :ivar url: where a service is that has no stage; ``None`` for a fake and for a stage of the real service.
    :ivar stage: which of the installations of the real service.
    """

    name: str
    mode: Literal["fake", "url", "real"]
    url: str | None = None
    stage: str = REAL_STAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """What a session allows with its boards; a driver obeys it.

    :ivar sec_tags: the security tags that may be written and deleted; ``None``: the driver's own choice.
    :ivar allow_destructive: other things may be changed too, and nobody promises to put them back.
    :ivar reconnect_seconds: how long a console waits for its board that went away; ``None``:
        :data:`RECONNECT_SECONDS`, and not at all on a virtual bench, where it goes away on purpose.
    """

    sec_tags: range | None = None
    allow_destructive: bool = False
    reconnect_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a session was told, validated.

    :ivar bench: ``None``: the plugin is idle.
    :ivar boards: how many boards of which kinds.
    :ivar board_ids: use only these boards.
    :ivar backends: by name.
    :ivar dry_run: a test ends where it would change something in a service that is no fake.
    :ivar strict_boards: a need that no board meets is a failure instead of a skip.
    :ivar late_boards: attached boards that are plugged in while tests run are used, too.
    :ivar return_deadline: seconds to wait for the return of a lost board that tests need.
    :ivar keep: leave board and service as they are after a failure.
    :ivar keep_raw_console: keep the unredacted console captures of the session.
    :ivar test_deadline: seconds that one test may take; 0 means no limit.
    :ivar lease_deadline: seconds to wait for boards that other sessions hold.
    :ivar rig: the rig file that counts, if there is one.
    :ivar sec_tags: security tags that suites may use.
    :ivar allow_destructive: tests may change on attached boards what nobody can put back.
    :ivar reconnect: see :attr:`BoardSettings.reconnect_seconds`.
    :ivar max_runtime: seconds after the first test's start when nothing more is begun; ``None``: no limit.
    :ivar rig_retries: how often a test that failed by the rig is run again, on another board.
    :ivar history: file of what earlier runs came to; ``None``: that of the state directory; ``off``: none.
    :ivar quarantine_for: seconds that a board which cannot be recovered stays out of sessions; ``None``: it
        is given up for this one only.
    :ivar shard: which part of the tests to run, and of how many; ``None``: all.
    """

    bench: BenchChoice | None = None
    boards: BoardsWanted = field(default_factory=BoardsWanted)
    board_ids: tuple[str, ...] = ()
    backends: dict[str, BackendChoice] = field(default_factory=dict)
    dry_run: bool = False
    strict_boards: bool = False
    late_boards: bool = False
    return_deadline: float = 60.0
    keep: bool = False
    keep_raw_console: bool = False
    test_deadline: float = 120.0
    lease_deadline: float = 30.0
    rig: Rig | None = None
    sec_tags: range = RESERVED_SEC_TAGS
    allow_destructive: bool = False
    reconnect: float | None = None
    max_runtime: float | None = None
    rig_retries: int = 0
    history: Path | Literal["off"] | None = None
    quarantine_for: float | None = QUARANTINE_SECONDS
    shard: tuple[int, int] | None = None

    @property
    def for_boards(self) -> BoardSettings:
        """What a driver has to know of it."""
        return BoardSettings(
            sec_tags=self.sec_tags,
            allow_destructive=self.allow_destructive,
            reconnect_seconds=self.reconnect,
        )

    @property
    def house_rules(self) -> tuple[tuple[str, str], ...]:
        """What a session may do with hardware, in words; nothing of a session without."""
        if self.bench is None or self.bench.kind != "attached":
            return ()
        rules = (
            ("security tags", f"{self.sec_tags[0]}-{self.sec_tags[-1]}"),
            ("allow destructive", "YES, boards may be changed for good" if self.allow_destructive else "no"),
        )
        return rules if self.rig is None else (("rig", self.rig.name), *rules)


def parse_bench(text: str | None) -> BenchChoice | None:
    """Parse ``--bench virtual``, ``--bench virtual=SOCKET`` or ``--bench attached``.

    :raises UsageError: any other text.
    """
    if not text:
        return None
    kind, _, socket = text.partition("=")
    if kind == "virtual":
        return BenchChoice(kind="virtual", socket=Path(socket) if socket else None)
    if text == "attached":
        return BenchChoice(kind="attached")
    raise UsageError(
        "no such bench", key="--bench", value=text, expected="virtual, virtual=SOCKET or attached"
    )


def parse_boards(text: str | None) -> BoardsWanted:
    """Parse ``--boards N`` or ``--boards KIND=N,...``.

    :raises UsageError: not a positive number, or a kind named twice.
    """
    if not text:
        return BoardsWanted()
    if "=" not in text:
        return BoardsWanted(count=_positive(text, text))
    kinds: dict[str, int] = {}
    for part in text.split(","):
        kind, _, number = part.partition("=")
        kind = kind.strip()
        if not kind:
            raise UsageError("no kind", key="--boards", value=text, expected="N or KIND=N,...")
        if kind in kinds:
            raise UsageError("kind named twice", key="--boards", value=text, expected="each KIND once")
        kinds[kind] = _positive(number, text)
    return BoardsWanted(kinds=kinds)


def _positive(number: str, text: str) -> int:
    digits = number.strip(" ")
    # Other programs' idea of a blank or of a digit, and numbers that no host could serve, are refused.
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    value = int(digits) if plain else 0
    if value < 1:
        raise UsageError("not a number of boards", key="--boards", value=text, expected="N or KIND=N,...")
    return value


def parse_backends(texts: list[str] | tuple[str, ...]) -> dict[str, BackendChoice]:
    """Parse every ``--backend NAME=fake``, ``NAME=real``, ``NAME=real:STAGE`` or ``NAME=URL``.

    ``NAME=real:URL`` is the real service at an address of its own.

    :raises UsageError: malformed, or named twice.
    """
    choices: dict[str, BackendChoice] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name or not value:
            raise UsageError("malformed", key="--backend", value=text, expected=_FORMS)
        if name in choices:
            raise UsageError("backend named twice", key="--backend", value=text, expected="each NAME once")
        choices[name] = _backend_choice(name, value)
    return choices


def _backend_choice(name: str, value: str) -> BackendChoice:
    if value == "fake":
        return BackendChoice(name=name, mode="fake")
    kind, colon, where = value.partition(":")
    if kind == "real":
        if not colon:
            return BackendChoice(name=name, mode="real")
        if re.fullmatch(r"[a-z][a-z0-9-]*", where):
            return BackendChoice(name=name, mode="real", stage=where)
        if is_service_address(where):
            return BackendChoice(name=name, mode="real", url=where.rstrip("/"))
        raise UsageError(
            "no such stage", key="--backend", value=value, expected="real, real:STAGE or real:URL"
        )
    if not is_service_address(value):
        raise UsageError(
            "not an address", key="--backend", value=value, expected="fake, real or an http(s) URL"
        )
    return BackendChoice(name=name, mode="url", url=value.rstrip("/"))


def is_service_address(text: str) -> bool:
    """Tell whether a text is the address of a service, by HTTP or HTTPS."""
    try:
        address = urlsplit(text)
        return address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:  # a bracket or a port that is none
        return False


def parse_seconds(option: str, text: str) -> float:
    """Parse a number of seconds.

    :param option: the option that gave it, for the message.
    :raises UsageError: not a finite number, or less than 0.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError("not a number of seconds", key=option, value=text, expected="0 or more")
    return seconds


def parse_sec_tags(
    text: str, *, allow_destructive: bool, key: str = "--sec-tags", file: Path | None = None
) -> range:
    """Parse ``FIRST-LAST``, the security tags that suites may use.

    :param allow_destructive: whether the tag of the field credentials may be among them.
    :param key: the option or key that gave it, for the message.
    :param file: the file that gave it, for the message.
    :raises UsageError: not a range of tags, or the tag of the field credentials is in it.
    """
    first_text, _, last_text = (part.strip(" ") for part in text.partition("-"))
    numbers = [
        int(part)
        for part in (first_text, last_text)
        if part.isascii() and part.isdigit() and len(part) <= len(str(_HIGHEST_SEC_TAG))
    ]
    if len(numbers) != 2 or not numbers[0] <= numbers[1] <= _HIGHEST_SEC_TAG:  # noqa: PLR2004 - two ends
        raise UsageError(
            "not a range of security tags",
            file=file,
            key=key,
            value=text,
            expected=f"FIRST-LAST, 0 to {_HIGHEST_SEC_TAG}, for example 910000000-910000009",
        )
    tags = range(numbers[0], numbers[1] + 1)
    if FIELD_SEC_TAG in tags and not allow_destructive:
        raise UsageError(
            f"holds {FIELD_SEC_TAG}, the tag of the credentials that a board is used with in the field",
            file=file,
            key=key,
            value=text,
            expected="other tags, or --allow-destructive",
        )
    return tags


def choose_sec_tags(option: str, rig: Rig | None, *, allow_destructive: bool) -> range:
    """Return the security tags that suites may use: the option counts, then the rig file.

    :param option: what the option says; empty when nothing.
    :raises UsageError: see :func:`parse_sec_tags`.
    """
    if option:
        return parse_sec_tags(option, allow_destructive=allow_destructive)
    if rig is not None and rig.sec_tags is not None:
        return parse_sec_tags(
            rig.sec_tags, allow_destructive=allow_destructive, key="sec_tags", file=rig.file
        )
    return RESERVED_SEC_TAGS


def runtime_directory() -> Path:
    """Return where sessions of this user keep sockets, links and leases while they run.

    ``HARNESS_RUNTIME_DIR`` if set, else a directory of the user's own below ``XDG_RUNTIME_DIR`` or the
    system's directory for temporary files. It is made with mode 0700 when it does not exist.
    """
    named = os.environ.get("HARNESS_RUNTIME_DIR")
    base = os.environ.get("XDG_RUNTIME_DIR")
    if named:
        directory = Path(named)
    elif base and os.access(base, os.W_OK):
        directory = Path(base) / "harness"
    else:
        directory = Path(tempfile.gettempdir()) / f"harness-{os.getuid()}"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise UsageError("belongs to another user", file=directory, key="HARNESS_RUNTIME_DIR")
    return directory
