"""The fixtures that give a test the clients of provisioning services: one a backend, called by its name."""

from __future__ import annotations

import types
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession, bare_address
from harness.errors import HarnessError
from harness.plugins import load_object
from harness.pytest_plugin.placement import (
    BOARD_FIXTURE,
    BOARDS_FIXTURE,
    fixture_names,
    how_to_add_backend,
    takes_boards,
)
from harness.pytest_plugin.report_pairs import pairs_of
from harness.pytest_plugin.state import EXCHANGES_KEY
from harness.recovery import is_in, is_kept, undo_in_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.backends.contract import BackendSpec, Change, Exchange
    from harness.backends.ledger import LedgerAccounts
    from harness.pytest_plugin.runner import TestRunner
    from harness.pytest_plugin.state import ActiveSession


class Services:
    """The clients of this process, made on first use."""

    def __init__(
        self, session: ActiveSession, runner: TestRunner, specs: Iterable[BackendSpec], *, place: str
    ) -> None:
        """Connect to nothing yet.

        :param session: the session as this process sees it.
        :param runner: knows which test is running.
        :param specs: every service that could be asked for.
        :param place: name by which services tell this worker from others; a replacement has that of the
            worker that it replaces, so that what a dead worker left in a service is not somebody else's.
        """
        self._session = session
        self._runner = runner
        self._specs = {spec.name: spec for spec in specs}
        self._place = place
        self._clients: dict[str, Any] = {}
        self._accounts: dict[str, LedgerAccounts] = {}
        self._resources = ExitStack()

    def close(self) -> None:
        """Close every client; idempotent."""
        self._clients.clear()
        self._resources.close()

    def fixtures(self) -> types.ModuleType:
        """Return a plugin with one fixture for each service."""
        plugin = types.ModuleType("harness.pytest_plugin.backend_fixtures")
        for spec in self._specs.values():
            setattr(plugin, spec.name, pytest.fixture(name=spec.name)(self._fixture_function(spec)))
        return plugin

    def _fixture_function(self, spec: BackendSpec) -> Callable[[pytest.FixtureRequest], Iterator[Any]]:
        def client(request: pytest.FixtureRequest) -> Iterator[Any]:
            yield from self.lend(request, spec.name)

        client.__doc__ = f"Client of {spec.title}; what a test makes there is undone after the test."
        return client

    def lend(self, request: pytest.FixtureRequest, name: str) -> Iterator[Any]:
        """Lend a test a client and undo afterwards what the test made in the service.

        The test's boards are asked for first, so that they are still in hand when the service is cleaned up.
        """
        if name not in self._session.backends:
            pytest.fail(how_to_add_backend(name), pytrace=False)
        item: pytest.Item = request.node
        if BOARD_FIXTURE in fixture_names(item):
            self._introduce(request.getfixturevalue(BOARD_FIXTURE), name)
        if takes_boards(item):
            for board in request.getfixturevalue(BOARDS_FIXTURE):
                self._introduce(board, name)
        client = self._client(name)
        yield client
        if self._runner.keeps(item):
            client.forget()
            if name in self._accounts:
                self._accounts[name].keep()
        else:
            client.undo()

    def _introduce(self, board: Any, name: str) -> None:
        if name not in board.introduced_to:
            self._session.plugins.hook.harness_introduce_board(
                board=board, backend=self._session.backends[name]
            )
            board.introduced_to.add(name)
            board.remarks[:] = dict.fromkeys(board.remarks)  # said again of a board that came back

    def undo_predecessor(self) -> None:
        """Undo what the worker that this one replaces left; what cannot be undone stays in the ledger."""
        ledger = self._session.ledger
        if ledger is None or self._session.settings.dry_run:
            return
        left = ledger.entries(session=self._session.run_id, worker=self._place)
        for name, backend in self._session.backends.items():
            entries = [entry for entry in left if is_in(entry, backend) and not is_kept(entry)]
            if entries:
                with suppress(HarnessError):
                    undo_in_service(ledger, entries, self._client(name), by=self._session.run_id)

    def _client(self, name: str) -> Any:
        if name not in self._clients:
            backend = self._session.backends[name]
            make = load_object(self._specs[name].client)
            session = BackendSession(
                run_id=self._session.run_id,
                worker=self._place,
                on_exchange=self._note,
                register_secret=self._register_secret,
            )
            if self._session.settings.dry_run and backend.mode != "fake":
                session.before_change = self._end_instead
            if self._session.ledger is not None:
                session.accounts = self._accounts[name] = self._session.ledger.accounts(
                    session=self._session.run_id,
                    worker=self._place,
                    backend=name,
                    mode=backend.mode,
                    url=backend.url,
                )
            self._clients[name] = make(backend, session)
            self._resources.callback(self._clients[name].close)
        return self._clients[name]

    def _end_instead(self, change: Change) -> None:
        """End the running test where it would change something, and say what; the dry run's whole work."""
        what = f"dry run: would call {change.operation}: {change.method} {bare_address(change.url)}"
        item = self._runner.current
        proven = "" if item is None else "; ".join(f"{name} {outcome}" for name, outcome in pairs_of(item))
        # At the place of the test, so that pytest's summary has a line for each.
        raise pytest.skip.Exception(
            f"{what} (to prove: {proven})" if proven else what, _use_item_location=True
        )

    def _register_secret(self, value: str, label: str) -> None:
        if value:  # a suite may try what an empty token does
            self._session.redactor.add(value, label)

    def _note(self, exchange: Exchange) -> None:
        item = self._runner.current
        if item is not None:
            item.stash[EXCHANGES_KEY].append(exchange)
