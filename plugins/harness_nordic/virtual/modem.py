"""The virtual modem: every AT command of nrfcloud fact sheet, section 5, and what it changes."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

from harness_nordic.enums import CmeError, CredentialType
from harness_nordic.virtual import faults, keys, signing, tokens
from harness_nordic.virtual.at_syntax import AtCommand, Form, parse
from harness_nordic.virtual.clock import ModemClock
from harness_nordic.virtual.credentials import MAX_TAG, CredentialStore
from harness_nordic.virtual.errors import AtError, CmeRefusal
from harness_nordic.virtual.faults import Faults, Silence
from harness_nordic.virtual.jwt import make_jwt
from harness_nordic.virtual.power import AFTER_AT, BEFORE_AT, BoardPoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

    from harness_nordic.virtual.identity import DeviceIdentity
    from harness_nordic.virtual.radio import Radio

Lines = list[str]

_ANY_TAG = 0xFFFF_FFFF  # lists and deletions may name the reserved tags
_NONCE_SIZE = 16
_LONGEST_LIFE = 604800  # seven days, as the AT command manual has it
_KEY_TYPES = frozenset({CredentialType.CLIENT_KEY, CredentialType.ENDORSEMENT_KEY})
_WRITE, _LIST, _READ, _DELETE = range(4)
_MANUFACTURER = "Nordic Semiconductor ASA"
_SOFTWARE_VERSION_NUMBER = "01"


class Modem:
    """Runs AT commands. One thread calls it."""

    def __init__(
        self,
        identity: DeviceIdentity,
        store: CredentialStore,
        *,
        application: Mapping[str, Callable[[AtCommand], Lines]] | None = None,
        points: BoardPoints | None = None,
    ) -> None:
        """Be a modem without power; :attr:`radio` is set by whoever builds the board.

        :param identity: who the board is.
        :param store: its credentials.
        :param application: commands of the firmware around the modem, by name.
        :param points: where the power may go.
        """
        self.radio: Radio
        self.identity = identity
        self.store = store
        self.clock = ModemClock()
        self.faults = Faults()
        self.points = points or BoardPoints()
        self.error_numbers = False
        self._false_digests = False
        self._commands: dict[str, Callable[[AtCommand], Lines]] = {
            "": self._attention,
            "+CGSN": self._serial_number,
            "+CGMI": self._constant(_MANUFACTURER),
            "+CGMM": self._constant(identity.chip.model),
            "+CGMR": self._constant(f"mfw_{identity.chip.firmware}"),
            "%SHORTSWVER": self._constant(f"%SHORTSWVER: {identity.chip.firmware}"),
            "%HWVERSION": self._constant(
                f"%HWVERSION: {identity.chip.name} {identity.chip.variant} {identity.chip.revision}"
            ),
            "%XMODEMUUID": self._constant(f"%XMODEMUUID: {identity.chip.firmware_uuid}"),
            "%DEVICEUUID": self._constant(f"%DEVICEUUID: {identity.uuid}"),
            "+CMEE": self._error_mode,
            "+CFUN": self._functional_mode,
            "+CEREG": self._registration,
            "%CCLK": self._network_clock,
            "+CCLK": self._user_clock,
            "%ATTESTTOKEN": self._attestation_token,
            "%KEYGEN": self._generate_key,
            "%CMNG": self._credentials,
            "%JWT": self._jwt,
            **(application or {}),
        }

    def boot(self) -> None:
        """Start with nothing but what is kept without power."""
        self.error_numbers = False
        self.radio.boot()

    def stop(self) -> None:
        """Lose power."""
        self.radio.stop()

    def execute(self, line: str) -> str | None:
        """Run a command and return its complete reply, or ``None`` if it is never answered.

        :raises PowerLost: the power went before, in or after it.
        """
        self.points.pass_by(BEFORE_AT, line)
        reply = self._reply_to(line)
        self.points.pass_by(AFTER_AT, line)
        return reply

    def _reply_to(self, line: str) -> str | None:
        self._false_digests = bool(self.faults.take(line, faults.FALSE_DIGEST))
        try:
            self.faults.meet(line)
            command = parse(line)
            handler = self._commands.get(command.name, _unknown)
            lines = [*handler(command), "OK"]
        except Silence:
            return None
        except CmeRefusal as error:
            lines = [str(error) if self.error_numbers else "ERROR"]
        except AtError:
            lines = ["ERROR"]
        return "".join(f"{text}\r\n" for text in lines)

    # -- identification and control (5.1) -----------------------------------------------------------------

    @staticmethod
    def _attention(command: AtCommand) -> Lines:
        if command.form is not Form.EXECUTE:
            raise AtError
        return []

    @staticmethod
    def _constant(line: str) -> Callable[[AtCommand], Lines]:
        def answer(command: AtCommand) -> Lines:
            if command.form is not Form.EXECUTE:
                raise AtError
            return [line]

        return answer

    def _serial_number(self, command: AtCommand) -> Lines:
        imei = self.identity.imei
        if command.form is Form.EXECUTE:
            return [imei]
        if command.form is not Form.SET:
            raise AtError
        command.at_most(1)
        answers = (imei, imei, imei[:-1] + _SOFTWARE_VERSION_NUMBER, _SOFTWARE_VERSION_NUMBER)
        return [f'+CGSN: "{answers[command.number(0, high=len(answers) - 1)]}"']

    def _error_mode(self, command: AtCommand) -> Lines:
        if command.form is Form.READ:
            return [f"+CMEE: {int(self.error_numbers)}"]
        if command.form is not Form.SET:
            raise AtError
        command.at_most(1)
        self.error_numbers = bool(command.number(0, high=1))
        return []

    def _functional_mode(self, command: AtCommand) -> Lines:
        if command.form is Form.READ:
            return [f"+CFUN: {self.radio.mode}"]
        if command.form is not Form.SET:
            raise AtError
        command.at_most(1)
        self.radio.set_mode(command.number(0))
        return []

    def _registration(self, command: AtCommand) -> Lines:
        if command.form is Form.READ:
            return [self.radio.describe_registration()]
        if command.form is not Form.SET:
            raise AtError
        command.at_most(1)
        self.radio.set_reports(command.number(0, high=5))
        return []

    def _network_clock(self, command: AtCommand) -> Lines:
        text = self.clock.text()
        if command.form is not Form.READ or text is None:
            raise AtError
        return [f'%CCLK: "{text}",0']

    def _user_clock(self, command: AtCommand) -> Lines:
        if command.form is Form.SET:
            command.at_most(1)
            self.clock.set_text(command.text(0))
            return []
        text = self.clock.text()
        if command.form is not Form.READ or text is None:
            raise AtError
        return [f'+CCLK: "{text}"']

    # -- tokens and keys (5.2, 5.3, 5.5) ------------------------------------------------------------------

    def _attestation_token(self, command: AtCommand) -> Lines:
        nonce = secrets.token_bytes(_NONCE_SIZE)
        if command.form is Form.SET:
            command.at_most(1)
            nonce = _challenge(command.text(0))
        elif command.form is not Form.EXECUTE:
            raise AtError
        key = signing.new_key() if self.faults.forges(faults.TOKEN_SIGNATURE) else None
        uuid = uuid4() if self.faults.forges(faults.TOKEN_UUID) else None
        return [f'%ATTESTTOKEN: "{tokens.attestation_token(self.identity, nonce, key=key, uuid=uuid)}"']

    def _generate_key(self, command: AtCommand) -> Lines:
        if command.form is not Form.SET:
            raise AtError
        command.at_most(5)
        tag, kind = command.number(0), _credential_type(command.number(1))
        wants_public_key = bool(command.number(2, default=0, high=1))
        subject = keys.read_subject(command.text(3, default=""), self.identity.uuid)
        usage = keys.check_key_usage(command.text(4, default=""))
        if kind not in _KEY_TYPES:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        self._require_inactive()
        key = self._make_key(tag, kind)
        if wants_public_key:
            message, body = tokens.PUBLIC_KEY_MESSAGE, signing.public_key_info(key)
        else:
            message, body = tokens.CSR_MESSAGE, keys.signing_request(key, subject, usage)
        nonce = secrets.token_bytes(_NONCE_SIZE)
        signer = signing.new_key() if self.faults.forges(faults.KEYGEN_SIGNATURE) else None
        return [f'%KEYGEN: "{tokens.key_output(self.identity, message, tag, body, nonce, key=signer)}"']

    def _make_key(self, tag: int, kind: CredentialType) -> ec.EllipticCurvePrivateKey:
        key = signing.new_key()
        try:
            self.store.put_generated_key(tag, kind, key)
        except CmeRefusal as error:
            # An endorsement key that exists is reported again (nrfcloud fact sheet, section 5.3).
            if error.number != CmeError.ALREADY_EXISTS or kind is not CredentialType.ENDORSEMENT_KEY:
                raise
            existing = self.store.find(tag, kind).key
            if existing is None:
                raise
            return existing
        return key

    def _jwt(self, command: AtCommand) -> Lines:
        if command.form not in {Form.EXECUTE, Form.SET}:
            raise AtError
        command.at_most(6)
        command.number(0, default=0, high=0)
        expiry = command.number(1, default=0, high=_LONGEST_LIFE)
        key = self.identity.key
        if command.has(4):
            key = self._signing_key(command)
        elif command.has(5):
            raise CmeRefusal(CmeError.MISSING_PARAMETERS)
        life = None
        if expiry:
            now = self.clock.now()
            if now is None:
                raise CmeRefusal(CmeError.JWT_FAILED)
            life = (int(now), int(now) + expiry)
        forged = not command.has(4) and self.faults.forges(faults.JWT_SIGNATURE)
        token = make_jwt(
            self.identity,
            key,
            life=life,
            subject=command.text(2, default=""),
            audience=command.text(3, default=""),
            forged=forged,
        )
        return [f'%JWT: "{token}"']

    def _signing_key(self, command: AtCommand) -> ec.EllipticCurvePrivateKey:
        tag, kind = command.number(4), _credential_type(command.number(5))
        if kind not in _KEY_TYPES:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        key = self.store.find(tag, kind).key
        if key is None:
            raise CmeRefusal(CmeError.NOT_ALLOWED)
        return key

    # -- credentials (5.4) --------------------------------------------------------------------------------

    def _credentials(self, command: AtCommand) -> Lines:
        if command.form is not Form.SET:
            raise AtError
        operations = {_WRITE: self._write, _LIST: self._list, _READ: self._read, _DELETE: self._delete}
        return operations[command.number(0, high=_DELETE)](command)

    def _write(self, command: AtCommand) -> Lines:
        command.at_most(5)
        tag, kind = command.number(1, high=MAX_TAG), _credential_type(command.number(2))
        content, password = command.text(3), command.text(4, default="")
        self._require_inactive()
        self.store.write(tag, kind, content, password)
        return []

    def _list(self, command: AtCommand) -> Lines:
        command.at_most(3)
        tag = command.number(1, high=_ANY_TAG) if command.has(1) else None
        kind = _credential_type(command.number(2)) if command.has(2) else None
        if kind is not None and tag is None:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        return [
            f'%CMNG: {entry.tag},{entry.type:d},"{self._shown_digest(entry.digest)}"'
            for entry in self.store.entries(tag, kind)
        ]

    def _shown_digest(self, digest: str) -> str:
        """Return a digest; of another content when a test asked for that."""
        return hashlib.sha256(digest.encode()).hexdigest().upper() if self._false_digests else digest

    def _read(self, command: AtCommand) -> Lines:
        command.at_most(3)
        tag, kind = command.number(1, high=_ANY_TAG), _credential_type(command.number(2))
        entry = self.store.read(tag, kind)
        return [f'%CMNG: {entry.tag},{entry.type:d},"{entry.digest}","{entry.content}"']

    def _delete(self, command: AtCommand) -> Lines:
        command.at_most(3)
        tag, kind = command.number(1, high=_ANY_TAG), _credential_type(command.number(2))
        self._require_inactive()
        self.store.delete(tag, kind)
        return []

    def _require_inactive(self) -> None:
        if self.radio.active:
            raise CmeRefusal(CmeError.NOT_ALLOWED_WHILE_ACTIVE)


def _unknown(_command: AtCommand) -> Lines:
    raise AtError


def _credential_type(number: int) -> CredentialType:
    try:
        return CredentialType(number)
    except ValueError as error:
        raise CmeRefusal(CmeError.BAD_PARAMETERS) from error


def _challenge(text: str) -> bytes:
    try:
        nonce = bytes.fromhex(text)
    except ValueError as error:
        raise CmeRefusal(CmeError.BAD_PARAMETERS) from error
    if len(nonce) != _NONCE_SIZE or " " in text:
        raise CmeRefusal(CmeError.BAD_PARAMETERS)
    return nonce
