"""Carries a break of the harness itself into every process that the harness's own tests start.

A pytest plugin, loaded early by ``-p``: it loads the break named by ``HARNESS_PLUGINS`` into the process of
the tests, and names it to each process that these start. Many of them start sessions with an environment of
their own, from which they strike everything of ours; a break that got lost on the way would look like a test
that notices nothing.
"""

from __future__ import annotations

import importlib
import os
import subprocess
from typing import TYPE_CHECKING, Any

from harness.plugins import PLUGINS_VARIABLE
from tests.breaks.support.catalogue import ROOT
from tests.breaks.support.patching import existing, sets

if TYPE_CHECKING:
    from collections.abc import Mapping


def carry_to_children(plugin: str) -> None:
    """Name the break to every process that this one starts from now on, whatever environment it gets."""
    start, replace = existing(subprocess.Popen, "__init__"), existing(os, "execvpe")

    def begin(process: Any, *arguments: Any, env: Mapping[str, str] | None = None, **options: Any) -> None:
        start(process, *arguments, env=with_break(os.environ if env is None else env, plugin), **options)

    def become(file: Any, arguments: Any, env: Any) -> Any:
        return replace(file, arguments, with_break(env, plugin))

    sets(subprocess.Popen, "__init__", begin)
    sets(os, "execvpe", become)


def with_break(environment: Mapping[str, str], plugin: str) -> dict[str, str]:
    """Return an environment in which a break is loaded besides what is loaded already.

    :param environment: without or with it.
    :param plugin: module name of the break.
    """
    plugins = [name for name in environment.get(PLUGINS_VARIABLE, "").split(",") if name.strip()]
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {
        **environment,
        PLUGINS_VARIABLE: ",".join([*(name for name in plugins if name != plugin), plugin]),
        "PYTHONPATH": os.pathsep.join([*(path for path in paths if path != str(ROOT)), str(ROOT)]),
    }


if named := os.environ.get(PLUGINS_VARIABLE):
    importlib.import_module(named)
    carry_to_children(named)
