"""Every hook of the harness: the plugin author's reference.

Implement a hook as a function of the same name in a module that is named by an entry point of the group
``harness``, by ``plugins = [...]`` in ``rig.toml``, by ``-p`` or that is a ``conftest.py``.
A marker is not needed: each function whose name begins with ``harness_`` counts, and one that matches
nothing here is refused with the name of the nearest hook. Take only the arguments that you need.

Where a hook runs is said by letters: **C** the controller (the pytest process that the user started),
**W** a worker of pytest-xdist (or the controller when there is none), **B** the daemon of the virtual
bench, **L** the ``harness`` command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pytest
    import typer

    from harness.backends.contract import Backend, BackendSpec
    from harness.config import Settings
    from harness.console import Console
    from harness.control import Flasher, PowerSwitch
    from harness.health.steps import RecoveryStep
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.redaction import Secret
    from harness.virtual.contract import VirtualKind

PROJECT = "harness"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# ---------------------------------------------------------------------------------------------------------
# Inventory: which kinds of board there are, and which boards are here
# ---------------------------------------------------------------------------------------------------------


@hookspec
def harness_board_profiles() -> Iterable[Path]:  # type: ignore[empty-body]
    """Give the files or directories that hold board profiles (``*.toml``). Runs in C, W and L.

    :return: paths; a directory stands for every ``*.toml`` file in it.
    """


@hookspec
def harness_discover_boards(settings: Settings) -> Sequence[Board]:  # type: ignore[empty-body]
    """Find the boards that are attached now. Runs in C and L.

    :param settings: the validated settings; ``settings.bench`` says which bench was asked for.
    :return: boards; nothing is opened or written to.
    """


@hookspec(firstresult=True)
def harness_identify_board(board: Board, console: Console) -> str | None:
    """Ask a board who it is, in its own dialect. Runs in C and L. First result counts.

    Look at ``board.driver`` first and leave a board of another's driver alone: the console is opened when it
    is first used, and of a board that nobody asks it is never opened. Several boards are asked at the same
    time, from threads. Nothing on the board may be changed by it.

    :param board: the candidate, as discovery found it; it is leased.
    :param console: a console of the candidate; no wait on it outlasts the few seconds that it is given.
    :return: its identity, without blanks, which no other board has and which outlives every reset; ``None``
        if the board does not speak this dialect.
    :raises HarnessError: the board did not answer; its other ports are tried then.
    """


@hookspec(firstresult=True)
def harness_acquire_board(board: Board, session: str) -> bool | None:
    """Take a farm's lease on a board. Runs in C and L. First result counts.

    :param board: the board to take; boards of the own host have the harness's own lease.
    :param session: id of the session that asks.
    :return: ``True`` when it was taken, ``None`` if the board is not this farm's.
    """


@hookspec(firstresult=True)
def harness_release_board(board: Board) -> bool | None:
    """Give back what :func:`harness_acquire_board` took. Runs in C and L. First result counts.

    :param board: the board.
    :return: ``True`` when it was given back, ``None`` if the board is not this farm's.
    """


# ---------------------------------------------------------------------------------------------------------
# Access: how to talk to a board and how to control it
# ---------------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
def harness_open_endpoint(board: LeasedBoard, role: str) -> Any:
    """Open an endpoint that is not a plain serial port. Runs in W and L. First result counts.

    :param board: the leased board.
    :param role: the endpoint's role.
    :return: an open endpoint with ``close()``, or ``None`` to leave it to others.
    """


@hookspec(firstresult=True)
def harness_make_driver(board: LeasedBoard) -> Any:
    """Make the driver that speaks the board's dialect. Runs in W and L. First result counts.

    :param board: the leased board; ``board.description.driver`` names the driver that its profile asks for.
    :return: the driver, or ``None`` if it is not this plugin's.
    """


@hookspec(firstresult=True)
def harness_make_power_switch(board: LeasedBoard) -> PowerSwitch | None:
    """Make the power switch of a board. Runs in W and L. First result counts.

    :param board: the leased board.
    :return: the switch, or ``None``.
    """


@hookspec
def harness_recover_board(board: LeasedBoard) -> Iterable[RecoveryStep]:  # type: ignore[empty-body]
    """Say what may bring back a board that does not answer. Runs in W, between two tests.

    Every plugin's steps are taken together, the gentlest first, and after each the board is asked again; the
    first after which it answers is the last. The core gives the reset of the driver, or of the virtual bench,
    and a power cycle where there is a switch. When nothing helps, the board is quarantined.

    :param board: the leased board. It is closed before each step: a step opens what it needs itself.
    :return: steps of :mod:`harness.health.steps`; none for a board that is not this plugin's.
    """


@hookspec(firstresult=True)
def harness_make_flasher(board: LeasedBoard) -> Flasher | None:
    """Make what writes firmware to a board. Runs in W and L. First result counts.

    :param board: the leased board.
    :return: the flasher, or ``None``.
    """


# ---------------------------------------------------------------------------------------------------------
# Services and virtual boards
# ---------------------------------------------------------------------------------------------------------


@hookspec
def harness_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Give the provisioning services that this plugin knows. Runs in C, W and L.

    :return: specifications; nothing heavy is imported before a service is used.
    """


@hookspec
def harness_introduce_board(board: LeasedBoard, backend: Backend) -> None:
    """Make a board and a service known to each other. Runs in W, before the first test that uses both.

    A fake learns the board's factory record here, and a virtual board the address of its service. What a
    report has to say of every test on the board from now on is added to ``board.remarks``.
    Does nothing for a board or a backend that is not this plugin's.

    :param board: the leased board.
    :param backend: the service in use.
    """


@hookspec
def harness_virtual_boards() -> Iterable[VirtualKind]:  # type: ignore[empty-body]
    """Give the kinds of virtual board that the bench can host. Runs in B, C and L.

    :return: kinds with their factories as ``module:function``.
    """


# ---------------------------------------------------------------------------------------------------------
# Secrets, notices, evidence
# ---------------------------------------------------------------------------------------------------------


@hookspec
def harness_secrets() -> Iterable[Secret]:  # type: ignore[empty-body]
    """Give patterns and values that must never be written. Runs everywhere.

    :return: secrets; each has a label that stands in its place.
    """


@hookspec
def harness_board_leased(board: LeasedBoard) -> None:
    """Take notice that a board is ours. Runs in C and W.

    In a worker it may be so for one test only, which takes several boards: another worker lends it.

    :param board: the leased board.
    """


@hookspec
def harness_board_released(board: LeasedBoard) -> None:
    """Take notice that a board is about to be given back. Runs in C and W.

    :param board: the leased board, still usable.
    """


@hookspec
def harness_board_lost(board: LeasedBoard) -> None:
    """Take notice that an attached board went away. Runs in C, and in W when a test ends on such a board.

    :param board: the board; its endpoints are gone. What opens any of them waits for its return.
    """


@hookspec
def harness_collect_evidence(board: LeasedBoard, item: pytest.Item) -> Mapping[str, bytes]:  # type: ignore[empty-body]
    """Give attachments for the report of a failed test. Runs in W.

    :param board: the board that the test used; of several, one after the other.
    :param item: the test.
    :return: contents by file name; they are redacted before they are attached.
    """


@hookspec
def harness_cli_commands() -> Iterable[tuple[str, typer.Typer]]:  # type: ignore[empty-body]
    """Give a vendor's own commands. Runs in L.

    :return: pairs of a name and a Typer application: ``("nrfcloud", app)`` becomes ``harness nrfcloud ...``.
    """
