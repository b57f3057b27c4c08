"""Who may read the stores: modes and groups, from the first byte."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness_pelion.stores import TeamStore
from tests.pelion.stores.looking import KEY, mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness_pelion.resources import DeveloperCredentials
    from harness_pelion.stores import Stores


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the umask is."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("any_umask")
def test_modes(stores: Stores, developer: DeveloperCredentials) -> None:
    """The user store is its owner's alone, the team store its group's too, whatever the umask."""
    stores.user.save_api_key(KEY)
    stores.team.save(developer)

    user, team = stores.user.directory, stores.team.directory
    assert (mode(user), mode(user / "config.json")) == ("0700", "0600")
    assert (mode(team), mode(team / "config.json"), mode(team / "dev")) == ("0750", "0640", "0750")
    assert {mode(file) for file in (team / "dev").iterdir()} == {"0640"}


@pytest.mark.usefixtures("any_umask")
def test_modes_from_the_first_byte(
    stores: Stores, developer: DeveloperCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file has any byte before it has its mode."""
    seen: list[tuple[str, int]] = []
    real = os.fchmod

    def watch(descriptor: int, wanted: int) -> None:
        before = os.fstat(descriptor)
        if stat.S_ISREG(before.st_mode):
            seen.append((f"{stat.S_IMODE(before.st_mode) & 0o177:04o}", before.st_size))
        real(descriptor, wanted)

    monkeypatch.setattr(os, "fchmod", watch)
    stores.user.save_api_key(KEY)
    stores.team.save(developer)

    assert len(seen) == 1 + 1 + len(developer.files)
    assert set(seen) == {("0000", 0)}


def test_key_that_others_can_read(stores: Stores) -> None:
    """A key in a file and a directory that others can read is not used before that is mended."""
    stores.user.save_api_key(KEY)
    stores.user.directory.chmod(0o755)
    assert stores.user.api_key() == KEY
    (stores.user.directory / "config.json").chmod(0o644)

    with pytest.raises(
        UsageError, match="others can read your API key; expected mode 0600: chmod 600"
    ) as raised:
        stores.user.api_key()

    assert KEY not in str(raised.value)


def test_group_of_the_team_store_stays(tmp_path: Path, developer: DeveloperCredentials) -> None:
    """Everything in a team store has the group of its directory, whether or not that hands it on.

    Who has one group only sees that modes stay; ``tests/soak/test_two_users_of_a_store.py`` is for root, too.
    """
    other = next((group for group in os.getgroups() if group != os.getgid()), os.getgid())
    if os.getuid() == 0:
        other = 4242
    for name, bits in (("handing-on", 0o2750), ("plain", 0o750)):
        directory = tmp_path / name
        directory.mkdir()
        os.chown(directory, -1, other)
        directory.chmod(bits)
        TeamStore(directory).save(developer)

        below = [directory / "dev", directory / "config.json", *(directory / "dev").iterdir()]
        assert {path.stat().st_gid for path in below} == {other}
        assert mode(directory) == f"{bits:04o}"
        assert mode(directory / "dev") == f"{bits:04o}"
