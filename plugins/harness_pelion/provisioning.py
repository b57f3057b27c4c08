"""How a person provisions the selected device: credentials looked up or made, then put onto the device.

The order is that of MBL CLI (pelion fact sheet, section 1.6). What can be seen to be wrong is seen before the
service or the device is asked for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BoardFault, RequestRefused, UsageError
from harness_pelion.resources import DeveloperCredentials, UpdateResources
from harness_pelion.store_files import is_file
from harness_pelion.stores import check_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.client import PelionClient
    from harness_pelion.driver_models import Outcome
    from harness_pelion.driver_steps import RemoteDevice
    from harness_pelion.stores import TeamStore

_CONFLICT = 409
_LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants a device to be provisioned with.

    :ivar certificate: name of the developer certificate.
    :ivar update: name of the update resources.
    :ivar create: make the developer certificate.
    :ivar file: C file of the update resources, to be stored by their name first; ``None``: they are stored.
    """

    certificate: str
    update: str
    create: bool = False
    file: Path | None = None


def understand(certificate: str, update: str, *, create: bool, file: Path | None) -> Wish:
    """Tell the two spellings of the command apart.

    The product's document says ``CERT-NAME UPDATE-PATH --create-dev-cert``; every public version of MBL CLI
    wants ``CERT-NAME UPDATE-NAME -c -p UPDATE-PATH`` (pelion fact sheet, section 1.1). A second word that is
    a file counts as ``-p``, and the file's name without its ending as the name.

    :raises UsageError: a name is none, or a file is not there.
    """
    check_name(certificate, "CERT")
    if file is None and ("/" in update or update.endswith((".c", ".h")) or is_file(Path(update))):
        file = Path(update)
        update = file.stem
    if file is not None and not is_file(file):
        raise UsageError("there is no such file", file=file, expected="a C file of manifest-tool")
    check_name(update, "UPDATE")
    if update == certificate:
        raise UsageError(
            "is the name of the developer certificate too",
            key="UPDATE",
            value=update,
            expected="another name",
        )
    return Wish(certificate=certificate, update=update, create=create, file=file)


def prepare(
    wish: Wish, store: TeamStore, account: Callable[[], PelionClient], say: Callable[[str], None]
) -> tuple[DeveloperCredentials, UpdateResources]:
    """Do steps 1 to 4: have both sets of credentials in the team store.

    :param account: opens the account; called only when the service is to be asked.
    :param say: told what is done.
    :raises UsageError: something is wrong with names, files or stores.
    :raises BackendFault: the service does not do its part.
    """
    update = _parsed(wish)
    if update is not None:
        store.check_free(wish.update, UpdateResources, "UPDATE")
    elif store.update(wish.update) is None:
        raise UsageError(f"Certificate '{wish.update}' not found in the store.", expected=_known(store))
    store.check_free(wish.certificate, DeveloperCredentials, "CERT")
    if wish.create:
        account()
    if update is not None and store.save(update):
        say(f"Update resources {wish.update!r} of {wish.file}: kept in {store.directory}")
    developer = _created(wish, store, account(), say) if wish.create else store.developer(wish.certificate)
    if developer is None:
        developer = _fetched(wish.certificate, store, account(), say)
    stored = update or store.update(wish.update)
    if stored is None:
        raise UsageError(f"Certificate '{wish.update}' not found in the store.", expected=_known(store))
    return developer, stored


def inject(device: RemoteDevice, developer: DeveloperCredentials, update: UpdateResources) -> Outcome:
    """Do steps 5 to 8: have the device's utility store both sets.

    :raises BoardFault: the utility says that it did not.
    :raises BoardLost: the device went away.
    """
    outcome = device.provision(developer, update)
    if not outcome.ok:
        said = " ".join((outcome.errors or outcome.output).split())
        raise BoardFault(
            f"{device.name}: pelion-provisioning-util --provision ended with exit code"
            f" {outcome.status}: {said}"
        )
    return outcome


def _parsed(wish: Wish) -> UpdateResources | None:
    if wish.file is None:
        return None
    try:
        with wish.file.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=wish.file) from error
    return UpdateResources.from_c(content, wish.update, file=wish.file)


def _created(
    wish: Wish, store: TeamStore, account: PelionClient, say: Callable[[str], None]
) -> DeveloperCredentials:
    try:
        made = account.create_developer_certificate(wish.certificate)
    except RequestRefused as refused:
        if refused.status != _CONFLICT:
            raise
        raise UsageError(
            "The developer certificate you are trying to create already exists"
            " in the Pelion Device Management Portal.",
            key="CERT",
            value=wish.certificate,
            expected="another name, or the command without -c to use it",
        ) from refused
    credentials = made.credentials(wish.certificate)
    store.save(credentials)
    say(f"Developer certificate {wish.certificate!r}: made, and kept in {store.directory}")
    return credentials


def _fetched(
    name: str, store: TeamStore, account: PelionClient, say: Callable[[str], None]
) -> DeveloperCredentials:
    say(f"Developer certificate {name!r} is not in the team store; asking the service for it")
    found = account.find_developer_certificate(name)
    if found is None:
        available = ", ".join(each.name for each in account.trusted_certificates()) or "none"
        raise UsageError(
            "The developer certificate does not exist.",
            key="CERT",
            value=name,
            expected=f"an existing one, or -c to make it. Available certificates: {available}",
        )
    credentials = found.credentials(name)
    store.save(credentials)
    say(f"Developer certificate {name!r}: fetched, and kept in {store.directory}")
    return credentials


def _known(store: TeamStore) -> str:
    kept = [name for name, kind in store.names().items() if kind == UpdateResources.KIND]
    return f"a C file, or one of: {', '.join(kept)}" if kept else "a C file: none is stored yet"
