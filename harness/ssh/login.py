"""How a connection by SSH begins: the board proves who it is, and lets us in.

The methods are tried as an ordinary client tries them: ``none`` first (RFC 4252, section 5.2: a development
image lets in a user who has no password), then our key, then our password, as far as the address has them. No
agent, no other key and no password of whoever runs this is tried.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
from paramiko.auth_handler import AuthHandler

from harness.errors import RigFault, UsageError
from harness.ssh.address import split_host_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.ssh.address import SshAddress

    _Method = Callable[[AuthHandler, threading.Event], object]

# What the library writes of a connection that breaks is in our own errors; where nobody set up logging its
# tracebacks would go to standard error.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

#: The service that logs users in (RFC 4252, section 4).
_USERAUTH = "ssh-userauth"
_INTERACTIVE = "keyboard-interactive"
#: What a board's key may be used with, where that is called otherwise than the key (RFC 8332).
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


def log_in(address: SshAddress, name: str, deadline: float) -> paramiko.Transport:
    """Connect to a board and log in.

    :param name: what it is called in messages.
    :param deadline: by :func:`time.monotonic`.
    :return: the connection; the caller closes it.
    :raises RigFault: it is another board, or does not let us in.
    :raises UsageError: the board's key or ours cannot be read.
    :raises OSError: the board is not there, or goes away; also :class:`EOFError` and
        :class:`paramiko.SSHException`.
    """
    kind, data = _host_key(address, name)
    methods = _methods(address, name)
    with ExitStack() as undo:
        transport = open_transport(address.host, address.port, deadline, kind=kind)
        undo.callback(transport.close)
        found = transport.get_remote_server_key()
        if found.asbytes() != data:
            raise RigFault(
                f"{name}: what answers at {address} is another one: its key is"
                f" {found.get_name()} {found.get_base64()}"
            )
        _be_let_in(transport, address, name, methods, deadline)
        undo.pop_all()
    return transport


def open_transport(host: str, port: int, deadline: float, *, kind: str = "") -> paramiko.Transport:
    """Connect to a host until its key is known; nobody has logged in yet.

    :param kind: kind of the key that it is asked for first, if it has several.
    :param deadline: by :func:`time.monotonic`.
    :return: the connection; the caller closes it.
    :raises OSError: nobody is there, or goes away; also :class:`EOFError` and :class:`paramiko.SSHException`.
    """
    with ExitStack() as undo:
        link = socket.create_connection((host, port), left(deadline))
        undo.callback(link.close)
        # Commands are short: none waits until there is more to send with it.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(link)
        undo.callback(transport.close)
        transport.banner_timeout = transport.handshake_timeout = left(deadline)
        options = transport.get_security_options()
        first = _ALGORITHMS.get(kind, (kind,))
        options.key_types = sorted(options.key_types, key=lambda each: each not in first)
        transport.start_client(timeout=left(deadline))
        if not transport.initial_kex_done:
            raise TimeoutError
        undo.pop_all()
    return transport


def left(deadline: float) -> float:
    """Return the seconds that are left; there is always a moment to see what is there already."""
    return max(0.001, deadline - time.monotonic())


def _be_let_in(
    transport: paramiko.Transport,
    address: SshAddress,
    name: str,
    methods: dict[str, _Method],
    deadline: float,
) -> None:
    """Try one method after the other.

    :raises RigFault: none of them is enough.
    :raises EOFError: the board went away.
    :raises TimeoutError: it does not answer.
    """
    tried: list[str] = []
    offered: Sequence[str] = ()
    transport.auth_handler = handler = _Authentication(transport)
    for method, attempt in methods.items():
        if method == _INTERACTIVE and ("password" in offered or method not in offered):
            continue
        tried.append(method)
        transport.auth_timeout = left(deadline)
        answered = threading.Event()
        try:
            attempt(handler, answered)
            handler.wait_for_response(answered)
        except paramiko.BadAuthenticationType as error:
            offered = error.allowed_types
        except paramiko.AuthenticationException as error:
            if not transport.is_active():
                raise EOFError(f"the connection ended when we logged in by {method}") from error
            if time.monotonic() >= deadline:
                raise TimeoutError from error
        if transport.is_authenticated():
            return
    takes = f"; it takes {', '.join(offered)}" if offered else ""
    raise RigFault(f"{name}: {address} does not let us in by {', '.join(tried)}{takes}")


class _Authentication(AuthHandler):
    """Asks for the service that logs users in once, however many methods are tried (RFC 4253, section 10).

    The library's own asks for it with every method; some servers end the connection then.
    """

    _asked = False

    def _request_auth(self) -> None:
        if self._asked:
            granted = paramiko.Message()
            granted.add_string(_USERAUTH)
            granted.rewind()
            self._parse_service_accept(granted)  # type: ignore[attr-defined]  # the stubs leave it out
        else:
            self._asked = True
            super()._request_auth()  # type: ignore[misc]  # the stubs leave it out


def _methods(address: SshAddress, name: str) -> dict[str, _Method]:
    user, password = address.user, address.password
    methods: dict[str, _Method] = {"none": lambda handler, answered: handler.auth_none(user, answered)}
    if address.key or address.key_file:
        key = _own_key(address, name)
        methods["key"] = lambda handler, answered: handler.auth_publickey(user, key, answered)
    if password:
        # A server that hands passwords on to PAM may ask for them by the other one alone.
        methods["password"] = lambda handler, answered: handler.auth_password(user, password, answered)
        methods[_INTERACTIVE] = lambda handler, answered: handler.auth_interactive(
            user, lambda _title, _text, asked: [password] * len(asked), answered
        )
    return methods


def _host_key(address: SshAddress, name: str) -> tuple[str, bytes]:
    try:
        return split_host_key(address.host_key)
    except ValueError as error:
        raise UsageError(f"board {name}: {error}", key="host_key", expected="KIND BASE64") from error


def _own_key(address: SshAddress, name: str) -> paramiko.PKey:
    try:
        if address.key:
            return _read_key(address.key)
        return _read_key(Path(address.key_file).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, paramiko.SSHException) as error:
        raise UsageError(
            f"board {name}: its private key cannot be read: {error}",
            key="key_file",
            value=address.key_file,
            expected="a private key without a passphrase that this user may read",
        ) from error


def _read_key(text: str) -> paramiko.PKey:
    """Read a private key of any kind."""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError):
            continue
    raise ValueError("no private key of a kind that is known")
