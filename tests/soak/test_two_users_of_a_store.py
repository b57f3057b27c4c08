"""A team store of Pelion's that several users share: who is of the team uses it, and nobody else does.

As root they are three users of the host. Else they are one user with three homes, and what the group may do
is done to the owner. ``HARNESS_SOAK_TWO_USERS=required`` makes it an error if several real users cannot be
had.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness_pelion.resources import DeveloperCredentials
from harness_pelion.stores import TeamStore

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER, MATE, STRANGER = 5001, 5002, 5003
TEAM = 6000
ENDPOINT = "MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME"
SECONDS = 60.0

# What each user does: imports as who may read this Python, then becomes the user for good.
USE = """
import os, sys
from pathlib import Path
home, uid, group = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
from harness_pelion.stores import open_stores
from harness_pelion.resources import UpdateResources
from harness.errors import UsageError
if os.getuid() == 0:
    os.setgroups([group]); os.setgid(uid); os.setuid(uid)
team = open_stores(home).team
mine = {name: bytes([uid % 256]) * 16 for name in UpdateResources.REQUIRED}
def attempt(action):
    try:
        return action()
    except UsageError as error:
        return f"refused: {error}"
print(attempt(lambda: team.developer("dev").endpoint_name))
print(attempt(lambda: team.save(UpdateResources("mine", mine))))
print(attempt(lambda: team.save(team.developer("dev"))))
"""


@pytest.fixture
def several() -> bool:
    """Whether several real users can be had."""
    real = os.getuid() == 0
    assert real or os.environ.get("HARNESS_SOAK_TWO_USERS") != "required", "only root can be other users"
    return real


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter."""
    directory = Path(tempfile.mkdtemp(prefix="h2s"))
    directory.chmod(0o755)
    yield directory
    for path in (directory / "shared", directory / "shared/team"):
        path.chmod(0o700)
    shutil.rmtree(directory)


def everything(team: Path) -> list[Path]:
    """Return a store and all that is in it."""
    return [team, *team.rglob("*")]


def make_store(place: Path, *, several: bool) -> Path:
    """Make a team store with developer credentials, and a home for each user."""
    shared = place / "shared"
    shared.mkdir()
    if several:
        os.chown(shared, OWNER, TEAM)
    shared.chmod(0o2770)
    for uid in (OWNER, MATE, STRANGER):
        home = place / str(uid)
        home.mkdir()
        (home / ".mbl-stores.json").write_text(
            json.dumps({"user": str(home / "user"), "team": str(shared / "team")})
        )
        if several:
            os.chown(home, uid, uid)
    files = {name: name.encode() for name in DeveloperCredentials.REQUIRED}
    TeamStore(shared / "team").save(DeveloperCredentials("dev", files))
    if several:
        for path in everything(shared / "team"):
            os.chown(path, OWNER, -1)
    return shared / "team"


def use(place: Path, uid: int, group: int) -> list[str]:
    """Use the store as a user; return what came of reading, of adding and of adding the same."""
    words = [sys.executable, "-c", USE, str(place / str(uid)), str(uid), str(group)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_team_of_users(place: Path, *, several: bool) -> None:
    """A second user of the team's group uses what the first one kept; a stranger does not."""
    team = make_store(place, several=several)
    groups = {path.stat().st_gid for path in everything(team)}
    assert groups == ({TEAM} if several else {place.stat().st_gid})
    assert use(place, OWNER, TEAM) == [ENDPOINT, "True", "False"]

    if not several:
        team.chmod(stat.S_IMODE(team.stat().st_mode) & ~0o200)  # as the group may: without writing
    read, wrote, again = use(place, MATE, TEAM)
    assert (read, again) == (ENDPOINT, "False")
    assert wrote.startswith(f"refused: {team}/.unfinished.")
    assert wrote.endswith("cannot be changed: Permission denied")

    if not several:
        team.parent.chmod(0)
    refused = f"refused: {team}: cannot be read: Permission denied"
    assert use(place, STRANGER, STRANGER) == [refused, refused, refused]
