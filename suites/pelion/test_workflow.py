"""A person's way: from names and a C file to a provisioned device, and what stops them on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardFault, RequestRefused, UsageError
from harness_pelion.cli_account import KEY_VARIABLE, key_of
from harness_pelion.enums import DeviceState
from harness_pelion.enums import UpdateVariable as Upd
from harness_pelion.provisioning import inject, prepare, understand
from harness_pelion.stores import TeamStore, open_stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

DEVICE = pytest.mark.board(driver="mbl", destructive=True)


@pytest.fixture
def store(tmp_path: Path) -> TeamStore:
    """The team store of somebody who begins."""
    home = tmp_path / "home"
    home.mkdir()
    return open_stores(home).team


@pytest.fixture
def said() -> list[str]:
    """What the person is told."""
    return []


def c_file(path: Path, update: UpdateResources, *, include: str = "stdint.h") -> Path:
    """Write update resources as manifest-tool 1.x does (pelion fact sheet, section 5.1)."""
    arrays = [
        f"const uint8_t {name}[] = {{ {', '.join(f'{byte:#x}' for byte in content)} }};\n"
        f"const uint16_t {name}_size = sizeof({name});\n"
        for name, content in update.files.items()
    ]
    path.write_text(f"#include <{include}>\n\n" + "\n".join(arrays))
    return path


@pytest.fixture
def whole_way(board: LeasedBoard, pelion: Any, eventually: Callable[..., None]) -> Callable[..., None]:
    """Provision the device with what was prepared, and see it registered as what it is."""

    def go(found: tuple[DeveloperCredentials, UpdateResources]) -> None:
        developer, update = found
        board.driver.prepare()
        assert inject(board.driver.device, developer, update).ok
        view = board.driver.wait_until_registered(20.0, after=board.driver.restart_client())
        device = pelion.wait_for_device(ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)
        assert device.id == view.device_id
        ids = {"vendor_id": update.vendor_id.hex(), "device_class": update.class_id.hex()}
        eventually(lambda: bool(pelion.devices(id=device.id, **ids)), "vendor and class are in the directory")

    return go


@DEVICE
@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(
            "document", marks=pytest.mark.proves("workflow", "the document's spelling"), id="document's"
        ),
        pytest.param("client", marks=pytest.mark.proves("workflow", "the client's spelling"), id="client's"),
    ],
)
def test_both_spellings(
    whole_way: Callable[..., None],
    pelion: Any,
    store: TeamStore,
    tmp_path: Path,
    said: list[str],
    update: UpdateResources,
    spelling: str,
) -> None:
    """CERT UPDATE-PATH --create-dev-cert, or CERT UPDATE-NAME -c -p UPDATE-PATH: the same comes of both."""
    name, file = pelion.own_name("device"), c_file(tmp_path / "update_default_resources.c", update)
    if spelling == "document":
        wish = understand(name, str(file), create=True, file=None)
    else:
        wish = understand(name, "update_default_resources", create=True, file=file)

    found = prepare(wish, store, lambda: pelion, said.append)

    assert found[1].files == update.files
    assert list(store.names()) == sorted([name, "update_default_resources"])
    whole_way(found)


@DEVICE
@pytest.mark.proves("workflow", "certificate in the cloud, not in the store")
def test_certificate_in_the_cloud(
    whole_way: Callable[..., None],
    pelion: Any,
    store: TeamStore,
    said: list[str],
    developer: DeveloperCredentials,
    update: UpdateResources,
) -> None:
    """It is fetched by its name and kept; the next device needs the service no more."""
    store.save(update)
    wish = understand(developer.name, update.name, create=False, file=None)

    found = prepare(wish, store, lambda: pelion, said.append)

    assert found[0] == developer
    assert store.developer(developer.name) == developer
    whole_way(found)


@pytest.mark.proves("workflow", "name unknown everywhere")
def test_unknown_name(pelion: Any, store: TeamStore, said: list[str], update: UpdateResources) -> None:
    """The names that there are, are told; nothing is kept."""
    there = pelion.create_developer_certificate(pelion.own_name("there")).name
    store.save(update)
    wish = understand(pelion.own_name("nobody"), update.name, create=False, file=None)

    with pytest.raises(UsageError, match="The developer certificate does not exist") as caught:
        prepare(wish, store, lambda: pelion, said.append)

    assert there in str(caught.value)
    assert list(store.names()) == [update.name]


@pytest.mark.proves("workflow", "name is taken")
def test_name_is_taken(
    pelion: Any, store: TeamStore, said: list[str], developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The service's conflict is told in the client's words; the store keeps nothing by that name."""
    store.save(update)
    wish = understand(developer.name, update.name, create=True, file=None)

    with pytest.raises(UsageError, match="already exists in the Pelion Device Management Portal"):
        prepare(wish, store, lambda: pelion, said.append)

    assert list(store.names()) == [update.name]
    assert [each.name for each in pelion.developer_certificates()].count(developer.name) == 1


