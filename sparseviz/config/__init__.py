"""What a run is: its configuration, and where its files live."""

from typing import TYPE_CHECKING, Any

from sparseviz.config.lazy import attribute

if TYPE_CHECKING:
    from sparseviz.config.errors import ConfigError, InputError
    from sparseviz.config.run_config import EMBEDDED, RunConfig, choose, parse_assignments, parse_value, settings

__all__ = [
    "EMBEDDED",
    "ConfigError",
    "InputError",
    "RunConfig",
    "choose",
    "parse_assignments",
    "parse_value",
    "settings",
]

_HOMES = dict.fromkeys(__all__, "run_config") | {"ConfigError": "errors", "InputError": "errors"}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOMES, name)
