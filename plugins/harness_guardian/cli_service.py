"""What a technician asks of the service, from the submission of a request to the report of its device."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import BackendFault, UsageError
from harness.files import check_target, write_file
from harness_guardian.cli_files import read_file
from harness_guardian.enums import STATUS_TEXTS, Action, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness_guardian.cli_technician import Technician
    from harness_guardian.client_models import HistoryEntry, RequestRow

#: How long ``wait`` waits unless it is told otherwise: somebody has to approve.
USUAL_WAIT = 600.0

RequestId = Annotated[str, typer.Argument(metavar="REQUEST_ID", help="Id of the request.")]
RequestIds = Annotated[list[str], typer.Argument(metavar="REQUEST_ID...", help="Ids of requests.")]
Url = Annotated[str, typer.Option(envvar="GUARDIAN_URL", metavar="URL", help="Address of the service.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File that holds your token and that only you can read."
        " Default: $GUARDIAN_TOKEN, $GUARDIAN_TOKEN_FILE, else you are asked.",
    ),
]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="How long to wait.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("submit")(submit)
    app.command("wait")(wait)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("provision")(provision)
    app.command("download")(download)
    app.command("complete")(complete)
    app.command("report")(report)


def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The provisioning request (.mcpr).")],
    *,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Submit a provisioning request; the same file submitted again does no harm."""
    content = read_file(file)
    with technician(url, token_file) as user:
        taken = user.submit(content)
    new = "" if taken.created else " (it was submitted before)"
    typer.echo(f"{taken.request_id}: {_text_of(taken.status)}{new}; next: wait {taken.request_id}")


def wait(
    request_id: RequestId,
    *,
    url: Url = "",
    token_file: TokenFile = None,
    timeout: Timeout = USUAL_WAIT,
) -> None:
    """Wait until a request is provisioned, and say meanwhile which states it passes.

    Ends with 0 when it is provisioned, and with 1 when it failed, was rejected, or the time is over.
    """
    with technician(url, token_file) as user:
        row = follow(user, request_id, timeout)
    if row.status is not Status.PROVISIONED:
        why = f"; error code: {row.error_code.value}" if row.error_code is not None else ""
        raise BackendFault(f"request {request_id} ended as {row.provisioning_status!r}{why}")
    typer.echo(f"next: download {request_id}")


def follow(user: Technician, request_id: str, timeout: float) -> RequestRow:
    """Wait for the end of a request, and say each state that it passes once.

    :raises BackendFault: it did not end in time.
    """
    deadline = time.monotonic() + timeout
    said = 0
    while True:
        row = user.request(request_id)
        history = user.history(request_id)
        for entry in history[said:]:
            typer.echo(_line(entry))
        said = len(history)
        if row.is_final:
            return row
        left = deadline - time.monotonic()
        if left <= 0:
            raise BackendFault(
                f"request {request_id} did not end within {timeout:g} s; it is {row.provisioning_status!r}"
            )
        if row.actions:
            choices = " or ".join(action.value for action in row.actions)
            sys.stderr.write(f"harness: it waits for somebody to {choices} it\n")
        try:
            user.wait_for(request_id, *(set(Status) - {row.status}), timeout=left)
        except BackendFault:
            if time.monotonic() < deadline:
                raise


def approve(request_ids: RequestIds, *, url: Url = "", token_file: TokenFile = None) -> None:
    """Approve requests that need approval. Admins only."""
    _of_each(partial(_act, Action.APPROVE), request_ids, url, token_file)


def reject(request_ids: RequestIds, *, url: Url = "", token_file: TokenFile = None) -> None:
    """Reject requests that need approval. Admins only."""
    _of_each(partial(_act, Action.REJECT), request_ids, url, token_file)


def provision(request_ids: RequestIds, *, url: Url = "", token_file: TokenFile = None) -> None:
    """Provision the devices of requests that were approved. Admins only."""
    _of_each(partial(_act, Action.PROVISION), request_ids, url, token_file)


