"""Lazy imports (PEP 562): public names are loaded on first use, so that reading a run file does not wait for torch."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def attribute(package: str, homes: Mapping[str, str], name: str) -> Any:
    """A public name of a package, from the module inside it that `homes` tells. Raises AttributeError for others."""
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattr(import_module(f"{package}.{homes[name]}"), name)
