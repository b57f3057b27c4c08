"""The plugin manager: who implements our hooks, with misspellings refused.

It is pluggy's, of our own, so that the command line works without pytest. Every public function named
``harness_*`` of a plugin module is a hook implementation; one that no specification knows is an error
that names the plugin and the nearest hook, where pluggy alone would ignore it silently.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
from typing import TYPE_CHECKING, Any, cast

import pluggy

from harness import hookspecs
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTRY_POINT_GROUP = "harness"
PLUGINS_VARIABLE = "HARNESS_PLUGINS"
PREFIX = "harness_"


class HarnessPluginManager(pluggy.PluginManager):
    """A pluggy manager in which each ``harness_*`` function of a plugin counts, marked or not."""

    def __init__(self) -> None:
        """Know every hook of :mod:`harness.hookspecs`, and no plugin yet."""
        super().__init__(hookspecs.PROJECT)
        self.add_hookspecs(hookspecs)
        self._hook_names = tuple(name for name in dir(hookspecs) if name.startswith(PREFIX))

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Take a function for a hook implementation when its name begins with ``harness_``."""
        if not name.startswith(PREFIX):
            return None
        options = super().parse_hookimpl_opts(plugin, name)
        if options is not None:
            return options
        if not inspect.isroutine(getattr(plugin, name)):
            return None
        return cast("pluggy.HookimplOpts", dict.fromkeys(_HOOKIMPL_OPTION_NAMES, False) | {"specname": None})

    def register(self, plugin: object, name: str | None = None) -> str | None:
        """Register a plugin.

        :raises UsageError: a ``harness_*`` function is no hook, or takes an argument that its hook lacks.
        """
        plugin_name = name or self.get_canonical_name(plugin)
        self._refuse_misspellings(plugin, plugin_name)
        try:
            return super().register(plugin, name)
        except pluggy.PluginValidationError as error:
            if self.is_registered(plugin):  # older pluggy registers before it validates
                self.unregister(plugin)
            reason = " ".join(str(error).split())
            raise UsageError(f"plugin {plugin_name!r} does not fit its hooks: {reason}") from error

    def _refuse_misspellings(self, plugin: object, plugin_name: str) -> None:
        for attribute in dir(plugin):
            if not attribute.startswith(PREFIX) or attribute in self._hook_names:
                continue
            if not inspect.isroutine(getattr(plugin, attribute)):
                continue
            near = difflib.get_close_matches(attribute, self._hook_names, n=1, cutoff=0)
            raise UsageError(
                f"plugin {plugin_name!r} implements {attribute!r}, which is no hook of the harness; "
                f"the nearest is {near[0]!r} (see harness/hookspecs.py)"
            )

    def load_entry_points(self) -> None:
        """Register every plugin of the entry-point group ``harness``.

        :raises UsageError: a plugin cannot be imported or does not fit its hooks.
        """
        try:
            self.load_setuptools_entrypoints(ENTRY_POINT_GROUP)
        except ImportError as error:
            raise UsageError(
                f"a plugin of the entry-point group {ENTRY_POINT_GROUP!r} cannot be imported: {error}"
            ) from error

    def load_modules(self, names: Iterable[str], *, source: object) -> None:
        """Register plugins by module name.

        :param names: importable module names.
        :param source: where the names were written, for the message.
        :raises UsageError: a module cannot be imported or does not fit its hooks.
        """
        for name in names:
            try:
                module = importlib.import_module(name)
            except ImportError as error:
                raise UsageError(f"cannot import: {error}", file=source, key="plugins", value=name) from error
            if not self.is_registered(module):
                self.register(module, name)


_HOOKIMPL_OPTION_NAMES = ("wrapper", "hookwrapper", "optionalhook", "tryfirst", "trylast")


def load_plugins(extra: Iterable[str] = (), *, source: object = None) -> HarnessPluginManager:
    """Make a plugin manager with the core's plugins, the installed ones and those of ``HARNESS_PLUGINS``.

    ``HARNESS_PLUGINS`` holds module names separated by commas. Being an environment variable, it reaches
    every process of a session: workers, the virtual bench and fakes.

    :param extra: further module names, as ``plugins = [...]`` of ``rig.toml`` gives them.
    :param source: where the further names were written.
    :raises UsageError: a plugin cannot be loaded.
    """
    from harness.health import standing_steps
    from harness.inventory import builtin

    manager = HarnessPluginManager()
    manager.register(builtin, "harness-core")
    manager.register(standing_steps, "harness-recovery")
    manager.register(builtin.BoardDiscovery(manager), "harness-discovery")
    manager.load_entry_points()
    named = os.environ.get(PLUGINS_VARIABLE, "")
    manager.load_modules(filter(None, (name.strip() for name in named.split(","))), source=PLUGINS_VARIABLE)
    manager.load_modules(extra, source=source)
    return manager


def load_object(path: str) -> Any:
    """Import what a plugin named as ``module:attribute``.

    :raises UsageError: the module or the attribute does not exist.
    """
    module_name, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"cannot load {path!r}: {error}", expected="module:attribute") from error
