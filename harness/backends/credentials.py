"""Credentials of a service, from the environment or from a file that its owner alone can read.

A variable ``NAME`` holds the secret itself; ``NAME_FILE`` names a file that holds it.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from harness.errors import UsageError

#: What a secret may be long, in bytes.
LONGEST_SECRET = 4096
#: Form of a key or token: what can be in a header.
TOKEN = re.compile(rb"[!-~]+")
#: Form of a password: any text (UTF-8) in one line.
PASSWORD = re.compile(rb"[^\x00-\x1f\x7f]+")
_EXPECTED = {
    TOKEN: "printable ASCII without blanks, nothing else",
    PASSWORD: "one line of text (UTF-8), nothing else",
}
_OTHERS = 0o077


def read_secret(variable: str, *, what: str) -> str | None:
    """Return what a variable holds, or the file that it names with ``_FILE`` behind it.

    :param variable: name of the variable.
    :return: the secret; ``None``: neither is set.
    :param what: what the secret is called in messages, for example ``API key``.
    :raises UsageError: it does not fit, or see :func:`read_secret_file`.
    """
    secret = os.environ.get(variable, "").strip()
    if secret:
        return fitting_secret(secret, named_by=variable, what=what)
    file_variable = f"{variable}_FILE"
    name = os.environ.get(file_variable, "")
    return read_secret_file(Path(name), named_by=file_variable, what=what) if name else None


def fitting_secret(secret: str, *, named_by: str, what: str, form: re.Pattern[bytes] = TOKEN) -> str:
    """Return a secret that somebody said, if it can be one.

    :param named_by: variable or option that holds it, for messages; the secret itself is never in one.
    :param what: what it is called in messages.
    :param form: :data:`TOKEN` or :data:`PASSWORD`.
    :raises UsageError: it cannot be one.
    """
    if not _fits(secret.encode("utf-8", "surrogateescape"), form):
        raise UsageError(f"no {what}", key=named_by, expected=_EXPECTED[form])
    return secret


def read_secret_file(file: Path, *, named_by: str, what: str, form: re.Pattern[bytes] = TOKEN) -> str:
    """Read a secret from a file that its owner alone can read.

    :param named_by: variable, option or key that names the file, for messages.
    :param what: what the secret is called in messages, for example ``API key``.
    :param form: :data:`TOKEN`, around which blanks do not count, or :data:`PASSWORD`, where the end of its
        line does not.
    :raises UsageError: there is no such file, others may read it, or it holds nothing that fits.
    """
    content = read_private_file(file, named_by=named_by, what=what)
    content = content.strip() if form is TOKEN else content.rstrip(b"\r\n")
    if not _fits(content, form):
        raise UsageError(
            f"holds no {what}", file=file, key=named_by, expected=f"the {_short(what)} and nothing else"
        )
    return content.decode()


def read_private_file(file: Path, *, named_by: str, what: str) -> bytes:
    """Read what its owner alone can read, a little more than the longest secret at most.

    :param named_by: variable, option or key that names the file, for messages.
    :param what: what it holds, for messages.
    :raises UsageError: there is no such file, it is no plain one, or others may read it.
    """
    try:
        # A FIFO would have us wait for whoever writes to it.
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=file, key=named_by) from error
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise UsageError("no plain file", file=file, key=named_by)
        if state.st_mode & _OTHERS:
            raise UsageError(
                f"others may read the {_short(what)}",
                file=file,
                key=named_by,
                value=f"mode {stat.S_IMODE(state.st_mode):04o}",
                expected=f"mode 0600: chmod 600 {file}",
            )
        return os.read(descriptor, LONGEST_SECRET + 2)
    finally:
        os.close(descriptor)


def ca_file(variable: str) -> Path | None:
    """Return the file of the authorities to trust instead of the host's, if a variable names one.

    :param variable: name of the variable.
    :raises UsageError: the file is not there.
    """
    name = os.environ.get(variable, "")
    if not name:
        return None
    if not Path(name).is_file():
        raise UsageError("no such file", key=variable, value=name, expected="certificates (PEM)")
    return Path(name)


def _fits(secret: bytes, form: re.Pattern[bytes]) -> bool:
    if not form.fullmatch(secret) or len(secret) > LONGEST_SECRET:
        return False
    try:
        secret.decode()
    except UnicodeDecodeError:
        return False
    return True


def _short(what: str) -> str:
    """Return what a thing is called that was named in full before: ``key`` for ``API key``."""
    return what.rpartition(" ")[2]
