"""Plans of studies: a TOML file, and the grid of runs that follows from it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from sparseviz.config import ConfigError, RunConfig, paths

Values = tuple[float, ...]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(_Part):
    """A series of runs: one line of the picture."""

    name: str
    preset: str = ""
    """What this series starts from, in place of the study's."""
    settings: dict[str, Any] = {}
    paper: tuple[float, ...] = ()
    """Published sparsity in percent, one for each of the study's values."""
    paper_variance: tuple[float, ...] = ()
    """Published variance of the mask, 100 * mean g (1 - g)."""
    paper_layers: dict[str, float] = {}
    """Published sparsity in percent by layer; "total" for the whole network."""


class Published(_Part):
    """A published network: a point in the picture of a study that has such."""

    name: str
    compression: float
    """By weights."""
    error: float
    """On the test images, percent."""
    weights_kept: int | None = None
    """As printed; the compression is rounded."""
    settings: dict[str, Any] = {}
    """What makes a run comparable with it; empty: no run is."""

    def is_repeated_by(self, config: RunConfig) -> bool:
        """Whether a run has the settings of this network."""
        return bool(self.settings) and config.changed(self.settings) == config


class Small(_Part):
    """What a quick version on the embedded data changes."""

    settings: dict[str, Any]
    values: tuple[Values, ...] = ()
    """Some of the study's values; empty: all."""


class Study(_Part):
    """A grid of runs: every series at every value, for every seed. Raises ConfigError from `load`."""

    title: str
    preset: str = "lenet5-digits"
    settings: dict[str, Any] = {}
    x: tuple[str, ...] = ()
    """The settings that vary along the picture's axis; none: one run a series, shown by layer."""
    values: tuple[Values, ...] = ((),)
    """Their values, one tuple a point."""
    series: tuple[Series, ...]
    published: tuple[Published, ...] = ()
    """With these the picture shows error against size, and not sparsity against the values."""
    against: Literal["compression by weights", "parameters kept"] = "compression by weights"
    """How that picture tells size."""
    small: Small

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if bad := [value for value in self.values if len(value) != len(self.x)]:
            raise ValueError(f"values: {list(bad[0])} does not have one number for each of x = {list(self.x)}")
        for point in self.published:
            if self.against == "parameters kept" and point.weights_kept is None:
                raise ValueError(f"published '{point.name}': weights_kept is missing, which the picture is to show")
        if bad := [value for value in self.small.values if value not in self.values]:
            raise ValueError(f"small.values: {list(bad[0])} is none of the study's values")
        for series in self.series:
            for name in ("paper", "paper_variance"):
                number = len(getattr(series, name))
                if number not in {0, len(self.values)}:
                    raise ValueError(
                        f"series '{series.name}': {name} has {number} figures for {len(self.values)} values"
                    )
        return self

    def subject(self) -> tuple[str, str]:
        """The network and the data that its runs train."""
        config = RunConfig.load(self.preset).changed(self.settings)
        return config.network, config.data.name

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """The study of this name (`paths.studies`), or the TOML file at this path."""
        found = paths.studies()
        path = found.get(str(name), Path(name))
        if not path.is_file():
            raise ConfigError(f"no study and no TOML file '{name}'; studies: {', '.join(found) or 'none'}")
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{path}: {place + ': ' if place else ''}{first['msg']}") from None


def published_for(config: RunConfig) -> tuple[Published, ...]:
    """The published networks, of all studies that ship with the program, that a run of this configuration repeats."""
    points = (point for name in paths.studies() for point in Study.load(name).published)
    return tuple(point for point in points if point.is_repeated_by(config))


def published_on(network: str, data: str) -> tuple[Published, ...]:
    """All published networks, of all studies that ship with the program, of this network on this data; each once."""
    studies = [study for name in paths.studies() if (study := Study.load(name)).published]
    points = [point for study in studies if study.subject() == (network, data) for point in study.published]
    return tuple({(point.compression, point.error): point for point in reversed(points)}.values())[::-1]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of a study and what is published for it."""

    series: str
    values: Values
    seed: int
    config: RunConfig
    paper: float | None  # sparsity, percent
    paper_variance: float | None
    paper_layers: Mapping[str, float]

    @property
    def name(self) -> str:
        """The run file's name, without its ending."""
        text = "_".join([self.series, *(f"{value:g}" for value in self.values), f"seed{self.seed}"])
        return re.sub(r"[^\w.+-]+", "-", text)


@dataclass(frozen=True, slots=True)
class Plan:
    """A study's plan: all its runs, in order."""

    study: Study
    runs: tuple[PlannedRun, ...]

    @property
    def title(self) -> str:
        """The study's, and what was trained on what."""
        subjects = dict.fromkeys(f"{run.config.network} on {run.config.data.name}" for run in self.runs)
        return f"{self.study.title} ({', '.join(subjects)})"

    @classmethod
    def of(
        cls,
        study: Study,
        *,
        small: bool = False,
        seeds: Iterable[int] = (0,),
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """The runs, in the study's order; `settings` go over the study's own. Raises ConfigError for bad ones.

        One thread a run unless they say otherwise: the figures then do not depend on how many run at a time.
        """
        common = {"threads": 1} | study.settings
        own = (study.small.settings if small else {}) | dict(settings or {})
        values = study.small.values if small and study.small.values else study.values
        runs = tuple(run for seed in seeds for run in _runs(study, values, common, own | {"seed": seed}))
        return cls(study, runs)


def _runs(
    study: Study, values: Iterable[Values], common: Mapping[str, Any], own: Mapping[str, Any]
) -> Iterator[PlannedRun]:
    for value in values:
        place = study.values.index(value)
        for series in study.series:
            here = dict(zip(study.x, value, strict=True))
            config = RunConfig.load(series.preset or study.preset)
            yield PlannedRun(
                series=series.name,
                values=value,
                seed=own["seed"],
                config=config.changed({**common, **series.settings, **own, **here}),
                paper=series.paper[place] if series.paper else None,
                paper_variance=series.paper_variance[place] if series.paper_variance else None,
                paper_layers=series.paper_layers,
            )
