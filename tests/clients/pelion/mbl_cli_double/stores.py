"""The stores of the public MBL CLI: section 1.4 of the pelion fact sheet."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Self


class Store:
    """One of the two stores."""

    def __init__(self, kind: str, mode: int) -> None:
        stores = Path.home() / ".mbl-stores.json"
        try:
            self.path = Path(json.loads(stores.read_text())[kind])
        except (OSError, ValueError, KeyError):
            places = {each: str(Path.home() / ".mbl-store" / each) for each in ("user", "team")}
            stores.write_text(json.dumps(places))
            self.path = Path(places[kind])
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.path.chmod(mode)
        self._config = self.path / "config.json"
        if not self._config.exists():
            self._write({"location": str(self.path), "api_key": "", "dev_certs": {}})

    @classmethod
    def user(cls) -> Self:
        return cls("user", 0o700)

    @classmethod
    def team(cls) -> Self:
        return cls("team", 0o750)

    def _read(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._config.read_text())
        return content

    def _write(self, content: dict[str, Any]) -> None:
        copy = self.path / "config.json.copy"
        copy.write_text(json.dumps(content))
        shutil.move(copy, self._config)

    @property
    def api_key(self) -> str:
        """The one key; an error when there is none."""
        key = str(self._read()["api_key"])
        if not key:
            raise ValueError("You have not added an API key to the store.")
        return key

    @api_key.setter
    def api_key(self, key: str) -> None:
        self._write({**self._read(), "api_key": key.strip()})

    @property
    def names(self) -> list[str]:
        return list(self._read()["dev_certs"])

    def add(self, name: str, files: dict[str, bytes]) -> None:
        """Store what was parsed, developer certificate or update resources alike."""
        place = self.path / name
        place.mkdir(exist_ok=True)
        paths = []
        for variable, content in files.items():
            path = place / f"{variable}.bin"
            path.write_bytes(content)
            paths.append(str(path.resolve()))
        config = self._read()
        config["dev_certs"][name] = paths
        self._write(config)

    def place(self, name: str) -> Path:
        """Return the directory of a certificate."""
        if name not in self.names:
            raise ValueError(f"Certificate '{name}' not found in the store.")
        return self.path / name

    def remove(self, name: str) -> None:
        shutil.rmtree(self.place(name))
        config = self._read()
        del config["dev_certs"][name]
        self._write(config)
