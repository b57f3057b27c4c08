"""``rig.toml``: what is attached to one host, and how its boards may be used.

The keys are those of :class:`RigFile` and its parts; ``docs/reference/rig.md`` explains them to people, and
``docs/reference/rig.schema.json`` to editors. The first file that is found counts: the one that is named by
``--rig``, the one that ``HARNESS_RIG`` names, ``rig.toml`` of the directory that one is in, ``rig.toml`` of
pytest's root directory.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError

from harness.config import RIG_NAME, RIG_VARIABLE, parse_sec_tags
from harness.errors import UsageError
from harness.health.power_commands import TABLE, read_commands
from harness.inventory.board import GRANTED
from harness.toml_files import Part, dotted, first_mistake, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLUGINS_VARIABLE = "HARNESS_PLUGINS"
LEASE_DIRECTORY_VARIABLE = "HARNESS_LEASE_DIR"

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
Text = Annotated[str, Field(min_length=1)]
#: What a vendor's table may hold: whatever can be handed to another process as it is.
Plain = str | int | float | bool | list[str | int | float | bool]


class RigEndpoint(Part):
    """Where one serial endpoint of a board is, and what of its profile does not hold for it.

    :ivar url: a device path or any pyserial URL.
    :ivar interface: number of its interface on the board's USB device, in the place of a URL.
    :ivar baud: line speed in bits per second.
    :ivar discipline: line discipline that is spoken, for example ``at-host``.
    :ivar rtscts: hardware flow control.
    :ivar dtr: state of DTR to set before opening.
    :ivar rts: state of RTS to set before opening.
    """

    url: Text | None = None
    interface: Annotated[int, Field(ge=0, le=255)] | None = None
    baud: Annotated[int, Field(ge=50, le=12_000_000)] | None = None
    discipline: Name | None = None
    rtscts: bool | None = None
    dtr: bool | None = None
    rts: bool | None = None


class RigSsh(Part):
    """Where a board is reached by SSH. Without a key and a password it lets anybody in.

    :ivar host: its name or address.
    :ivar port: its TCP port.
    :ivar user: whom to log in as.
    :ivar key_file: file of the private key to log in with; a relative path is meant from the rig file.
    :ivar password_file: file of the password to log in with, for its owner alone; a relative path as above.
    :ivar password_env: name of the environment variable that holds the password, in the place of a file.
    :ivar host_key: the key by which the board is known, kind and base64, as ``ssh-keyscan`` writes them.
    """

    host: Annotated[str, Field(pattern=r"^[^\s@/]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Annotated[str, Field(pattern=r"^[^\s@:/]+$")] = "root"
    key_file: Text | None = None
    password_file: Text | None = None
    password_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    host_key: Annotated[str, Field(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$")]


def _address_alone(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


EndpointOrAddress = Annotated[
    RigEndpoint, BeforeValidator(_address_alone, json_schema_input_type=Text | RigEndpoint)
]


class Capabilities(Part):
    """What tells one board from others of its kind.

    :ivar add: capabilities that it has and its kind has not.
    :ivar remove: capabilities that its kind has and it has not.
    """

    add: list[Name] = Field(default_factory=list)
    remove: list[Name] = Field(default_factory=list)


class RigBoard(Part):
    """One board of the rig.

    :ivar id: what it is called; without it the USB serial number, or the identity where there is none.
    :ivar profile: its kind; without it the one that fits the USB device.
    :ivar usb_serial: serial number that its ports show on USB.
    :ivar identity: who the board says it is when it is asked; counts before everything else.
    :ivar location: the chain of hub ports where it was last; a hint beside a serial number or an identity.
    :ivar endpoints: where its serial endpoints are, by role; each a table, or its URL alone.
    :ivar ssh: where it is reached by SSH.
    :ivar capabilities: what tells it from others of its kind.
    :ivar properties: facts that are no secret, for reports and drivers.
    :ivar control: tables for plugins that switch its power or write its firmware, by their own names.
    """

    id: Annotated[str, Field(pattern=r"^[^\s/][^\s]*$")] | None = None
    profile: Name | None = None
    usb_serial: Text | None = None
    identity: Annotated[str, Field(pattern=r"^[^\s/][^\s]*$")] | None = None
    location: Annotated[str, Field(pattern=r"^[0-9]+-[0-9]+(\.[0-9]+)*$")] | None = None
    endpoints: dict[Name, EndpointOrAddress] = Field(default_factory=dict)
    ssh: RigSsh | None = None
    capabilities: Capabilities = Field(default_factory=Capabilities)
    properties: dict[Name, str] = Field(default_factory=dict)
    control: dict[Name, dict[str, Plain]] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the board is called."""
        return self.id or self.usb_serial or self.identity or ""


