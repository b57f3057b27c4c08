"""How pressed each sort of board is, when work that fits several sorts goes where there is room for it.

For each set of sorts of boards, the work that fits nowhere else, divided by the boards in the set, is a time
that nobody can beat. The most pressed set is kept from work that others can do as well; of the rest the most
pressed set comes next, and so on. These levels are found here as water finds its own: the work of each need
is poured into its sorts of boards, lowest first. Poured in turn, again and again, the levels settle; between
two decisions little changes, so that one round after some of them is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.scheduling.backlog import Need

_FIRST_ROUNDS = 40
#: The share of what is left that may be handed out before the levels are looked at again.
_DRIFT = 0.004


class Pool:
    """Boards between which no need makes a difference, or of one kind where such sorts are too many.

    :ivar boards: how many are there.
    :ivar load: board-seconds of queued work that is theirs.
    :ivar busy: how many of them run a test.
    :ivar until: the sum of the times when these are expected to be free.
    :ivar level: seconds until all is done, were it divided evenly.
    """

    __slots__ = ("boards", "busy", "level", "load", "until")

    def __init__(self) -> None:
        """Have no board."""
        self.boards = 0
        self.load = 0.0
        self.busy = 0
        self.until = 0.0
        self.level = 0.0

    def settle(self, now: float) -> None:
        """Say how high the work stands.

        :param now: the time.
        """
        running = max(0.0, self.until - self.busy * now)
        self.level = (max(0.0, self.load) + running) / self.boards if self.boards else 0.0


class Balance:
    """Keeps the levels."""

    def __init__(self) -> None:
        """Know of no work."""
        self._needs: list[Need] = []
        self._pools: dict[Pool, None] = {}
        self._left = 0.0
        self._given = 0.0
        self._stale = True
        self._settled = False

    def add(self, need: Need) -> None:
        """Spread the work of a need, too."""
        self._needs.append(need)
        self.disturb()

    def forget(self, need: Need) -> None:
        """Take away the work of a need, where it was spread."""
        for pool, share in zip(need.pools, need.shares, strict=True):
            pool.load -= share
        self._needs = [one for one in self._needs if one is not need]

    def disturb(self) -> None:
        """Boards came or went, or work came back: what was known does not hold."""
        self._stale = True

    def note(self, need: Need, pool: Pool, seconds: float) -> None:
        """Work of a need was taken by a board of a pool.

        :param seconds: board-seconds of it.
        """
        self._given += seconds
        pool.load -= seconds
        at = need.position.get(pool)
        if at is not None:
            need.shares[at] -= seconds

    def settle(self, now: float) -> None:
        """Let the levels settle, if enough has changed.

        :param now: the time.
        """
        if not self._stale and self._given <= _DRIFT * self._left:
            return
        for _ in range(1 if self._settled else _FIRST_ROUNDS):
            self._pour(now)
        self._settled = True
        self._stale = False
        self._given = 0.0

    def _pour(self, now: float) -> None:
        self._pools = dict.fromkeys(pool for need in self._needs for pool in need.pools)
        for need in self._needs:
            spread(need, now)
        for pool in self._pools:
            pool.load = 0.0
        for need in self._needs:
            for pool, share in zip(need.pools, need.shares, strict=True):
                pool.load += share
        for pool in self._pools:
            pool.settle(now)
        self._left = sum(pool.load for pool in self._pools)


def spread(need: Need, now: float) -> None:
    """Pour the work of one need into its pools, on top of what others have there.

    :param now: the time.
    """
    if len(need.pools) == 1:
        share = need.weights[0].total if need.queued else 0.0
        need.pools[0].load += share - need.shares[0]
        need.shares[0] = share
        return
    grounds = sorted(_grounds(need, now)) if need.queued else []
    level = _water_level([(ground, need.pools[at].boards, need.weights[at].total) for ground, at in grounds])
    wet = {at: max(0.0, level - ground) * need.pools[at].boards for ground, at in grounds}
    for at, pool in enumerate(need.pools):
        share = wet.get(at, 0.0)
        pool.load += share - need.shares[at]
        need.shares[at] = share


def _grounds(need: Need, now: float) -> Iterable[tuple[float, int]]:
    """Give what stands in each pool without this need's work, for a board, and the pool's position."""
    for at, pool in enumerate(need.pools):
        if pool.boards and need.weights[at].total > 0:
            others = max(0.0, pool.load - need.shares[at]) + max(0.0, pool.until - pool.busy * now)
            yield others / pool.boards, at


def _water_level(grounds: Iterable[tuple[float, int, float]]) -> float:
    """Return how high the work comes.

    :param grounds: for each pool what stands there for a board, its boards, and the board-seconds that the
        whole work would be there; the lowest pool first.
    """
    level = float("inf")
    rate = missing = 0.0
    for ground, boards, total in grounds:
        if level <= ground:
            break
        rate += boards / total
        missing += ground * boards / total
        level = (1.0 + missing) / rate
    return level if level < float("inf") else 0.0
