"""Rules of change: the settings that may change while a run trains or in a branch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sparseviz.config.errors import ConfigError
from sparseviz.config.run_config import RunConfig, settings

LIVE = tuple(name for name, setting in settings().items() if setting.live)

# What a branch keeps: shapes, images, and all that has acted or is laid out when a run begins.
_KEPT = ("network", "weights", "batch_size", "data.name", "method.name", "method.estimator", "gate.", "record.")

KEPT = tuple(name for name in settings() if name.startswith(_KEPT))

_REPLANS = ("schedule.", "method.rounds")  # these lie at shares of the whole run


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a run leaves its parent: the settings that were in force there, and those that change."""

    before: RunConfig
    values: Mapping[str, Any]  # by dotted name


def check_live(config: RunConfig, values: Mapping[str, float]) -> dict[str, float]:
    """The values as the run that trains as `config` says now would take them.

    Raises ConfigError for a setting that cannot change now, for a bad value, and for fewer epochs.
    """
    _check_names(values)
    changed = config.changed(values)
    check_steered(config, changed)
    return {name: changed.value(name) for name in values}


def check_steered(before: RunConfig, after: RunConfig) -> None:
    """Raises ConfigError where a run that trains cannot be steered from one to the other; both are validated."""
    _check_names(changes(before, after))
    if after.epochs < before.epochs:
        raise ConfigError(f"epochs: a run that trains can be made longer than {before.epochs}, not shorter; stop it")


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in LIVE:
            raise ConfigError(f"{name}: cannot change while a run trains; these can: {', '.join(LIVE)}")


def check_branch(before: RunConfig, values: Mapping[str, Any], done: float) -> RunConfig:
    """The configuration of a branch where `before` was in force and these settings change, after `done` epochs.

    Raises ConfigError for a setting that a branch keeps, for a bad value, for fewer epochs, and where none is left.
    """
    after = before.changed(values)
    for name in changes(before, after):
        if name in KEPT:
            raise ConfigError(f"{name}: a branch keeps it as in its parent; these it keeps: {', '.join(KEPT)}")
    if after.epochs < before.epochs:
        raise ConfigError(f"epochs: a branch can be made longer than {before.epochs} in all, not shorter; stop it")
    if after.epochs <= done:
        raise ConfigError(f"epochs: all {after.epochs} are done at this checkpoint; raise epochs to go on from there")
    return after


def changes(before: RunConfig, after: RunConfig) -> dict[str, Any]:
    """The settings in which the second differs, with its values."""
    return {name: after.value(name) for name in settings() if before.value(name) != after.value(name)}


def is_planned_anew(changed: Iterable[str]) -> bool:
    """Whether a branch in which these settings change lays out its phases over its whole length once more."""
    return any(name.startswith(_REPLANS) for name in changed)


def in_force(config: RunConfig, numbers: Mapping[str, float]) -> RunConfig:
    """The configuration with the live settings that a state's numbers tell."""
    return config.changed({name: type(config.value(name))(numbers[name]) for name in LIVE})  # epochs are whole