@pytest.mark.proves("workflow", "made before any key was kept")
def test_no_key(
    pelion: Any,
    store: TeamStore,
    said: list[str],
    tmp_path: Path,
    update: UpdateResources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who has no key learns it before anything is kept or made."""
    name, file = pelion.own_name("device"), c_file(tmp_path / "update.c", update)
    for variable in (KEY_VARIABLE, f"{KEY_VARIABLE}_FILE"):
        monkeypatch.delenv(variable, raising=False)
    stores = open_stores(tmp_path / "home")

    def account() -> Any:
        return pelion.as_user(key_of(stores.user))

    with pytest.raises(UsageError, match="not added an API key"):
        prepare(understand(name, str(file), create=True, file=None), store, account, said.append)

    assert store.names() == {}
    assert pelion.find_developer_certificate(name) is None


@pytest.mark.proves("workflow", "a wrong key")
def test_wrong_key(
    pelion: Any, store: TeamStore, said: list[str], update: UpdateResources, refused: Callable[..., Any]
) -> None:
    """The service refuses it; nothing is made, nothing is kept by that name."""
    name = pelion.own_name("device")
    store.save(update)
    nobody = pelion.as_user("ak_1" + "x" * 60)

    with pytest.raises(RequestRefused):
        prepare(understand(name, update.name, create=True, file=None), store, lambda: nobody, said.append)

    assert list(store.names()) == [update.name]
    assert pelion.find_developer_certificate(name) is None


@pytest.mark.proves("workflow", "update file is missing")
def test_no_update_file(pelion: Any, store: TeamStore, tmp_path: Path) -> None:
    """It is named before the service is asked for anything, where the public client makes a certificate."""
    name = pelion.own_name("device")

    with pytest.raises(UsageError, match="there is no such file"):
        understand(name, str(tmp_path / "missing.c"), create=True, file=None)

    assert store.names() == {}
    assert pelion.find_developer_certificate(name) is None


@pytest.mark.proves("workflow", "update resources of an unknown name")
def test_unknown_update_resources(pelion: Any, store: TeamStore, said: list[str]) -> None:
    """A name that is neither a file nor kept is told before a certificate is made."""
    name = pelion.own_name("device")

    with pytest.raises(UsageError, match="Certificate 'nothing' not found in the store"):
        prepare(understand(name, "nothing", create=True, file=None), store, lambda: pelion, said.append)

    assert pelion.find_developer_certificate(name) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            "int main(void) { return 0; }\n",
            marks=pytest.mark.proves("workflow", "update file is another C file"),
            id="another C file",
        ),
        pytest.param(
            "#!/bin/sh\nexit 0\n",
            marks=pytest.mark.proves("workflow", "update file is no C file"),
            id="no C file",
        ),
        pytest.param("", marks=pytest.mark.proves("workflow", "update file is empty"), id="empty"),
    ],
)
def test_unfit_update_file(
    pelion: Any, store: TeamStore, said: list[str], tmp_path: Path, content: str
) -> None:
    """The file is named; no certificate is made, nothing is kept."""
    name, file = pelion.own_name("device"), tmp_path / "update.c"
    file.write_text(content)

    with pytest.raises(UsageError) as caught:
        prepare(understand(name, str(file), create=True, file=None), store, lambda: pelion, said.append)

    assert str(file) in str(caught.value)
    assert store.names() == {}
    assert pelion.find_developer_certificate(name) is None


@pytest.mark.parametrize(
    "variable",
    [
        pytest.param(
            each, marks=pytest.mark.proves("workflow", f"update file without {each}"), id=f"without {each}"
        )
        for each in (Upd.VENDOR_ID, Upd.CLASS_ID, Upd.CERTIFICATE)
    ],
)
def test_update_file_lacks_something(
    pelion: Any, store: TeamStore, said: list[str], tmp_path: Path, update: UpdateResources, variable: Upd
) -> None:
    """A file that the device's utility would refuse is refused here, with the variable's name."""
    name, file = pelion.own_name("device"), c_file(tmp_path / "update.c", update.without(variable))

    with pytest.raises(UsageError, match=str(variable)):
        prepare(understand(name, str(file), create=True, file=None), store, lambda: pelion, said.append)

    assert store.names() == {}
    assert pelion.find_developer_certificate(name) is None


@DEVICE
@pytest.mark.parametrize(
    "include",
    [
        pytest.param(
            "inttypes.h",
            marks=pytest.mark.proves("workflow", "include of manifest-tool 2.x"),
            id="as of 2.x",
        ),
        pytest.param(
            "stdint.h>\n#include <stdint.h",
            marks=pytest.mark.proves("workflow", "doubled include"),
            id="doubled",
        ),
    ],
)
def test_includes(
    whole_way: Callable[..., None],
    pelion: Any,
    store: TeamStore,
    said: list[str],
    tmp_path: Path,
    update: UpdateResources,
    include: str,
) -> None:
    """The public client stumbles over these lines; they say nothing of the values, and are read here."""
    name = pelion.own_name("device")
    file = c_file(tmp_path / "update.c", update, include=include)

    found = prepare(understand(name, str(file), create=True, file=None), store, lambda: pelion, said.append)

    assert found[1].files == update.files
    whole_way(found)


@DEVICE
@pytest.mark.proves("workflow", "the utility refuses: its exit code is told")
def test_utility_refuses(
    board: LeasedBoard, pelion: Any, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """What the utility says and how it ended is told, and is no success."""
    board.driver.prepare()

    with pytest.raises(BoardFault, match=r"exit code 1: .*arm_uc_class_id") as caught:
        inject(board.driver.device, developer, update.without(Upd.CLASS_ID))

    assert "Update Credentials files" in str(caught.value)
    assert not board.driver.status().configured
    assert not board.driver.folder_exists()
    assert pelion.devices(ca_id=developer.endpoint_name) == []


@pytest.mark.proves("workflow", "one name for both")
def test_one_name_for_both(pelion: Any, store: TeamStore, said: list[str], update: UpdateResources) -> None:
    """Both kinds share one name space: a name that update resources have is none for a certificate."""
    store.save(update)
    other = pelion.own_name("other")
    store.save(update.named(other))

    with pytest.raises(UsageError, match="another name"):
        prepare(understand(other, update.name, create=True, file=None), store, lambda: pelion, said.append)

    assert pelion.find_developer_certificate(other) is None
    assert store.update(other) == update.named(other)


@pytest.mark.proves("workflow", "the fingerprint of the update certificate")
def test_fingerprint(
    pelion: Any, store: TeamStore, said: list[str], tmp_path: Path, update: UpdateResources
) -> None:
    """It is SHA-256 over the certificate, as the file says; the device takes none."""
    file = c_file(tmp_path / "update.c", update)
    name = pelion.own_name("device")

    found = prepare(understand(name, str(file), create=True, file=None), store, lambda: pelion, said.append)

    assert found[1].fingerprint == found[1].files[Upd.FINGERPRINT]
    assert pelion.find_developer_certificate(name) is not None
