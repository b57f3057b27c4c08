"""The stores: who may read them, what MBL CLI finds in them, and what becomes of half a certificate."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness_pelion.stores import TeamStore, UserStore, check_name, open_stores
from tests.pelion.stores.looking import KEY, mode

if TYPE_CHECKING:
    from pathlib import Path

    from harness_pelion.resources import DeveloperCredentials, UpdateResources
    from harness_pelion.stores import Stores


def config(directory: Path) -> Any:
    """What a store's index says."""
    return json.loads((directory / "config.json").read_text())


def test_layout_is_that_of_mbl_cli(stores: Stores, developer: DeveloperCredentials) -> None:
    """The index has MBL CLI's keys: the key in one store, absolute paths of each file in the other."""
    stores.user.save_api_key(f"  {KEY}\n")
    stores.team.save(developer)

    team = stores.team.directory
    assert config(stores.user.directory) == {
        "location": str(stores.user.directory),
        "api_key": KEY,
        "dev_certs": {},
    }
    assert config(team) == {
        "location": str(team),
        "api_key": "",
        "dev_certs": {"dev": [str(team / "dev" / f"{name}.bin") for name in developer.files]},
    }
    assert (team / "dev" / "MBED_CLOUD_DEV_MANUFACTURER.bin").read_bytes() == b"MBED_CLOUD_DEV_MANUFACTURER"


def test_what_is_kept_comes_back(
    stores: Stores, developer: DeveloperCredentials, update: UpdateResources, tmp_path: Path
) -> None:
    """Another process finds the same."""
    stores.user.save_api_key(KEY)
    assert stores.team.save(developer)
    assert stores.team.save(update)

    again = open_stores(tmp_path)
    assert again.user.api_key() == KEY
    assert again.team.developer("dev") == developer
    assert again.team.update("upd") == update
    assert again.team.names() == {"dev": "developer credentials", "upd": "update resources"}


def test_a_store_of_mbl_cli_is_read(tmp_path: Path, update: UpdateResources) -> None:
    """What MBL CLI wrote, with its modes, is used as it is: the directory keeps others from the key."""
    user, team = tmp_path / ".mbl-store/user", tmp_path / ".mbl-store/team"
    (tmp_path / ".mbl-stores.json").write_text(json.dumps({"user": str(user), "team": str(team)}))
    user.mkdir(parents=True)
    user.chmod(0o700)
    (user / "config.json").write_text(
        json.dumps({"location": str(user), "api_key": KEY, "dev_certs": {}, "more": [1]})
    )
    (team / "u").mkdir(parents=True)
    for name, content in update.bin_files.items():
        (team / "u" / name).write_bytes(content)
    paths = [str(team / "u" / name) for name in update.bin_files]
    (team / "config.json").write_text(json.dumps({"location": str(team), "dev_certs": {"u": paths}}))

    stores = open_stores(tmp_path)

    assert stores.user.api_key() == KEY
    assert stores.team.update("u") == replace(update, name="u")
    stores.user.save_api_key("ak_2")
    assert config(user)["more"] == [1], "what we do not know stays"
    assert mode(user / "config.json") == "0600"


@pytest.mark.parametrize("key", ["", "  ", "two words", "umlaut\u00e9", "tab\there"])
def test_no_key(stores: Stores, key: str) -> None:
    """What cannot be a key is not kept, and not shown."""
    with pytest.raises(UsageError) as raised:
        stores.user.save_api_key(key)

    assert str(raised.value) == "no API key; expected one word of printable characters"
    assert not stores.user.directory.exists()
    assert stores.user.api_key() is None


def test_nothing_is_made_by_looking(stores: Stores, tmp_path: Path) -> None:
    """Stores that are not there yet, or were deleted, are empty."""
    assert stores.team.names() == {}
    assert stores.team.developer("dev") is None
    assert stores.team.delete("dev") is False
    assert stores.user.api_key() is None
    assert not (tmp_path / ".mbl-store").exists()


