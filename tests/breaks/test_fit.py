"""Every break still fits what it breaks: seen in seconds, and not only after all of them were run."""

from __future__ import annotations

import subprocess
import sys

from tests.breaks.support.catalogue import ROOT, all_breaks

SECONDS = 300.0  # of all breaks together: some, where nothing else runs

# A break imported breaks its process; a clone of its own costs a hundredth of a second.
IMPORTING = """
import importlib, os, sys, traceback
from tests.breaks.support.fork_server import import_everything

import_everything()
for name in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(), sep="\\n", flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
"""


def test_every_break_can_be_imported() -> None:
    """The functions that breaks replace exist, and take the parameters of their replacements."""
    names = [each.plugin for each in all_breaks()]

    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_break_that_does_not_fit_is_told() -> None:
    """What cannot be imported is named."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, "tests.breaks.block_ignored", "tests.breaks.no_such_break"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.stdout.startswith("tests.breaks.no_such_break\n")
    assert "No module named 'tests.breaks.no_such_break'" in done.stdout
    assert "block_ignored" not in done.stdout
