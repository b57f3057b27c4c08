"""Runs of the board's own agent, as its tests read them."""

from __future__ import annotations

from typing import Any

#: The command id of the fact sheet's examples.
ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"


def run(board: Any, wanted: int) -> list[dict[str, Any]]:
    """Provision once."""
    board.call("agent_log", clear=True)
    start = len(board.host.sent("console"))
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(f"\r\n#XNRFPROV: {wanted}\r\n".encode(), start=start)
    log: list[dict[str, Any]] = board.call("agent_log")
    return log


def events(log: list[dict[str, Any]]) -> list[str]:
    """Return the events of a log."""
    return [entry["event"] for entry in log if "event" in entry]


def commands(log: list[dict[str, Any]]) -> list[str]:
    """Return the AT commands of a log."""
    return [entry["at"] for entry in log if "at" in entry]
