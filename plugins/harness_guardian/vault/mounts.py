"""Which engines are mounted where, and what each call is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness_guardian.vault.answers import not_found, refused
from harness_guardian.vault.call_log import VaultCall
from harness_guardian.vault.engine_call import Operation
from harness_guardian.vault.fields import seconds_field, text_field
from harness_guardian.vault.pki_engine import PkiEngine
from harness_guardian.vault.transit_engine import TransitEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_MOUNTS = 10_000
_DEFAULT_TTL = 768 * 3600
_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*", re.ASCII)
_LONGEST_PATH = 256
_OWN = frozenset({"sys", "auth", "identity", "cubbyhole"})
_PKI_SUBJECTS = (
    (Operation.WRITE, re.compile(r"sign/.+|issuer/[^/]+/sign/.+|sign-verbatim(?:/.+)?"), VaultCall.SIGN),
    (Operation.WRITE, re.compile("revoke"), VaultCall.REVOKE),
    (
        Operation.WRITE,
        re.compile("root/.+|intermediate/.+|issuer/[^/]+|config/.+|roles/.+"),
        VaultCall.SET_UP,
    ),
    (Operation.DELETE, re.compile(".*"), VaultCall.TEAR_DOWN),
    (Operation.READ, re.compile("issuer/.+"), VaultCall.READ_ISSUER),
    (Operation.READ, re.compile("cert/(?!(?:ca|ca_chain|crl)$).+"), VaultCall.READ_CERTIFICATE),
)
_TRANSIT_SUBJECTS = (
    (Operation.WRITE, re.compile("sign/.+"), VaultCall.SIGN_PROFILE),
    (Operation.WRITE, re.compile("keys/[^/]+/config"), VaultCall.TEAR_DOWN),
    (Operation.DELETE, re.compile("keys/.+"), VaultCall.TEAR_DOWN),
    (Operation.WRITE, re.compile("keys/.+"), VaultCall.SET_UP),
    (Operation.READ, re.compile("keys/.+"), VaultCall.SET_UP),
)


class Mounts:
    """The engines by their paths."""

    def __init__(self) -> None:
        """Begin with none."""
        self._engines: dict[str, PkiEngine | TransitEngine] = {}

    def add(self, path: str, parameters: Mapping[str, Any]) -> None:
        """Mount an engine.

        :raises VaultProblem: there is one already, there is no such kind of engine, or no such path.
        """
        if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path) or path.split("/", maxsplit=1)[0] in _OWN:
            raise refused(f"cannot mount under {path[:80]!r}")
        if any(path == known or path.startswith(f"{known}/") for known in self._engines) or any(
            known.startswith(f"{path}/") for known in self._engines
        ):
            raise refused(f"path is already in use at {path}/")
        if len(self._engines) >= MOST_MOUNTS:
            raise refused(f"{MOST_MOUNTS} mounts are the most")
        kind = text_field(parameters, "type")
        config = parameters.get("config") or {}
        if not isinstance(config, dict):
            raise refused("Field validation failed: config is no map")
        if kind == "transit":
            self._engines[path] = TransitEngine()
        elif kind == "pki":
            longest = seconds_field(config, "max_lease_ttl") or _DEFAULT_TTL
            usual = seconds_field(config, "default_lease_ttl") or _DEFAULT_TTL
            if usual > longest:
                raise refused("default lease TTL greater than max lease TTL")
            self._engines[path] = PkiEngine(usual, longest)
        else:
            raise refused(f'plugin not found in the catalog: "{kind[:80]}"')

    def remove(self, path: str) -> None:
        """Unmount an engine with all that it has; where none is nothing happens."""
        self._engines.pop(path, None)

    def described(self) -> dict[str, Any]:
        """Return what is mounted where."""
        return {f"{path}/": {"type": kind_of(engine)} for path, engine in sorted(self._engines.items())}

    def pki(self, path: str) -> PkiEngine | None:
        """Return the PKI engine that is mounted there, if one is."""
        engine = self._engines.get(path)
        return engine if isinstance(engine, PkiEngine) else None

    def find(self, path: str) -> tuple[str, PkiEngine | TransitEngine, str]:
        """Return the mount that a path is below, its engine, and the rest of the path.

        :raises VaultProblem: 404, it is below none.
        """
        parts = path.split("/")
        for length in range(1, len(parts)):
            mount = "/".join(parts[:length])
            engine = self._engines.get(mount)
            if engine is not None:
                return mount, engine, "/".join(parts[length:])
        raise not_found(f'no handler for route "{path[:200]}". route entry not found.')


def kind_of(engine: PkiEngine | TransitEngine) -> str:
    """Return what an engine is called when it is mounted."""
    return "pki" if isinstance(engine, PkiEngine) else "transit"


def needs_token(engine: PkiEngine | TransitEngine, operation: Operation, rest: str) -> bool:
    """Tell whether a call wants to know who asks: certificates and lists may be read by anybody."""
    return not (
        isinstance(engine, PkiEngine)
        and operation is Operation.READ
        and (rest in engine.UNAUTHENTICATED or rest.startswith(engine.UNAUTHENTICATED_BELOW))
    )


def subject_of(operation: Operation, engine: PkiEngine | TransitEngine, rest: str) -> VaultCall:
    """Return what a call below a mount is about."""
    subjects = _TRANSIT_SUBJECTS if isinstance(engine, TransitEngine) else _PKI_SUBJECTS
    return next(
        (subject for wanted, pattern, subject in subjects if wanted is operation and pattern.fullmatch(rest)),
        VaultCall.OTHER,
    )
