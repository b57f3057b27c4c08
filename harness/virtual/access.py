"""Who may use a bench: the user who started it, or every user of the host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchAccess:
    """The permissions of what a bench makes.

    :ivar shared: whether users other than the bench's may use it, and control it.
    :ivar directory: mode of its directories.
    :ivar socket: mode of its control socket.
    :ivar tty: mode of its ptys; ``None`` leaves them as the kernel made them.
    :ivar leases: mode of the directory of leases; whoever reaches that may open each file in it.
    """

    shared: bool
    directory: int
    socket: int
    tty: int | None
    leases: int


PRIVATE = BenchAccess(shared=False, directory=0o700, socket=0o600, tty=None, leases=0o700)
# In a sticky directory nobody removes the lease that another user holds.
SHARED = BenchAccess(shared=True, directory=0o755, socket=0o666, tty=0o666, leases=0o1777)
