"""The key of a host that nobody knows yet: whoever trusts it on first use keeps it."""

from __future__ import annotations

import time
from contextlib import closing

import paramiko

from harness.errors import BoardLost
from harness.ssh.connection import reason_of
from harness.ssh.login import open_transport


def fetch_host_key(host: str, port: int, timeout: float) -> str:
    """Ask a host for its key; nobody logs in, and nobody vouches for the answer.

    :param host: name or address.
    :param port: TCP port.
    :param timeout: seconds in all.
    :return: ``KIND BASE64``, as ``known_hosts`` has it; of several keys the one that we like best.
    :raises BoardLost: nobody is there, or it speaks no SSH.
    """
    try:
        with closing(open_transport(host, port, time.monotonic() + timeout)) as transport:
            key = transport.get_remote_server_key()
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise BoardLost(f"{host}:{port}: {reason_of(error)}") from error
    return f"{key.get_name()} {key.get_base64()}"
