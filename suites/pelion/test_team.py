"""A team's store: one makes the credentials, another provisions with them, and nobody else can read them."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness_pelion.provisioning import Wish, inject, prepare
from harness_pelion.stores import Stores, open_stores

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempts
    from harness_pelion.client import PelionClient
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

DEVICE = pytest.mark.board(driver="mbl", destructive=True)


@pytest.fixture
def first(tmp_path: Path) -> Stores:
    """The stores of somebody of the team."""
    home = tmp_path / "first"
    home.mkdir()
    return open_stores(home)


@pytest.fixture
def second(tmp_path: Path, first: Stores) -> Stores:
    """The stores of another one of the team: another home, the same team store."""
    home = tmp_path / "second"
    home.mkdir()
    own = home / "own"
    (home / ".mbl-stores.json").write_text(f'{{"user": "{own}", "team": "{first.team.directory}"}}')
    return open_stores(home)


def nobody_asks() -> PelionClient:
    """Stand for an account that is not needed."""
    raise AssertionError("the service was asked")


def modes(directory: Path) -> dict[str, int]:
    """Return the modes of a directory and of all that is in it."""
    paths = [directory, *directory.rglob("*")]
    return {str(path.relative_to(directory)): stat.S_IMODE(path.stat().st_mode) for path in paths}


@DEVICE
@pytest.mark.proves("team", "a second user provisions with what the first one made")
def test_second_user_provisions(
    board: LeasedBoard,
    attempts: Attempts,
    pelion: Any,
    first: Stores,
    second: Stores,
    developer: DeveloperCredentials,
    update: UpdateResources,
) -> None:
    """Names are all that the second one says: the store has the rest, and the service is not asked."""
    first.team.save(developer)
    first.team.save(update)

    found = prepare(
        Wish(certificate=developer.name, update=update.name), second.team, nobody_asks, lambda _text: None
    )

    assert found == (developer, update)
    attempt = attempts(*found)
    assert attempt.evidence.first_broken() is None
    assert pelion.device(attempt.device.id).ca_id == developer.endpoint_name
    assert board.driver.status().configured


@pytest.mark.backend("pelion", needs={"users"})
@pytest.mark.proves("team", "a second user fetches what only the account has")
def test_second_user_fetches(pelion: Any, first: Stores, second: Stores, update: UpdateResources) -> None:
    """A certificate that a colleague made, and did not keep, is fetched by its name and kept."""
    made = pelion.create_developer_certificate(pelion.own_name("shared"))
    user = pelion.as_user(pelion.new_user("second").api_key)
    first.team.save(update)
    said: list[str] = []

    developer, _update = prepare(
        Wish(certificate=made.name, update=update.name), second.team, lambda: user, said.append
    )

    assert developer == made.credentials()
    assert second.team.developer(made.name) == developer
    assert any("fetched" in text for text in said)


@pytest.mark.proves("team", "its store: the group reads, nobody else")
def test_modes_of_the_team_store(
    first: Stores, pelion: Any, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Directories 0750, files 0640: also those with a private key in them."""
    first.team.save(developer)
    first.team.save(update)

    found = modes(first.team.directory)

    assert len(found) == 1 + 1 + 2 + len(developer.files) + len(update.files)
    for path, mode in found.items():
        is_directory = (first.team.directory / path).is_dir()
        assert mode == (0o750 if is_directory else 0o640), path
    assert pelion.trusted_certificate(developer.endpoint_name).name == developer.name


@pytest.mark.proves("team", "the user store: nobody else reads")
def test_modes_of_the_user_store(first: Stores, pelion: Any) -> None:
    """Directory 0700, file 0600; the key that is kept is the one that opens the account."""
    key = pelion.create_api_key(pelion.own_name("kept")).key
    first.user.save_api_key(key)

    assert modes(first.user.directory) == {".": 0o700, "config.json": 0o600}
    kept = first.user.api_key()
    assert kept is not None
    assert pelion.as_user(kept).account().id == pelion.account().id


@pytest.mark.proves("team", "an API key that others can read is not used")
def test_key_that_others_can_read(first: Stores, pelion: Any) -> None:
    """The file is named, and what to do."""
    key = pelion.create_api_key(pelion.own_name("kept")).key
    first.user.save_api_key(key)
    first.user.directory.chmod(0o755)
    first.user.config_file.chmod(0o644)

    with pytest.raises(UsageError, match="others can read your API key") as caught:
        first.user.api_key()

    assert key not in str(caught.value)


@DEVICE
@pytest.mark.proves("team", "its store was deleted: fetched again")
def test_deleted_team_store(
    board: LeasedBoard,
    pelion: Any,
    first: Stores,
    developer: DeveloperCredentials,
    update: UpdateResources,
) -> None:
    """The service still has the certificate; the update resources have to be given again."""
    first.team.save(developer)
    first.team.save(update)
    shutil.rmtree(first.team.directory)
    wish = Wish(certificate=developer.name, update=update.name)
    with pytest.raises(UsageError, match="not found in the store"):
        prepare(wish, first.team, lambda: pelion, lambda _text: None)

    first.team.save(update)
    found = prepare(wish, first.team, lambda: pelion, lambda _text: None)

    assert found[0] == developer
    board.driver.prepare()
    assert inject(board.driver.device, *found).ok
    assert board.driver.status().configured


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            "{ user: ~/.mbl-store/user }",
            "is no JSON",
            marks=pytest.mark.proves("team", "a stores file that is no JSON is left alone"),
            id="as in the product's document",
        ),
        pytest.param(
            "",
            "is no JSON",
            marks=pytest.mark.proves("team", "an empty stores file is left alone"),
            id="empty",
        ),
        pytest.param(
            '["user", "team"]',
            "holds no object",
            marks=pytest.mark.proves("team", "a stores file of another form is left alone"),
            id="a list",
        ),
        pytest.param(
            '{"user": "/somewhere"}',
            "names no directory",
            marks=pytest.mark.proves("team", "a stores file without a team store is left alone"),
            id="no team",
        ),
    ],
)
def test_unfit_stores_file(tmp_path: Path, pelion: Any, content: str, said: str) -> None:
    """The file is named and not replaced, where the public client replaces it by its defaults."""
    file = tmp_path / ".mbl-stores.json"
    file.write_text(content)

    with pytest.raises(UsageError, match=said) as caught:
        open_stores(tmp_path)

    assert str(file) in str(caught.value)
    assert file.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert pelion.certificates_made == ()