def test_deleted_team_store(stores: Stores, developer: DeveloperCredentials) -> None:
    """A team store that was deleted is empty, and made again when something is kept."""
    stores.team.save(developer)
    shutil.rmtree(stores.team.directory)

    assert stores.team.developer("dev") is None
    assert stores.team.save(developer)
    assert stores.team.developer("dev") == developer


def test_a_place_that_is_not_there(tmp_path: Path, developer: DeveloperCredentials) -> None:
    """A team store on a disk that is not mounted is not made somewhere below."""
    (tmp_path / ".mbl-stores.json").write_text(
        json.dumps({"user": str(tmp_path / "u"), "team": str(tmp_path / "disk/share/team")})
    )
    stores = open_stores(tmp_path)

    with pytest.raises(UsageError, match="the store cannot be made: No such file or directory"):
        stores.team.save(developer)

    assert not (tmp_path / "disk").exists()


def test_store_that_is_a_file(tmp_path: Path, developer: DeveloperCredentials) -> None:
    """A file in the place of a store is named."""
    (tmp_path / "team").write_text("")

    with pytest.raises(UsageError, match="team: is no directory; expected a store"):
        UserStore(tmp_path / "team").save_api_key(KEY)
    for use in (TeamStore(tmp_path / "team").names, lambda: TeamStore(tmp_path / "team").save(developer)):
        with pytest.raises(UsageError, match="team: cannot be read: Not a directory"):
            use()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON at line 1; it is left as it is"),
        ("[]", "holds no object"),
        ('{"dev_certs": []}', "dev_certs: holds no object"),
    ],
)
def test_broken_index_is_left(
    stores: Stores, developer: DeveloperCredentials, text: str, message: str
) -> None:
    """An index that cannot be read is named and stays as it is; nothing is put beside it."""
    stores.team.save(developer)
    file = stores.team.directory / "config.json"
    file.write_text(text)

    for use in (stores.team.names, lambda: stores.team.save(developer), lambda: stores.team.delete("dev")):
        with pytest.raises(UsageError) as raised:
            use()
        assert f"{file}: {message}" in str(raised.value)

    assert file.read_text() == text
    assert (stores.team.directory / "dev").is_dir()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "-c", "config.json", "a\0b", "a\nb", "x" * 101,
     "\u4e00" * 70, " x", "x ", "\udc80"],
    ids=lambda name: ascii(name)[:12],
)  # fmt: skip
def test_names_lead_nowhere_else(stores: Stores, developer: DeveloperCredentials, name: str) -> None:
    """A name is that of a directory in the store, or refused by whatever takes it."""
    for use in (stores.team.developer, stores.team.update, stores.team.delete, check_name):
        with pytest.raises(UsageError, match="no name for a certificate"):
            use(name)
    with pytest.raises(UsageError, match="no name for a certificate"):
        stores.team.save(developer.named(name))
    assert not stores.team.directory.exists()


@given(name=st.text(max_size=120))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_name_stays_within_the_store(name: str, tmp_path: Path) -> None:
    """What is accepted can be made as one directory, just below the store."""
    try:
        check_name(name)
    except UsageError:
        return
    made = tmp_path / name
    made.mkdir(exist_ok=True)
    assert made.parent == tmp_path
    assert made.resolve().parent == tmp_path.resolve()
    assert name in os.listdir(tmp_path)  # noqa: PTH208 - as the system spells it


@pytest.mark.parametrize(
    "paths", [["/etc/passwd"], ["../../dev/x"], ["a.bin", 5], "a.bin", [".bin"], ["/x/y/../.bin"], None]
)
def test_index_that_leads_elsewhere(stores: Stores, developer: DeveloperCredentials, paths: Any) -> None:
    """No list of the index makes us read, or delete, outside of the store."""
    stores.team.save(developer)
    file = stores.team.directory / "config.json"
    file.write_text(json.dumps({"dev_certs": {"dev": paths, "fine": []}}))

    with pytest.raises(UsageError, match=r"config\.json: dev_certs\.dev: holds no paths of files"):
        stores.team.developer("dev")
    assert stores.team.names() == {"dev": "incomplete", "fine": "incomplete"}


