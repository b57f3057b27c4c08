"""A board in hand: its description, its consoles, its driver and its controls, with one owner."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from harness.backends.contract import UnkeptAccounts
from harness.config import RECONNECT_SECONDS, BoardSettings
from harness.errors import RigFault, UsageError
from harness.inventory.device_nodes import nodes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.backends.contract import Accounts
    from harness.console import Console
    from harness.control import Flasher, PowerSwitch
    from harness.errors import BoardLost
    from harness.inventory.board import Board
    from harness.inventory.seeking import BoardSeeker
    from harness.plugins import HarnessPluginManager
    from harness.virtual.client import BenchClient, VirtualBoardControls


class LeasedBoard:
    """A board that this session holds. Consoles, driver and controls are made on first use.

    :ivar description: what the inventory knows of the board; kept true when it moves to other ports.
    :ivar lost: why a console gave up waiting for the board to come back; ``None`` while none did.
    :ivar settings: what the session allows with its boards.
    :ivar accounts: where a driver notes what it is about to change on the board.
    :ivar remarks: what a report has to say of every test on this board from now on; a plugin adds to it.
    :ivar introduced_to: the services that know the board as it is open now (``harness_introduce_board``).
    """

    def __init__(
        self,
        description: Board,
        plugins: HarnessPluginManager,
        *,
        capture_directory: Path | None,
        on_console: Callable[[LeasedBoard, str, Console], None] | None = None,
        settings: BoardSettings | None = None,
        accounts: Accounts | None = None,
        register_secret: Callable[[str, str], None] | None = None,
        on_found: Callable[[Board, Callable[[], bool]], None] | None = None,
    ) -> None:
        """Hold a board.

        :param description: the board.
        :param plugins: where drivers and controls come from.
        :param capture_directory: where consoles keep what they capture; ``None`` keeps it in memory.
        :param on_console: called with this board, the role and the console whenever a console was opened.
        :param settings: what the session allows with its boards.
        :param accounts: keeps what a driver is about to change.
        :param register_secret: called with every secret that a driver learns, and a label for it.
        :param on_found: called whenever the board was looked for and found, with what is known of it now and
            with what tells whether it is still held; on any thread.
        """
        self.description = description
        self._plugins = plugins
        self._capture_directory = capture_directory
        self._on_console = on_console
        self._register_secret = register_secret
        self._on_found = on_found
        self.settings = settings or BoardSettings()
        self.accounts: Accounts = accounts or UnkeptAccounts()
        self.remarks: list[str] = []
        self.introduced_to: set[str] = set()
        if description.ambiguous:
            how = "told apart by asking" if description.confirmed else "known by its place alone"
            self.remarks.append(f"{how}: {description.ambiguity}")
        self.lost: BoardLost | None = None
        self._believed = nodes_of(description)
        self._resources = ExitStack()
        self._endpoints: dict[str, Any] = {}
        self._seeker: BoardSeeker | None = None
        self._driver: Any = None
        self._bench: BenchClient | None = None
        self._virtual: VirtualBoardControls | None = None

    @property
    def id(self) -> str:
        """The board's identity."""
        return self.description.id

    @property
    def kind(self) -> str:
        """Name of the board's profile."""
        return self.description.kind

    @property
    def capabilities(self) -> frozenset[str]:
        """What tests may ask for."""
        return self.description.capabilities

    def register_secret(self, value: str, label: str) -> None:
        """Say that a text must never be written; drivers call it where a secret enters.

        :param value: the secret.
        :param label: what stands in its place.
        """
        if self._register_secret is not None and value:  # a suite may try what an empty one does
            self._register_secret(value, label)

    @property
    def doubted(self) -> bool:
        """Whether it was plugged in anew since it said who it is: it is asked when it is opened next.

        A test that listens is not disturbed by the question.
        """
        return self.description.confirmed and nodes_of(self.description) != self._believed

    def believe(self) -> None:
        """Take note that what is there now said that it is this board."""
        self._believed = nodes_of(self.description)

    @property
    def console(self) -> Console:
        """The console of role ``console``, opened on first use.

        :raises BoardLost: it cannot be opened.
        """
        endpoint: Console = self.endpoint("console")
        return endpoint

    @property
    def open_consoles(self) -> Mapping[str, Console]:
        """The consoles that are open now, by role."""
        opened = list(self._endpoints.items())  # at once: others look while one more is opened
        return {role: endpoint for role, endpoint in opened if hasattr(endpoint, "expect")}

    def endpoint(self, role: str) -> Any:
        """Return the endpoint of a role, opened on first use and closed with the board.

        The board is looked for before, by who it is: what was its port may belong to another one by now.

        :raises UsageError: the board has no endpoint of that role.
        :raises BoardLost: it cannot be opened.
        """
        if role not in self._endpoints:
            self._endpoints[role] = self._open(role)
            self._resources.callback(self._endpoints[role].close)
            if self._on_console is not None and role in self.open_consoles:
                self._on_console(self, role, self._endpoints[role])
        return self._endpoints[role]

    def _open(self, role: str) -> Any:
        opened = self._plugins.hook.harness_open_endpoint(board=self, role=role)
        if opened is not None:
            return opened
        endpoint = self.description.endpoints.get(role)
        if endpoint is None:
            raise UsageError(
                f"board {self.id} has no endpoint of this role",
                key="role",
                value=role,
                expected=" or ".join(sorted(self.description.endpoints)) or "a board with endpoints",
            )
        from harness.inventory.seeking import BoardSeeker

        if self._seeker is None:
            self._seeker = BoardSeeker(
                self, self._plugins, seconds=self.reconnect_seconds, on_found=self._on_found
            )
        return self._seeker.open(role, f"{self.id}-{role}", self._capture_directory)

    @property
    def reconnect_seconds(self) -> float:
        """How long the board is waited for when it goes away."""
        if self.settings.reconnect_seconds is not None:
            return self.settings.reconnect_seconds
        return 0.0 if self.description.virtual else RECONNECT_SECONDS

    @property
    def driver(self) -> Any:
        """The driver that speaks the board's dialect.

        :raises UsageError: no plugin makes the driver that the board's profile names.
        """
        if self._driver is None:
            self._driver = self._plugins.hook.harness_make_driver(board=self)
            if self._driver is None:
                raise UsageError(
                    f"no plugin makes the driver of board {self.id}",
                    key="driver",
                    value=self.description.driver,
                    expected="a driver of an installed plugin (harness_make_driver)",
                )
        return self._driver

    @property
    def made_driver(self) -> Any:
        """The driver if it was used since the board was opened, else ``None``; makes and opens nothing."""
        return self._driver

    @property
    def virtual(self) -> VirtualBoardControls:
        """The bench's controls of a virtual board: plug, power, line faults, the vendor's own calls.

        :raises RigFault: the board is not virtual.
        """
        if self.description.bench is None:
            raise RigFault(f"board {self.id} is hardware; the virtual bench cannot control it")
        if self._virtual is None:
            from harness.virtual.client import BenchClient

            self._bench = BenchClient(self.description.bench)
            self._virtual = self._bench.board(self.id)
        return self._virtual

    @property
    def power(self) -> PowerSwitch | None:
        """The board's power switch, if the bench or a plugin has one for it."""
        if self.description.virtual:
            return self.virtual
        switch: PowerSwitch | None = self._plugins.hook.harness_make_power_switch(board=self)
        return switch

    @property
    def flasher(self) -> Flasher | None:
        """What writes firmware to the board, if a plugin has it."""
        flasher: Flasher | None = self._plugins.hook.harness_make_flasher(board=self)
        return flasher

    def close(self) -> None:
        """Close consoles and connections; the board may be opened anew afterwards."""
        if self._seeker is not None:
            self._seeker.close()
            self._seeker = None
        self._driver = None
        self.introduced_to.clear()  # what a service needed was told to the driver
        self._endpoints.clear()
        self._resources.close()
        if self._bench is not None:
            self._bench.close()  # whoever kept the controls may use them once more, until the next close
