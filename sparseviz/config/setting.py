"""Settings by their dotted names: listed, read, written and told of in words."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the configuration, for the form and for help."""

    name: str  # dotted
    description: str
    annotation: Any
    live: bool  # may change while a run trains


def leaves(part: type[BaseModel], prefix: str = "") -> dict[str, Setting]:
    """Every setting of a configuration by its dotted name, in order."""
    found: dict[str, Setting] = {}
    for name, field in part.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= leaves(field.annotation, f"{prefix}{name}.")
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        dotted = prefix + name
        found[dotted] = Setting(dotted, field.description or "", field.annotation, bool(extra.get("live")))
    return found


def read_value(text: str, setting: Setting | None) -> Any:
    """A value as a person types it: TOML, or else the text itself."""
    text = text.strip()
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    is_text = setting is not None and setting.annotation in (str, str | None)
    return text if is_text and not isinstance(value, str) else value  # a folder may be called 2024


def write_value(value: Any) -> str:
    """A value so that `read_value` reads it back; "" for none."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {write_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return (
            "["
            + ", ".join(json.dumps(entry) if isinstance(entry, str) else write_value(entry) for entry in value)
            + "]"
        )
    return f"{value:g}" if isinstance(value, float) else str(value)


def as_toml(tree: Mapping[str, Any]) -> str:
    """A configuration's nested values as TOML, exactly; None, for which TOML has no word, is left out."""
    tables = {name: values for name, values in tree.items() if isinstance(values, Mapping)}
    plain = {name: value for name, value in tree.items() if name not in tables}
    return "\n".join([_entries(plain), *(f"[{name}]\n{_entries(values)}" for name, values in tables.items())])


def _entries(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {exact_value(value)}\n" for name, value in values.items() if value is not None)


def exact_value(value: Any) -> str:
    """A value with all its digits, as TOML writes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{exact_value(key)} = {exact_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(exact_value, value)) + "]"
    return str(value).lower()  # true, 12, 1e-05


def in_words(error: ValidationError, known: Mapping[str, Setting]) -> str:
    """What is wrong with which setting, and what is allowed there."""
    return "; ".join(_one_in_words(details, known) for details in error.errors())


def _one_in_words(details: Any, known: Mapping[str, Setting]) -> str:
    name = ".".join(map(str, details["loc"])) or "schedule"
    if details["type"] == "extra_forbidden":
        *parents, _ = name.split(".")
        prefix = ".".join([*parents, ""]) if parents else ""
        there = [other for other in known if other.startswith(prefix)]
        return f"{name}: no such setting; settings: {', '.join(there)}"
    if details["type"] == "literal_error":
        return f"{name}: {details['input']!r} is not allowed; use {details['ctx']['expected']}"
    if details["type"] == "string_pattern_mismatch":
        return f"{name}: {details['input']!r} is not allowed; {known[name].description}"
    if details["type"] == "value_error":
        return f"{name}: {details['ctx']['error']}"
    return f"{name}: {details['msg']} (it is {details['input']!r})"