def test_only_the_last_part_of_a_path_counts(
    stores: Stores, developer: DeveloperCredentials, tmp_path: Path
) -> None:
    """A store that is mounted elsewhere is read where it is now."""
    stores.team.save(developer)
    stores.team.directory.rename(tmp_path / "mounted")
    (tmp_path / "outside").mkdir()

    assert TeamStore(tmp_path / "mounted").developer("dev") == developer


def test_listed_but_gone(stores: Stores, developer: DeveloperCredentials) -> None:
    """A certificate whose files are missing is named, and can be kept again."""
    stores.team.save(developer)
    lost = stores.team.directory / "dev" / "MBED_CLOUD_DEV_ACCOUNT_ID.bin"
    lost.unlink()

    with pytest.raises(UsageError, match="lists this file, but it cannot be read: No such file") as raised:
        stores.team.developer("dev")
    assert str(lost) in str(raised.value)
    assert stores.team.save(developer)
    assert stores.team.developer("dev") == developer


def test_many_certificates(stores: Stores, developer: DeveloperCredentials) -> None:
    """A team keeps hundreds of certificates, and the index that lists their files can be read."""
    paths = [f"{'/srv' * 30}/{name}.bin" for name in developer.files]
    listed = {f"certificate-{number}": paths for number in range(300)}
    stores.team.save(developer)
    file = stores.team.directory / "config.json"
    file.write_text(json.dumps({"dev_certs": listed}, indent=4))

    assert stores.team.save(developer)

    assert stores.team.names() == dict.fromkeys([*listed, "dev"], "developer credentials")
    assert stores.team.developer("dev") == developer


def test_one_name_space(stores: Stores, developer: DeveloperCredentials, update: UpdateResources) -> None:
    """Both kinds share their names: neither is mixed with the other, as MBL CLI does."""
    stores.team.save(developer)

    with pytest.raises(UsageError, match="name: has the name of developer credentials"):
        stores.team.save(update.named("dev"))

    assert stores.team.developer("dev") == developer
    with pytest.raises(UsageError, match="is a file of developer credentials"):
        stores.team.update("dev")


def test_replacing(stores: Stores, developer: DeveloperCredentials, update: UpdateResources) -> None:
    """What changed is replaced whole; what did not is not written; others stay."""
    stores.team.save(developer)
    stores.team.save(update)
    inode = (stores.team.directory / "upd").stat().st_ino

    assert stores.team.save(update) is False
    assert (stores.team.directory / "upd").stat().st_ino == inode
    other = update.with_file("arm_uc_vendor_id", bytes(16)).without("arm_uc_update_public_key")
    assert stores.team.save(other) is True

    assert stores.team.update("upd") == other
    assert stores.team.developer("dev") == developer
    assert sorted(path.name for path in stores.team.directory.iterdir()) == ["config.json", "dev", "upd"]
    assert not (stores.team.directory / "upd" / "arm_uc_update_public_key.bin").exists()


def test_deleting(stores: Stores, developer: DeveloperCredentials, update: UpdateResources) -> None:
    """What is deleted is gone with its files; a link is deleted and not what it leads to."""
    stores.team.save(developer)
    stores.team.save(update)

    assert stores.team.delete("dev") is True
    assert stores.team.delete("dev") is False
    assert sorted(path.name for path in stores.team.directory.iterdir()) == ["config.json", "upd"]
    assert stores.team.names() == {"upd": "update resources"}

    elsewhere = stores.team.directory.parent / "elsewhere"
    (stores.team.directory / "upd").rename(elsewhere)
    (stores.team.directory / "upd").symlink_to(elsewhere)
    assert stores.team.delete("upd") is True
    assert len(list(elsewhere.iterdir())) == 5
