"""Whether the sessions of all users of the host see each other's leases."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.doctor.findings import Finding, Level, fine
from harness.inventory.lease_directory import (
    COMMON_DIRECTORY,
    LEASE_DIRECTORY_VARIABLE,
    SHARED_MODE,
    make_shared,
    mending_command,
    unfit_for_all,
)

CHECK = "leases"
_FILE_MODE = stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
_WHY = "Sessions of other users do not see which boards yours hold, nor yours theirs: both may use one board."


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseFacts:
    """What is known of the directory of leases.

    :ivar there: whether something of its name exists.
    :ivar named: whether the environment names it.
    :ivar unfit: why it is not fit for all users; ``None``: it is, or is not there.
    :ivar can_be_made: whether this user may make it.
    :ivar owner: user id of its owner; ``None`` when it is not there.
    :ivar owner_name: name of its owner.
    :ivar uid: who asks.
    :ivar closed_files: leases in it that not everybody may use.
    :ivar strange_files: what is in it and is no file.
    """

    directory: Path
    there: bool
    named: bool
    unfit: str | None
    can_be_made: bool
    owner: int | None
    owner_name: str
    uid: int
    closed_files: tuple[Path, ...] = ()
    strange_files: tuple[Path, ...] = ()


def look() -> LeaseFacts:
    """Look at the directory that sessions would use for hardware."""
    named = os.environ.get(LEASE_DIRECTORY_VARIABLE)
    directory = Path(named) if named else COMMON_DIRECTORY
    there = os.path.lexists(directory)
    owner = None
    modes: dict[Path, int] = {}
    if there:
        with suppress(OSError):
            status = directory.lstat()
            owner = status.st_uid
            if stat.S_ISDIR(status.st_mode):  # a link leads to files that are none of ours
                modes = {file: file.lstat().st_mode for file in sorted(directory.iterdir())}
    return LeaseFacts(
        directory=directory,
        there=there,
        named=bool(named),
        unfit=unfit_for_all(directory) if there else None,
        can_be_made=os.access(directory.parent, os.W_OK | os.X_OK),
        owner=owner,
        owner_name=_user_name(owner),
        uid=os.getuid(),
        closed_files=tuple(
            file for file, mode in modes.items() if stat.S_ISREG(mode) and mode & _FILE_MODE != _FILE_MODE
        ),
        strange_files=tuple(file for file, mode in modes.items() if not stat.S_ISREG(mode)),
    )


def _user_name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "nobody"
    except KeyError:
        return f"uid {uid}"


def judge(facts: LeaseFacts) -> list[Finding]:
    """Say whether the directory is there and fit, and its files too."""
    return [_judge_directory(facts), *_judge_files(facts)]


def _judge_directory(facts: LeaseFacts) -> Finding:
    place = str(facts.directory)
    if facts.named:
        place += f" (named by {LEASE_DIRECTORY_VARIABLE} or the rig file)"
    if not facts.there:
        if facts.can_be_made:
            return Finding(
                check=CHECK,
                level=Level.OK,
                what=f"{place} is not there yet; the first session on hardware makes it",
                fixable=True,
            )
        return _unshared(facts, f"{place} is not there, and you may not make it")
    if facts.unfit is not None:
        return _unshared(facts, f"{place} {facts.unfit}", fixable=_is_mendable(facts))
    if facts.owner not in {0, facts.uid}:
        return Finding(
            check=CHECK,
            level=Level.WARNING,
            what=f"{place} is shared by all users, but belongs to {facts.owner_name}",
            why=f"{facts.owner_name} may remove leases of others, and with them the protection.",
            commands=(f"sudo chown root {facts.directory}",),
        )
    return fine(CHECK, f"{place} is shared by all users of this host")


def _unshared(facts: LeaseFacts, what: str, *, fixable: bool = False) -> Finding:
    commands = [mending_command(facts.directory)]
    if facts.directory.is_relative_to("/run") and Path("/run/systemd/system").is_dir():
        # /run is empty after each start of the host.
        line = f"d {facts.directory} {SHARED_MODE:o} root root -"
        commands.append(f"echo '{line}' | sudo tee /etc/tmpfiles.d/harness-leases.conf")
    return Finding(
        check=CHECK,
        level=Level.PROBLEM,
        what=what,
        why=_WHY,
        commands=() if fixable else tuple(commands),
        fixable=fixable,
    )


def _is_mendable(facts: LeaseFacts) -> bool:
    """Whether we may mend it: a directory, of ours or root's to change, with a wrong mode."""
    return facts.uid in {0, facts.owner} and facts.directory.is_dir() and not facts.directory.is_symlink()


def _judge_files(facts: LeaseFacts) -> list[Finding]:
    findings = []
    for files, what, command in (
        (facts.closed_files, "not everybody may use {}", "sudo chmod 0666 {}"),
        (facts.strange_files, "no file that could be locked: {}", "sudo rm -r {}"),
    ):
        if files:
            names = shlex.join(map(str, files))
            findings.append(
                Finding(
                    check=CHECK,
                    level=Level.PROBLEM,
                    what=what.format(names),
                    why="The boards behind it cannot be leased by everybody.",
                    commands=(command.format(names),),
                )
            )
    return findings


def mend(facts: LeaseFacts) -> list[str]:
    """Make the directory, or give ours the right mode.

    :return: what was done.
    """
    directory = facts.directory
    if not facts.there and facts.can_be_made:
        make_shared(directory)
        return [f"made {directory} for all users"]
    if facts.unfit is not None and _is_mendable(facts):
        directory.chmod(SHARED_MODE)
        return [f"gave {directory} mode {SHARED_MODE:o}"]
    return []
