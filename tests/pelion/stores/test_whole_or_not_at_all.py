"""Half a certificate is never seen: not by who reads meanwhile, and not after a process was killed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RigFault, UsageError
from harness_pelion import store_files
from harness_pelion import stores as stores_module
from harness_pelion.stores import open_stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.resources import DeveloperCredentials, UpdateResources
    from harness_pelion.stores import Stores


class Killed(BaseException):
    """The process was killed at this point."""


def killing(at: int) -> Callable[[str], None]:
    """Count steps, and die at one of them."""
    passed = 0

    def step(_name: str) -> None:
        nonlocal passed
        passed += 1
        if passed > at:
            raise Killed

    return step


@pytest.mark.parametrize("replacing", [False, True], ids=["new", "replacing"])
def test_killed_at_any_step(
    tmp_path: Path, developer: DeveloperCredentials, monkeypatch: pytest.MonkeyPatch, *, replacing: bool
) -> None:
    """Whenever a process dies, others see the certificate whole, or the old one, or none; then it is tidy."""
    old = developer
    new = developer.with_file("MBED_CLOUD_DEV_ACCOUNT_ID", b"another")
    outcomes = set()
    for at in range(40):
        home = tmp_path / str(at)
        home.mkdir()
        store = open_stores(home).team
        if replacing:
            store.save(old)
        step = killing(at)
        with monkeypatch.context() as patch:
            for owner, name in (
                (stores_module, "write_into"),
                (stores_module, "make_directory"),
                (stores_module, "replace_file"),
                (stores_module, "_remove"),
                (Path, "rename"),
            ):
                patch.setattr(owner, name, before(step, getattr(owner, name)))
            try:
                store.save(new)
            except Killed:
                finished = False
            else:
                finished = True

        if replacing and not (store.directory / "dev").exists():
            with pytest.raises(UsageError, match="cannot be read"):
                store.developer("dev")
            outcomes.add("away")
        else:
            seen = store.developer("dev")
            assert seen in (old if replacing else None, new)
            outcomes.add("new" if seen == new else "old")
        store.save(new.named("second"))
        assert store.developer("dev") in (old if replacing else None, new), "put back by whoever writes next"
        assert not [path for path in store.directory.iterdir() if path.name[0] == "."]
        if finished:
            break
    assert finished
    assert outcomes == ({"old", "new", "away"} if replacing else {"old", "new"})


def before(step: Callable[[str], None], real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that passes a step first; what is to be done after a death is not done."""

    def call(*arguments: Any, **named: Any) -> Any:
        step(real.__name__)
        return real(*arguments, **named)

    return call


def test_readers_never_see_half(stores: Stores, update: UpdateResources) -> None:
    """While one process replaces a certificate again and again, another reads it whole each time."""
    variants = [update.with_file("arm_uc_vendor_id", bytes([number]) * 16) for number in range(2)]
    variants = [each.with_file("arm_uc_class_id", each.vendor_id) for each in variants]
    stores.team.save(variants[0])
    done = threading.Event()
    problems: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(60):
                stores.team.save(variants[number % 2])
        except BaseException as error:  # noqa: BLE001 - shown by the test
            problems.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=write)
    thread.start()
    reads = 0
    while not done.is_set():
        seen = stores.team.update("upd")
        assert seen is not None
        assert seen.vendor_id == seen.class_id
        reads += 1
    thread.join(30)

    assert problems == []
    assert reads > 0


def test_a_store_that_others_hold(
    stores: Stores, developer: DeveloperCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds a store for too long is not waited for without end."""
    stores.team.save(developer)
    monkeypatch.setattr(store_files, "LOCK_SECONDS", 0.05)

    with (
        store_files.locked(stores.team.directory, alone=True),
        pytest.raises(RigFault, match=r"others use this store for 0\.05 s"),
    ):
        stores.team.names()
