"""The plugin manager: what counts as a hook, and the message for what does not fit."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from harness import hookspecs
from harness.errors import UsageError
from harness.inventory import builtin
from harness.plugins import HarnessPluginManager, load_object, load_plugins

if TYPE_CHECKING:
    from pathlib import Path


def module(name: str, **attributes: Any) -> ModuleType:
    """A module as a plugin's author would write it."""
    made = ModuleType(name)
    vars(made).update(attributes)
    return made


@pytest.fixture
def manager() -> HarnessPluginManager:
    """A manager that knows the hooks and no plugin."""
    return HarnessPluginManager()


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose modules can be imported during the test."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_unmarked_function_counts(manager: HarnessPluginManager) -> None:
    """A function counts by its name alone; nobody has to import a marker."""
    manager.register(module("acme", harness_board_profiles=lambda: ["a"]))

    assert manager.hook.harness_board_profiles() == [["a"]]


def test_marked_function_keeps_its_options(manager: HarnessPluginManager) -> None:
    """A marked function counts as well, with the options of its mark."""

    @hookspecs.hookimpl(tryfirst=True)
    def harness_board_profiles() -> list[str]:
        return ["first"]

    manager.register(module("marked", harness_board_profiles=harness_board_profiles))
    manager.register(module("plain", harness_board_profiles=lambda: ["second"]))

    assert manager.hook.harness_board_profiles() == [["first"], ["second"]]


def test_function_takes_only_the_arguments_it_needs(manager: HarnessPluginManager) -> None:
    """A hook's arguments may be left out."""
    manager.register(module("acme", harness_make_driver=lambda: "driver"))

    assert manager.hook.harness_make_driver(board=None) == "driver"


def test_first_result_counts(manager: HarnessPluginManager) -> None:
    """A plugin that answers None leaves a board to the others."""
    manager.register(module("acme", harness_make_driver=lambda board: f"driver of {board}"))
    manager.register(module("other", harness_make_driver=lambda board: None))

    assert manager.hook.harness_make_driver(board="b1") == "driver of b1"


def test_values_and_other_names_are_left_alone(manager: HarnessPluginManager) -> None:
    """What is no function, or does not begin with the prefix, is the plugin's own affair."""
    manager.register(module("acme", harness_version="1.0", helper=lambda: 1, _harness_x=lambda: 1))

    assert manager.get_plugins()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("harness_make_drivers", "harness_make_driver"),
        ("harness_board_profile", "harness_board_profiles"),
        ("harness_dicover_boards", "harness_discover_boards"),
    ],
)
def test_misspelt_hook_is_refused(manager: HarnessPluginManager, name: str, nearest: str) -> None:
    """A misspelt hook is refused with the plugin's name and the nearest hook, and nothing is registered."""
    with pytest.raises(UsageError) as caught:
        manager.register(module("acme_plugin", **{name: lambda: None}))

    assert f"plugin 'acme_plugin' implements '{name}'" in str(caught.value)
    assert f"the nearest is '{nearest}'" in str(caught.value)
    assert not manager.get_plugins()


def test_argument_that_the_hook_lacks_is_refused(manager: HarnessPluginManager) -> None:
    """An implementation that asks for an unknown argument is refused with its plugin's name."""
    with pytest.raises(UsageError, match=r"plugin 'acme_plugin' does not fit its hooks: .*colour"):
        manager.register(module("acme_plugin", harness_make_driver=lambda colour: colour))

    assert not manager.get_plugins()


def test_misspelt_method_of_an_object_is_refused(manager: HarnessPluginManager) -> None:
    """A plugin may be an object; its methods are judged alike."""

    class Plugin:
        def harness_bakends(self) -> list[object]:
            return []

    with pytest.raises(UsageError, match="nearest is 'harness_backends'"):
        manager.register(Plugin(), "acme")


def test_core_is_a_plugin_too() -> None:
    """The core's profiles and its discovery come through the same door as a vendor's."""
    manager = load_plugins()

    assert manager.get_plugin("harness-core") is builtin
    assert manager.has_plugin("harness-discovery")


def test_installed_plugins_are_loaded() -> None:
    """The plugins of this distribution are found by entry point, as a third party's would be."""
    kinds = [kind.kind for kinds in load_plugins().hook.harness_virtual_boards() for kind in kinds]

    assert "nrf9151dk-virtual" in kinds


def test_entry_point_that_cannot_be_imported_is_refused(
    manager: HarnessPluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken installation of a vendor's is one message."""

    def broken(group: str) -> int:
        raise ImportError(f"No module named 'acme' in {group}")

    monkeypatch.setattr(manager, "load_setuptools_entrypoints", broken)
    with pytest.raises(
        UsageError, match="entry-point group 'harness' cannot be imported: No module named 'acme'"
    ):
        manager.load_entry_points()


def test_named_module_is_loaded_once(importable: Path, manager: HarnessPluginManager) -> None:
    """A module that is named twice is registered once."""
    (importable / "acme_named.py").write_text("def harness_board_profiles():\n    return ['named']\n")

    manager.load_modules(["acme_named", "acme_named"], source="rig.toml")

    assert manager.hook.harness_board_profiles() == [["named"]]
    del sys.modules["acme_named"]


def test_named_module_that_is_missing_is_refused(manager: HarnessPluginManager) -> None:
    """The message says where the name was written."""
    with pytest.raises(UsageError, match=r"rig\.toml: plugins: cannot import: .*\(got 'acme_missing'\)"):
        manager.load_modules(["acme_missing"], source="rig.toml")


def test_environment_names_plugins(importable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HARNESS_PLUGINS names modules, separated by commas."""
    (importable / "acme_env.py").write_text("def harness_board_profiles():\n    return []\n")
    monkeypatch.setenv("HARNESS_PLUGINS", " acme_env , ")

    assert load_plugins().has_plugin("acme_env")
    del sys.modules["acme_env"]


def test_environment_with_a_missing_plugin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong name in HARNESS_PLUGINS is a usage error that names the variable."""
    monkeypatch.setenv("HARNESS_PLUGINS", "acme_missing")

    with pytest.raises(UsageError, match="HARNESS_PLUGINS: plugins: cannot import"):
        load_plugins()


def test_object_is_loaded_by_path() -> None:
    """``module:attribute`` is how plugins name factories without importing them."""
    assert load_object("harness.inventory.builtin:BoardDiscovery") is builtin.BoardDiscovery


@pytest.mark.parametrize(
    "path", ["acme_missing:thing", "harness.plugins:missing", "harness.plugins", ":x", ""]
)
def test_object_that_is_not_there_is_refused(path: str) -> None:
    """A path that leads nowhere is a usage error that shows it."""
    with pytest.raises(UsageError, match=f"cannot load '{path}'.*expected module:attribute"):
        load_object(path)


def test_every_hook_is_documented() -> None:
    """The hooks are documented where they are declared: what each is for, and in which process it runs."""
    hooks = [getattr(hookspecs, name) for name in dir(hookspecs) if name.startswith("harness_")]

    assert len(hooks) >= 18
    for hook in hooks:
        assert hook.__doc__, hook
        assert "Runs " in hook.__doc__, hook
