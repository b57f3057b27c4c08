"""Boards that are asked, as tests write them down."""

from __future__ import annotations

from typing import Any

from harness.inventory.board import Board, Endpoint


def board_at(*paths: str, name: str = "b", ports: dict[str, int] | None = None, **facts: Any) -> Board:
    """A board with a console, and perhaps a trace."""
    endpoints = {
        role: Endpoint(role=role, url=path) for role, path in zip(("console", "trace"), paths, strict=False)
    }
    return Board(id=name, kind="k", driver="d", endpoints=endpoints, ports=ports or {}, **facts)
