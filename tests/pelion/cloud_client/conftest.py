"""Certificates, two scripted servers, and a board on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pelion.cloud_client.paper_board import PaperBoard
from tests.pelion.cloud_client.pki import Pki, make_pki
from tests.pelion.cloud_client.scripted_server import BootstrapScript, RegistrationScript, ScriptedServer
from tests.pelion.cloud_client.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Keys and certificates; making them once is enough."""
    return make_pki()


@pytest.fixture(scope="session")
def pem_files(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The servers' certificates with keys, as files."""
    folder = tmp_path_factory.mktemp("servers")
    pki.bootstrap_server.write(folder, "bootstrap")
    pki.lwm2m_server.write(folder, "lwm2m")
    return folder


@pytest.fixture
def site(pki: Pki, pem_files: Path) -> Iterator[Site]:
    """Both servers, and a provisioned board that is not started yet."""
    bootstrap = ScriptedServer(pem_files, "bootstrap", pki.developer.pem)
    lwm2m = ScriptedServer(pem_files, "lwm2m", pki.lwm2m_authority.pem)
    board = PaperBoard()
    board.provision(pki, bootstrap.port)
    dialogue = BootstrapScript(pki, f"coaps://127.0.0.1:{lwm2m.port}")
    registration = RegistrationScript()
    bootstrap.always(dialogue)
    lwm2m.always(registration)
    try:
        yield Site(pki, board, bootstrap, lwm2m, dialogue, registration)
    finally:
        board.close()
        bootstrap.close()
        lwm2m.close()
