"""A break of the harness itself reaches every process that its tests start."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.breaks.support.catalogue import ROOT
from tests.breaks.support.everywhere import with_break

BREAK = "tests.breaks.block_ignored"
# What a process knows that was started with an environment of its own, with an inherited one and by exec; the
# latter as pexpect starts one.
STARTING = """
import os, subprocess, sys
import tests.breaks.support.everywhere
TELL = "import os; print(os.environ['HARNESS_PLUGINS'], flush=True)"
subprocess.run([sys.executable, "-c", TELL], env={"PATH": "/usr/bin", "HARNESS_PLUGINS": "toy"}, check=True)
os.environ.pop("HARNESS_PLUGINS")
subprocess.run([sys.executable, "-c", TELL], check=True)
os.execvpe(sys.executable, [sys.executable, "-c", TELL], {})
"""


def test_whatever_environment_a_process_gets() -> None:
    """Also one that is made anew, or of which everything of ours was struck, names the break."""
    name = "tests.breaks.list_filter_ignored"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HARNESS_PLUGINS": name}

    done = subprocess.run(
        [sys.executable, "-c", STARTING],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.split() == [f"toy,{name}", name, name], done.stderr


def test_nothing_is_named_twice() -> None:
    """A process that inherits the break and one that gets it anew load it once, after the others."""
    once = with_break({"HARNESS_PLUGINS": "a, b", "PYTHONPATH": "/x", "HOME": "/h"}, BREAK)

    assert once == {
        "HARNESS_PLUGINS": f"a, b,{BREAK}",
        "PYTHONPATH": f"/x{os.pathsep}{ROOT}",
        "HOME": "/h",
    }
    assert with_break(once, BREAK) == once


def test_without_a_break_nothing_changes() -> None:
    """The control run starts its processes as ever."""
    script = "import subprocess; a = subprocess.Popen.__init__; import tests.breaks.support.everywhere; "
    script += "assert subprocess.Popen.__init__ is a"
    environment = {name: value for name, value in os.environ.items() if name != "HARNESS_PLUGINS"}

    done = subprocess.run(
        [sys.executable, "-c", script], env={**environment, "PYTHONPATH": str(ROOT)}, timeout=60, check=False
    )

    assert done.returncode == 0
