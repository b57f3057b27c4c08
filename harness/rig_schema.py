"""The JSON Schema of ``rig.toml``, for editors that check a file while somebody writes it.

It is what pydantic makes of the models, put into the words of TOML: there is no null in it, a table has no
keys but those that are named, and each key says what it means as the model's docstring does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from harness.rig import RigFile

_VARIABLE = re.compile(r"^:ivar (\w+): ((?:.|\n(?!:|$))*)", re.MULTILINE)
_BOARD_HAS = ("id", "profile", "endpoints")
# Of a board that is not found on USB each endpoint says where it is.
_ADDRESSED = {
    "minProperties": 1,
    "additionalProperties": {"anyOf": [{"type": "string"}, {"required": ["url"]}]},
}


def rig_schema() -> str:
    """Return the schema as text."""
    schema = _in_tomls_words(RigFile.model_json_schema(mode="validation"))
    schema["$defs"]["RigBoard"]["anyOf"] = [
        {"required": ["usb_serial"]},
        {"required": ["identity"]},
        {"required": ["id", "location"]},
        {"required": list(_BOARD_HAS), "properties": {"endpoints": _ADDRESSED}},
        {"required": ["id", "profile", "ssh"]},
    ]
    schema["$defs"]["RigEndpoint"]["not"] = {"required": ["url", "interface"]}
    schema["$defs"]["RigSsh"]["not"] = {"required": ["password_file", "password_env"]}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Made by: harness rig schema",
        "title": "rig.toml of the provisioning harness",
    }
    return json.dumps(head | schema, indent=2) + "\n"


def _in_tomls_words(node: Any) -> Any:
    if isinstance(node, list):
        return [_in_tomls_words(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: _in_tomls_words(value) for key, value in node.items() if key not in {"title", "default"}}
    choices = node.get("anyOf", [])
    if {"type": "null"} in choices:
        (choice,) = (one for one in choices if one != {"type": "null"})
        node = {**{key: value for key, value in node.items() if key != "anyOf"}, **choice}
    if "patternProperties" in node:
        node["additionalProperties"] = False
    if "description" in node and isinstance(node.get("properties"), dict):
        meanings = dict(_VARIABLE.findall(node["description"]))
        node["description"] = node["description"].partition("\n")[0]
        for name, value in node["properties"].items():
            value["description"] = " ".join(meanings[name].split())
    return node
