"""Hook implementations of the harness in conftest modules and in pytest plugins."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from harness.errors import UsageError
from harness.plugins import PREFIX

if TYPE_CHECKING:
    import pytest

    from harness.plugins import HarnessPluginManager
    from harness.redaction import Redactor

# What these give was asked for before any test was collected.
TOO_LATE_IN_A_LATER_CONFTEST = (
    "harness_board_profiles",
    "harness_discover_boards",
    "harness_identify_board",
    "harness_acquire_board",
    "harness_release_board",
    "harness_backends",
    "harness_virtual_boards",
)


class ConftestHooks:
    """Registers pytest's plugins with ours when they implement hooks of the harness."""

    def __init__(self, config: pytest.Config, plugins: HarnessPluginManager) -> None:
        """Register those that pytest has loaded so far: ``-p``, installed ones and initial conftests.

        :raises UsageError: one of them has a ``harness_*`` function that is no hook.
        """
        self._plugins = plugins
        self._seen: set[int] = set()
        self.redactor: Redactor | None = None
        """Told the secrets of a conftest that comes after the session has asked for all of them."""
        self.usage_error: UsageError | None = None
        """Found while pytest was collecting, where it would be taken for an error of the collection."""
        for name, plugin in config.pluginmanager.list_name_plugin():
            if plugin is not None:
                self._register(plugin, name)
        self._initial = False

    _initial = True

    def pytest_plugin_registered(self, plugin: object, plugin_name: str) -> None:
        """A plugin came, or a conftest of a directory that is being collected."""
        try:
            self._register(plugin, plugin_name)
        except UsageError as error:
            self.usage_error = self.usage_error or error

    def _register(self, plugin: object, name: str) -> None:
        hooks = _hooks_of(plugin)
        if not hooks or id(plugin) in self._seen or self._plugins.is_registered(plugin):
            return
        self._seen.add(id(plugin))
        late = [hook for hook in hooks if hook in TOO_LATE_IN_A_LATER_CONFTEST]
        if late and not self._initial:
            raise UsageError(
                f"implements {late[0]}, which has been called already when this file is read",
                file=name,
                expected="it in the conftest.py beside the tests named on the command line, in a plugin"
                " loaded by -p, or in an installed one",
            )
        self._plugins.register(plugin, name)
        if self.redactor is not None and "harness_secrets" in hooks:
            for secret in cast("Any", plugin).harness_secrets():
                self.redactor.add_secret(secret)


def _hooks_of(plugin: object) -> list[str]:
    names = vars(plugin) if inspect.ismodule(plugin) else dir(plugin)
    return [
        name for name in names if name.startswith(PREFIX) and inspect.isroutine(getattr(plugin, name, None))
    ]