def complete(request_ids: RequestIds, *, url: Url = "", token_file: TokenFile = None) -> None:
    """Say for devices without a network that their certified profiles are installed. Admins only.

    A system that completes on installation takes the devices for provisioned then, and not before.
    """
    _of_each(_complete, request_ids, url, token_file)


def _act(action: Action, user: Technician, request_id: str) -> RequestRow:
    return user.act(action, request_id)


def _complete(user: Technician, request_id: str) -> RequestRow:
    user.report_installed(request_id)
    return user.request(request_id)


def _of_each(
    ask: Callable[[Technician, str], RequestRow], request_ids: list[str], url: str, token_file: Path | None
) -> None:
    """Ask the same of several requests; what is refused for one of them does not stop the others."""
    refused = []
    with technician(url, token_file) as user:
        for request_id in dict.fromkeys(request_ids):
            try:
                row = ask(user, request_id)
            except BackendFault as fault:
                refused.append(str(fault))
                sys.stderr.write(f"harness: {request_id}: {fault}\n")
            else:
                typer.echo(f"{request_id}: {row.provisioning_status}")
    if refused:
        raise BackendFault(f"{len(refused)} of {len(set(request_ids))} requests: refused")


def download(
    request_id: RequestId,
    *,
    output: Output,
    force: Force = False,
    url: Url = "",
    token_file: TokenFile = None,
    timeout: Timeout = 0.0,
) -> None:
    """Write the certified profile of a provisioned request to a file (.mccp)."""
    check_target(output, force=force)
    with technician(url, token_file) as user:
        profile = user.certified_profile(request_id, timeout)
    write_file(output, profile.encode(), force=force)
    typer.echo(f"{output}: certified profile of request {request_id}; next: install {output}")


def report(
    request_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REQUEST_ID...]", help="Of these requests only. Default: of all devices."),
    ] = None,
    *,
    output: Output,
    system: Annotated[str, typer.Option(metavar="NAME", help="The system.")],
    force: Force = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Write the device provisioning report of a system (CSV)."""
    check_target(output, force=force)
    with technician(url, token_file) as user:
        made = user.report("selected" if request_ids else "all", system=system, ids=request_ids or None)
    write_file(output, made.content, force=force)
    typer.echo(f"{output}: {len(made.rows)} device{'' if len(made.rows) == 1 else 's'}")


@contextmanager
def technician(url: str, token_file: Path | None) -> Iterator[Technician]:
    """Be a user of the service until the block ends.

    :raises UsageError: nobody says where the service is, or there is no token.
    """
    from harness.by_hand import service_address
    from harness.redaction import COMMON_SECRETS, Redactor, Secret, protect_messages
    from harness_guardian.cli_technician import Technician
    from harness_guardian.plugin import harness_secrets

    address = service_address(url, "GUARDIAN_URL")
    token = _token(token_file)
    known = Redactor([*COMMON_SECRETS, *harness_secrets(), Secret(label="Guardian token", value=token)])
    with ExitStack() as resources:
        resources.enter_context(protect_messages(known))
        user = Technician(address, token)
        resources.callback(user.close)
        yield user


def _token(file: Path | None) -> str:
    """Return the user's token.

    :raises UsageError: there is none, or it cannot be one.
    """
    from harness_guardian.client_access import TOKEN_VARIABLE, read_token, read_token_file

    if file is not None:
        return read_token_file(file, named_by="--token-file")
    token = read_token(TOKEN_VARIABLE)
    if token is None and sys.stdin.isatty():
        token = str(typer.prompt("Guardian token", hide_input=True, err=True)).strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            "no token",
            key=TOKEN_VARIABLE,
            expected=f"the token of a user, in the environment, by {TOKEN_VARIABLE}_FILE or by --token-file",
        )
    return token


def _line(entry: HistoryEntry) -> str:
    by = f" by {entry.by}" if entry.by else ""
    return f"{entry.at.isoformat(timespec='seconds')}  {entry.text}{by}"


def _text_of(status: Status) -> str:
    return STATUS_TEXTS.get(status, status.value)