class LeaseSettings(Part):
    """How boards are leased.

    :ivar directory: where the leases of this host's boards are, the same for all of its users.
    """

    directory: Annotated[str, Field(pattern=r"^/")] | None = None


class RigFile(Part):
    """The whole file.

    :ivar name: what the rig is called in headers and reports.
    :ivar plugins: modules to load as plugins.
    :ivar sec_tags: security tags that suites may use, FIRST-LAST.
    :ivar leases: how boards are leased.
    :ivar board: the boards.
    """

    name: Text | None = None
    plugins: list[Text] = Field(default_factory=list)
    sec_tags: Annotated[str, Field(pattern=r"^[0-9]{1,10}-[0-9]{1,10}$")] | None = None
    leases: LeaseSettings = Field(default_factory=LeaseSettings)
    board: list[RigBoard] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A rig file that was read and checked.

    :ivar file: where it is.
    :ivar name: what the rig is called; its directory's name without one.
    :ivar plugins: modules to load as plugins.
    :ivar sec_tags: security tags that suites may use, as they are written.
    :ivar lease_directory: where the leases of this host's boards are.
    :ivar boards: its boards.
    """

    file: Path
    name: str
    plugins: tuple[str, ...] = ()
    sec_tags: str | None = None
    lease_directory: str | None = None
    boards: tuple[RigBoard, ...] = ()

    @contextmanager
    def in_force(self) -> Iterator[Self]:
        """Let the processes that we start know the rig's plugins and leases, until the block ends.

        They are told by the environment, which reaches workers, bench and fakes alike. Where a variable says
        something else about the leases already, that counts.
        """
        named = [name.strip() for name in os.environ.get(PLUGINS_VARIABLE, "").split(",")]
        changed = {PLUGINS_VARIABLE: ",".join(dict.fromkeys(filter(None, (*named, *self.plugins))))}
        if self.lease_directory is not None:
            changed[LEASE_DIRECTORY_VARIABLE] = os.environ.get(LEASE_DIRECTORY_VARIABLE, self.lease_directory)
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        try:
            yield self
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def find_rig(named: Path | None, directories: Iterable[Path]) -> Rig | None:
    """Read the rig file that counts.

    :param named: the file that an option names.
    :param directories: where ``rig.toml`` is looked for when none is named.
    :return: the rig, or ``None`` when there is no file.
    :raises UsageError: the file that is named does not exist, or one that counts does not fit.
    """
    by_variable = os.environ.get(RIG_VARIABLE)
    if named is None and by_variable:
        named = Path(by_variable)
        if not named.is_file():
            raise UsageError("no such file", key=RIG_VARIABLE, value=by_variable, expected="a rig file")
    if named is not None:
        return load_rig(named)
    found = next((file for file in (one / RIG_NAME for one in directories) if file.is_file()), None)
    return None if found is None else load_rig(found)


def load_rig(file: Path) -> Rig:
    """Read one rig file.

    :param file: the file.
    :raises UsageError: it cannot be read or does not fit.
    """
    data = read_toml(file)
    try:
        contents = RigFile.model_validate(data)
    except ValidationError as error:
        raise first_mistake(file, error, RigFile) from error
    if contents.sec_tags is not None:  # which tags are forbidden follows from the session's options
        parse_sec_tags(contents.sec_tags, allow_destructive=True, key="sec_tags", file=file)
    _check_boards(file, contents.board)
    return Rig(
        file=file,
        name=contents.name or file.absolute().parent.name,
        plugins=tuple(contents.plugins),
        sec_tags=contents.sec_tags,
        lease_directory=contents.leases.directory,
        boards=tuple(contents.board),
    )


def _check_boards(file: Path, boards: list[RigBoard]) -> None:
    """Check what concerns several keys at once.

    :raises UsageError: a board cannot be found by what is said of it, or two are one.
    """
    seen: dict[str, str] = {}
    sharing = Counter(board.usb_serial for board in boards)
    unclear = {board.usb_serial for board in boards if not (board.id and (board.identity or board.location))}
    for number, board in enumerate(boards):
        where = dotted(("board", number))
        _check_findable(file, where, board)
        _check_endpoints(file, where, board)
        _check_ssh(file, where, board)
        if TABLE in board.control:
            read_commands(board.control[TABLE], f"{where}.control.{TABLE}", file)
        for key, kind, value in _claims(
            board,
            shared=sharing[board.usb_serial] > 1,
            told_apart=board.usb_serial not in unclear,
        ):
            other = seen.setdefault(f"{kind} {value}", where)
            if other != where:
                raise UsageError(
                    f"is that of {other} already",
                    file=file,
                    key=f"{where}.{key}",
                    value=value,
                    expected=_ONCE.get(key, "a board once"),
                )
        granted = GRANTED.intersection(board.capabilities.add)
        if granted:
            raise UsageError(
                "no file gives this capability; it follows from how a session uses the board",
                file=file,
                key=f"{where}.capabilities.add",
                value=min(granted),
                expected="other capabilities",
            )


_OR_SSH = {"endpoints": ", ssh of a board without serial ports"}
_ONCE = {"usb_serial": "a board once; boards that share it each with an id and an identity"}


def _claims(board: RigBoard, *, shared: bool, told_apart: bool) -> Iterator[tuple[str, str, str]]:
    """Give what no other board of the file may say of itself too.

    :param shared: other boards of the file have its USB serial number.
    :param told_apart: each of these says what else tells it from the others.
    :return: key, what it is, and its value.
    """
    # A name and a serial number are one space: without an id the serial number is the name.
    yield "id" if board.id else "usb_serial" if board.usb_serial else "identity", "name", board.name
    if board.usb_serial is not None and not (shared and told_apart):
        yield "usb_serial", "name", board.usb_serial
    if board.identity is not None:
        yield "identity", "identity", board.identity
    elif board.location is not None and (board.usb_serial is None or shared):
        yield "location", f"location of {board.usb_serial}", board.location
    for role, endpoint in board.endpoints.items():
        if endpoint.url is not None:
            yield f"endpoints.{role}", "endpoint", endpoint.url
    if board.ssh is not None:
        yield "ssh.host", "SSH", f"{board.ssh.host}:{board.ssh.port}"


def _check_findable(file: Path, where: str, board: RigBoard) -> None:
    """Refuse a board of which nothing says how it is found.

    :raises UsageError: a key is missing.
    """
    if board.usb_serial is not None or board.identity is not None:
        return
    keys: dict[str, object] = {"id": board.id}
    if board.location is None:
        keys |= {"profile": board.profile, "endpoints": board.endpoints or board.ssh}
    for key, value in keys.items():
        if value is None:
            raise UsageError(
                "missing key",
                file=file,
                key=f"{where}.{key}",
                expected=f"this key{_OR_SSH.get(key, '')}, or usb_serial, by which the board is found on USB",
            )


def _check_ssh(file: Path, where: str, board: RigBoard) -> None:
    """Refuse a password of which two things say where it is.

    :raises UsageError: a key is too many.
    """
    if board.ssh is not None and board.ssh.password_file is not None and board.ssh.password_env is not None:
        raise UsageError(
            "is said beside password_file",
            file=file,
            key=f"{where}.ssh.password_env",
            expected="one of the two",
        )


def _check_endpoints(file: Path, where: str, board: RigBoard) -> None:
    """Refuse endpoints of which nothing says where they are, or two things do.

    :raises UsageError: a key is missing or too many.
    """
    on_usb = board.usb_serial is not None or board.identity is not None or board.location is not None
    taken: dict[int, str] = {}
    for role, endpoint in board.endpoints.items():
        key = f"{where}.endpoints.{role}"
        if endpoint.url is None and not on_usb:
            raise UsageError(
                "missing key",
                file=file,
                key=f"{key}.url",
                expected="this key, or usb_serial, by which the board is found on USB",
            )
        if endpoint.interface is None:
            continue
        if endpoint.url is not None:
            raise UsageError(
                "is said beside url", file=file, key=f"{key}.interface", expected="one of the two"
            )
        other = taken.setdefault(endpoint.interface, role)
        if other != role:
            raise UsageError(
                f"is the interface of {other!r} already",
                file=file,
                key=f"{key}.interface",
                value=endpoint.interface,
                expected="one interface a role",
            )
