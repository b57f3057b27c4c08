"""What a device is provisioned with: a developer's credentials and the resources for updates.

Each is a set of files ``VARIABLE.bin`` to the device's utility (pelion fact sheet, sections 1.5 and 2.1), and
a C file to a person (sections 3 and 5).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from harness.errors import UsageError
from harness_pelion.c_resources import parse
from harness_pelion.enums import DeveloperVariable, UpdateVariable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

#: What the name of each file of a variable ends with (pelion fact sheet, section 1.5).
SUFFIX = ".bin"
#: Bytes of a vendor's and of a class's id (pelion fact sheet, section 2.2, check 12).
ID_BYTES = 16

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class Resources:
    """Values by the names of their variables.

    A set made here is not checked, so that a suite can leave something out or damage it; one that is read
    from a C file is.

    :ivar name: what it is called in the stores and on the device.
    :ivar files: the values, by variable; one of them may be a private key.
    :cvar REQUIRED: variables that must be there.
    :cvar FILLED: those of them that must hold something: the device keeps an empty description of itself, but
        no empty key.
    """

    REQUIRED: ClassVar[Sequence[str]] = ()
    FILLED: ClassVar[Sequence[str]] = ()
    KIND: ClassVar[str] = "resources"

    name: str
    files: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Keep the values from being changed."""
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))

    @classmethod
    def from_c(cls, text: str | bytes, name: str, *, file: str | Path = "C file") -> Self:
        """Read a C file.

        :param text: its content.
        :param name: what the set is called.
        :param file: what the C file is called in messages.
        :raises UsageError: it is no such file, or something in it is missing or unfit.
        """
        return cls(name, parse(text, file)).checked(file)

    def checked(self, file: str | Path) -> Self:
        """Return this set if nothing is missing from it.

        :param file: where it comes from, for messages.
        :raises UsageError: something is missing or unfit.
        """
        missing = [str(variable) for variable in self.REQUIRED if variable not in self.files]
        if missing:
            raise self._incomplete(missing, file)
        empty = next((variable for variable in self.FILLED if not self.files[variable]), None)
        if empty is not None:
            raise UsageError("is empty", file=file, key=empty, expected="a value")
        odd = next((variable for variable in self.files if not _VARIABLE.fullmatch(variable)), None)
        if odd is not None:
            raise UsageError(
                "is no name of a variable", file=file, value=odd, expected="letters, digits and _"
            )
        return self

    def _incomplete(self, missing: Sequence[str], file: str | Path) -> UsageError:
        """Say what is missing; of another kind of file say what it is."""
        theirs = next((kind.KIND for kind in KINDS if set(kind.REQUIRED) <= set(self.files)), "")
        if theirs:
            return UsageError(f"is a file of {theirs}", file=file, expected=f"one of {self.KIND}")
        if len(missing) == len(self.REQUIRED):
            return UsageError(
                f"is no file of {self.KIND}", file=file, expected=f"a C file with {missing[0]} and others"
            )
        return UsageError("a variable is missing", file=file, key=missing[0], expected=", ".join(missing))

    def with_file(self, variable: str, content: bytes) -> Self:
        """Return the same set with another value."""
        return replace(self, files={**self.files, variable: content})

    def without(self, variable: str) -> Self:
        """Return the same set without a value."""
        return replace(self, files={each: data for each, data in self.files.items() if each != variable})

    def named(self, name: str) -> Self:
        """Return the same set by another name."""
        return replace(self, name=name)

    @property
    def bin_files(self) -> dict[str, bytes]:
        """What is copied to the device: contents by the names of the files."""
        return {variable + SUFFIX: content for variable, content in self.files.items()}

    def _text(self, variable: str) -> str:
        return self.files[variable].decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class DeveloperCredentials(Resources):
    """What a developer certificate's C file holds (pelion fact sheet, section 3)."""

    REQUIRED: ClassVar[Sequence[str]] = tuple(DeveloperVariable)
    FILLED: ClassVar[Sequence[str]] = (
        DeveloperVariable.ENDPOINT_NAME,
        DeveloperVariable.SERVER_URI,
        DeveloperVariable.DEVICE_CERTIFICATE,
        DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE,
        DeveloperVariable.DEVICE_PRIVATE_KEY,
    )
    KIND: ClassVar[str] = "developer credentials"

    @property
    def endpoint_name(self) -> str:
        """Name of the device at bootstrap; that of all devices which share the certificate."""
        return self._text(DeveloperVariable.ENDPOINT_NAME)

    @property
    def account_id(self) -> str:
        """The account whose certificate it is: 32 hexadecimal digits."""
        return self._text(DeveloperVariable.ACCOUNT_ID)

    @property
    def server_uri(self) -> str:
        """Where the device bootstraps."""
        return self._text(DeveloperVariable.SERVER_URI)

    @property
    def certificate_der(self) -> bytes:
        """The certificate of the device."""
        return self.files[DeveloperVariable.DEVICE_CERTIFICATE]

    @property
    def private_key_der(self) -> bytes:
        """The private key of the device: a secret."""
        return self.files[DeveloperVariable.DEVICE_PRIVATE_KEY]

    @property
    def server_ca_der(self) -> bytes:
        """The certificate by which the device knows the bootstrap server."""
        return self.files[DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE]


@dataclass(frozen=True, slots=True)
class UpdateResources(Resources):
    """What ``update_default_resources.c`` holds, from either generation of manifest-tool (section 5)."""

    REQUIRED: ClassVar[Sequence[str]] = (
        UpdateVariable.CERTIFICATE,
        UpdateVariable.VENDOR_ID,
        UpdateVariable.CLASS_ID,
    )
    FILLED: ClassVar[Sequence[str]] = REQUIRED
    KIND: ClassVar[str] = "update resources"

    def checked(self, file: str | Path) -> Self:
        """Return these resources if nothing is missing, and both ids have their length.

        :raises UsageError: something is missing or unfit.
        """
        Resources.checked(self, file)
        for variable in (UpdateVariable.VENDOR_ID, UpdateVariable.CLASS_ID):
            if len(self.files[variable]) != ID_BYTES:
                raise UsageError(
                    f"has {len(self.files[variable])} bytes",
                    file=file,
                    key=variable,
                    expected=f"{ID_BYTES} bytes",
                )
        return self

    @property
    def vendor_id(self) -> bytes:
        """Id of the vendor: 16 bytes of a UUID."""
        return self.files[UpdateVariable.VENDOR_ID]

    @property
    def class_id(self) -> bytes:
        """Id of the class of devices: 16 bytes of a UUID."""
        return self.files[UpdateVariable.CLASS_ID]

    @property
    def certificate_der(self) -> bytes:
        """The certificate of whoever may sign updates."""
        return self.files[UpdateVariable.CERTIFICATE]

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 over the certificate (pelion fact sheet, section 5.3), whatever the file says of it."""
        return hashlib.sha256(self.certificate_der).digest()


KINDS: tuple[type[Resources], ...] = (DeveloperCredentials, UpdateResources)
