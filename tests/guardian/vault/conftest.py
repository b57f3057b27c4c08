"""One Vault for all tests of a module, with the authorities of one system."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.guardian.vault.authority import Mounted
from tests.guardian.vault.served import served_vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    import hvac

    from tests.guardian.vault.served import Served


@pytest.fixture(scope="module")
def vault() -> Iterator[Served]:
    """Give a Vault that listens."""
    with served_vault() as served:
        yield served


@pytest.fixture(scope="module")
def client(vault: Served) -> Iterator[hvac.Client]:
    """Give a client with the token."""
    client = vault.client()
    yield client
    client.adapter.close()


@pytest.fixture(scope="module")
def mounted(vault: Served, client: hvac.Client) -> Mounted:
    """Give root and intermediate of a system, set up through hvac; tests write roles of their own."""
    return Mounted(vault, client, uuid.uuid4().hex)
