"""A person's account: whose key it is, where the service is, and what is asked of it by hand."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness_pelion.client import PelionClient
    from harness_pelion.stores import UserStore

REAL_URL = "https://api.us-east-1.mbedcloud.com"
KEY_VARIABLE = "PELION_API_KEY"
_STDIN = "-"
_LONGEST_KEY = 4096

Url = Annotated[str, typer.Option(envvar="PELION_URL", metavar="URL", help="Address of the service.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("save-api-key")(save_api_key)


def save_api_key(
    key: Annotated[
        str,
        typer.Argument(
            metavar="[KEY]",
            help="The key, or '-' to read it from standard input."
            f" Default: ${KEY_VARIABLE}, ${KEY_VARIABLE}_FILE, else you are asked.",
        ),
    ] = "",
    *,
    url: Url = REAL_URL,
) -> None:
    """Ask the service whether it knows an API key, and keep it in your user store.

    A key that is kept already is replaced. Give no key as an argument: others can see it in the list of
    processes.
    """
    from harness_pelion.stores import open_stores

    store = open_stores().user
    secret = _key_said(key)
    with account(url, secret) as user:
        found = user.account()
    store.save_api_key(secret)
    name = shown(found.display_name or found.id)
    typer.echo(f"API key of account {name} ({shown(found.id)}): kept in {store.directory}")


def _key_said(argument: str) -> str:
    """Return the key that a person says, by whatever way."""
    from harness.backends.credentials import fitting_secret, read_secret

    if argument and argument != _STDIN:
        sys.stderr.write(
            "harness: warning: others can see an argument in the list of processes, and your shell keeps it;"
            f" leave it out to be asked, or use '-' or {KEY_VARIABLE}\n"
        )
        return fitting_secret(argument.strip(), named_by="KEY", what="API key")
    if argument == _STDIN:
        said = sys.stdin.read(_LONGEST_KEY + 1).strip()
        if not said:
            raise UsageError("no API key", key="standard input", expected="the key, in one line")
        return fitting_secret(said, named_by="standard input", what="API key")
    known = read_secret(KEY_VARIABLE, what="API key")
    if known is not None:
        return known
    if not sys.stdin.isatty():
        raise UsageError(
            "no API key", key="KEY", expected=f"'-' to read it from standard input, or {KEY_VARIABLE}"
        )
    said = str(typer.prompt("API key", hide_input=True, err=True)).strip()
    return fitting_secret(said, named_by="KEY", what="API key")


def key_of(store: UserStore) -> str:
    """Return the key to ask with: that of the environment, else the one that is kept.

    :raises UsageError: there is none, or others can read it.
    """
    from harness.backends.credentials import read_secret

    key = read_secret(KEY_VARIABLE, what="API key") or store.api_key()
    if key is None:
        raise UsageError(
            "You have not added an API key to the store.",
            expected=f"'harness pelion save-api-key' first, or {KEY_VARIABLE}",
        )
    return key


@contextmanager
def account(url: str, key: str) -> Iterator[PelionClient]:
    """Ask the service with a key until the block ends; no message names the key meanwhile.

    :raises UsageError: the address is none.
    """
    from harness.by_hand import service_address
    from harness.redaction import COMMON_SECRETS, Redactor, Secret, protect_messages
    from harness_pelion.client import connect_by_hand
    from harness_pelion.plugin import harness_secrets

    address = service_address(url, "PELION_URL")
    known = Redactor([*COMMON_SECRETS, *harness_secrets(), Secret(label="Pelion API key", value=key)])
    with ExitStack() as resources:
        resources.enter_context(protect_messages(known))
        user = connect_by_hand(address, key)
        resources.callback(user.close)
        yield user


@contextmanager
def lazy_account(url: str, store: UserStore) -> Iterator[Callable[[], PelionClient]]:
    """Give something that opens the account when it is called first; closed when the block ends.

    Whoever has all certificates in the team store needs no key.
    """
    with ExitStack() as resources:
        opened: list[PelionClient] = []

        def open_it() -> PelionClient:
            if not opened:
                opened.append(resources.enter_context(account(url, key_of(store))))
            return opened[0]

        yield open_it


def shown(name: str) -> str:
    """Return a name as a terminal may have it: whoever made it may have written anything."""
    return name if name.isprintable() else repr(name)
