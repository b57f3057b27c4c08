"""The published schema of the rig file: that of the code, and as strict."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import jsonschema
import pytest

from harness.errors import UsageError
from harness.rig import load_rig
from harness.rig_schema import rig_schema
from tests.rig_texts import BY_SSH, EXAMPLE, ON_A_PATH, ON_USB, ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_published_schema_is_that_of_the_code() -> None:
    """The file in the documentation is what ``harness rig schema`` prints."""
    assert (ROOT / "docs/reference/rig.schema.json").read_text() == rig_schema()


def test_schema_says_what_each_key_means() -> None:
    """An editor can show a meaning for every key."""
    schema = json.loads(rig_schema())
    tables = [schema, *schema["$defs"].values()]

    assert all(key["description"] for table in tables for key in table["properties"].values())


def test_schema_accepts_the_example() -> None:
    """An independent validator finds the documented example well formed."""
    schema = json.loads(rig_schema())

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(EXAMPLE.read_text()), schema)
    jsonschema.validate({}, schema)


@pytest.mark.parametrize(
    "text",
    [
        "boards = 3",
        "name = 3",
        'plugins = "one"',
        '[leases]\ndirectry = "/x"',
        '[leases]\ndirectory = "x"',
        'sec_tags = "9"',
        "[[board]]",
        '[[board]]\nid = "b"\nprofile = "p"',
        '[[board]]\nid = "b"\nprofile = "p"\n[board.endpoints]',
        ON_A_PATH + "endpoints.trace = 3",
        ON_A_PATH + 'endpoints.trace = {url = "/dev/y", baud = 1}',
        ON_A_PATH + "endpoints.trace = {}",
        ON_USB + 'endpoints.trace = { url = "/dev/y", interface = 2 }',
        ON_USB + "endpoints.trace.interface = 256",
        '[[board]]\nlocation = "1-2"',
        '[[board]]\nidentity = "a b"',
        ON_A_PATH + 'endpoints.Trace = "/dev/y"',
        ON_A_PATH + "properties.shelf = 3",
        ON_A_PATH + "control.relay = 3",
        BY_SSH + 'password = "s3cret"',
        BY_SSH + 'password_env = "P"\npassword_file = "p"',
    ],
)
def test_schema_and_code_refuse_the_same(tmp_path: Path, text: str) -> None:
    """What an editor marks as wrong is refused by the harness, and the other way round."""
    file = tmp_path / "rig.toml"
    file.write_text(text)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), json.loads(rig_schema()))
    with pytest.raises(UsageError):
        load_rig(file)
