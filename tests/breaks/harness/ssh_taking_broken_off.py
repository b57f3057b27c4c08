"""Break: a cut of a virtual board's SSH breaks off the taking of who comes at that moment."""

from __future__ import annotations

import asyncio

from harness.virtual.ssh.server import SshServer
from tests.breaks.support.patching import replaces

TITLE = "a cut of a virtual board's SSH breaks off the taking of who comes at that moment"
NOTICED_BY = ("tests/virtual/ssh/test_server.py::test_cut_while_somebody_comes",)
ABOUT = r"board\.greets"


@replaces(SshServer, "_cut_all")
async def _cut_all(self: SshServer) -> None:
    """Cancel who is being taken."""
    async with self._turn:
        self._end_accepting()
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        if self._connections is not None:
            await self._connections.cut()
        self._close_silent()
