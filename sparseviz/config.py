"""RunConfig and its parts: what a run is.

A configuration is read from TOML (presets, the person's own file), changed by dotted names (`--set`, the
form) and kept as JSON in the run file. Every field's default leaves the paper's plain method, so a new
setting changes nothing until it is used.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sparseviz import paths

EMBEDDED = "lenet5-digits"  # the preset that needs nothing but the program

_Entry = TypeVar("_Entry")


class InputError(Exception):
    """Something given to the program cannot be used; the message names it and says what to do."""

    status = 1  # with which the command line ends: a failed job


class ConfigError(InputError):
    """A setting, a preset or a configuration file is wrong."""

    status = 2  # wrong use


class _Part(BaseModel):
    # strict: a true is no 1, and a text is no number
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class DataConfig(_Part):
    """Which images are learned."""

    name: str = "digits"
    """Data set: digits (embedded) or mnist."""
    folder: str | None = None
    """Folder that holds the data set's files; they are used as they are. Empty: the program's own folder."""
    download: bool = False
    """Fetch missing files from the data set's home and check their sums."""


class MethodConfig(_Part):
    """How the network becomes sparse."""

    name: str = "gated"
    """Method: gated, magnitude or dense."""
    draw: Literal["threshold", "bernoulli"] = "threshold"
    """Mask drawn from the gates: 1 where g >= 0.5, or Bernoulli(g). (gated)"""
    estimator: Literal["clip", "sigmoid", "plain"] = "clip"
    """Gate: projected on [0, 1], g = sigmoid(s), or free. (gated)"""
    keep: float = Field(0.05, gt=0, le=1)
    """Share of the weights left at the end. (magnitude)"""
    rounds: int = Field(5, ge=1, le=1000)
    """Cuts from all to the share that is kept. (magnitude)"""


class GateConfig(_Part):
    """The learnable gates."""

    start: float = Field(0.75, ge=0, le=1)
    """Initial gate value g."""


class PenaltyConfig(_Part):
    """What is added to the loss: lambda1 * sum g (1 - g) + lambda2 * sum g (paper, equation 2)."""

    lambda1: float = Field(1e-3, ge=0, json_schema_extra={"live": True})
    """Weight of the bimodal penalty, g (1 - g)."""
    lambda2: float = Field(5e-2, ge=0, json_schema_extra={"live": True})
    """Weight of the count penalty, g."""
    scale: Literal["mean", "layer_mean", "sum"] = "mean"
    """Sums divided by all gates of the network, by the gates of each layer, or not at all."""
    decide_ratio: float = Field(10, gt=1)
    """In the phase 'decide' lambda1 is raised to this many times lambda2."""


class ScheduleConfig(_Part):
    """When each phase begins, as a share of the run's epochs."""

    warm_up_until: float = Field(0, ge=0, le=1)
    """No penalty, and gates at rest, before this share of the epochs."""
    ramp_until: float = Field(0, ge=0, le=1)
    """The penalties rise in a line until this share of the epochs."""
    decide_from: float = Field(1, ge=0, le=1)
    """lambda1 is raised above lambda2 from this share of the epochs on."""
    freeze_from: float = Field(1, ge=0, le=1)
    """The masks stay as they are, and the kept weights are fine-tuned, from this share of the epochs on."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ends = (self.warm_up_until, self.ramp_until, self.decide_from, self.freeze_from)
        if list(ends) != sorted(ends):
            raise ValueError(
                "the phases must follow one another: warm_up_until <= ramp_until <= decide_from <= "
                f"freeze_from, but they are {', '.join(map(str, ends))}"
            )
        return self

    def phases(self, steps: int) -> "Phases":
        """The phases of a run of this many steps, in absolute steps."""
        shares = (self.warm_up_until, self.ramp_until, self.decide_from, self.freeze_from)
        return Phases(*(round(share * steps) for share in shares))


@dataclass(frozen=True, slots=True)
class Phases:
    """The first step of each phase but warm-up; a phase that begins where the next does is left out.

    Absolute steps: a run that is extended lengthens its last phase only.
    """

    ramp: int
    train: int
    decide: int
    frozen: int

    def name(self, step: int) -> str:
        """The phase of this step: warm-up, ramp, train, decide or frozen."""
        begun = [name for name in ("ramp", "train", "decide", "frozen") if step >= getattr(self, name)]
        return begun[-1] if begun else "warm-up"

    def penalty_share(self, step: int) -> float:
        """How much of the penalties acts at this step: rises from 0 to 1 over the ramp, 0 once frozen."""
        if step >= self.frozen or step < self.ramp:
            return 0.0
        return 1.0 if step >= self.train else (step - self.ramp + 1) / (self.train - self.ramp)


class OptimizerConfig(_Part):
    """Adam on the weights, and on the gates by a rate of their own without weight decay."""

    rate: float = Field(1e-3, gt=0, json_schema_extra={"live": True})
    """Learning rate of weights and biases."""
    gate_rate: float = Field(1e-3, gt=0, json_schema_extra={"live": True})
    """Learning rate of the gates."""
    weight_decay: float = Field(0, ge=0)
    """L2 penalty on weights and biases."""
    rate_schedule: Literal["constant", "cosine", "frozen"] = "constant"
    """Rate of the weights: constant, a cosine to 0, or constant until the masks freeze and then a cosine to 0."""


class RecordConfig(_Part):
    """What the run file keeps."""

    snapshots: int = Field(200, ge=1, le=100_000)
    """Snapshots spread evenly over the run."""
    previews: int = Field(64, ge=2, le=10_000)
    """Places for heatmap previews; the newest and an even spread over time are kept."""
    checkpoints: int = Field(6, ge=2, le=1000)
    """Places for checkpoints; the newest and an even spread over time are kept."""


class RunConfig(_Part):
    """One run, whole. Raises ConfigError from `parse`, `load` and `changed`."""

    network: str = "lenet5"
    """Network: lenet5, lenet300, or package.module:function for your own."""
    epochs: int = Field(20, ge=1, le=1_000_000)
    """Passes over the training data."""
    batch_size: int = Field(128, ge=1)
    """Images a step."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of weights, batches and draws."""
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where to train: auto, cpu, mps, cuda or cuda:N (N from 0)."""
    threads: int | None = Field(None, ge=1)
    """CPU threads of torch; results are equal bit for bit only for equal counts. Empty: torch decides."""
    data: DataConfig = DataConfig()
    method: MethodConfig = MethodConfig()
    gate: GateConfig = GateConfig()
    penalty: PenaltyConfig = PenaltyConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    record: RecordConfig = RecordConfig()

    @classmethod
    def parse(cls, values: Mapping[str, Any], source: str = "configuration") -> Self:
        """The configuration with these nested values; the others keep their defaults."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(f"{source}: {_in_words(error)}") from None

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """The preset of this name, or the TOML file at this path."""
        found = paths.presets()
        path = found.get(str(name), Path(name))
        if not path.is_file():
            raise ConfigError(f"no preset and no TOML file '{name}'; presets: {', '.join(found) or 'none'}")
        try:
            return cls.parse(tomllib.loads(path.read_text(encoding="utf-8")), source=str(name))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from None

    def changed(self, values: Mapping[str, Any]) -> Self:
        """A copy with the settings of these dotted names changed, as in {"penalty.lambda2": 1e-4}."""
        tree = self.model_dump()
        for name, value in values.items():
            *parts, leaf = name.split(".")
            branch = tree
            for part in parts:
                branch = branch.get(part) if isinstance(branch.get(part), dict) else {}  # type: ignore[assignment]
            if leaf not in branch or isinstance(branch[leaf], dict):
                raise ConfigError(f"{name}: no such setting; settings: {', '.join(settings())}")
            branch[leaf] = value
        return self.parse(tree, source="setting")

    def value(self, name: str) -> Any:
        """The value of the setting with this dotted name."""
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        return value


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of RunConfig, for the form and for help."""

    name: str  # dotted
    description: str
    annotation: Any
    live: bool  # may change while a run trains


def settings(part: type[BaseModel] = RunConfig, prefix: str = "") -> dict[str, Setting]:
    """Every setting by its dotted name, in the order of the configuration."""
    found: dict[str, Setting] = {}
    for name, field in part.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= settings(field.annotation, f"{prefix}{name}.")
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        dotted = prefix + name
        found[dotted] = Setting(dotted, field.description or "", field.annotation, bool(extra.get("live")))
    return found


def choose(setting: str, name: str, entries: Mapping[str, _Entry], otherwise: str = "") -> _Entry:
    """The entry of a registry (`METHODS`, `MODELS`, `DATASETS`); an unknown name is told with the known ones."""
    if name not in entries:
        allowed = ", ".join([*entries, otherwise] if otherwise else entries)
        raise ConfigError(f"{setting}: unknown '{name}'; allowed: {allowed}")
    return entries[name]


def parse_assignments(pairs: Iterable[str]) -> dict[str, Any]:
    """`NAME=VALUE` pairs as a dict of values by dotted name; see `parse_value`."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"'{pair}': write NAME=VALUE, as in penalty.lambda2=1e-4")
        values[name.strip()] = parse_value(name.strip(), text)
    return values


def parse_value(name: str, text: str) -> Any:
    """What a person typed for the setting of this dotted name: a TOML value, or else the text itself."""
    text = text.strip()
    known = settings().get(name)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    is_text = known is not None and known.annotation in (str, str | None)
    return text if is_text and not isinstance(value, str) else value  # a folder may be called 2024


def _in_words(error: ValidationError) -> str:
    return "; ".join(_one_in_words(details) for details in error.errors())


def _one_in_words(details: Any) -> str:
    name = ".".join(map(str, details["loc"])) or "schedule"
    if details["type"] == "extra_forbidden":
        *parents, _ = name.split(".")
        prefix = ".".join([*parents, ""]) if parents else ""
        known = [known for known in settings() if known.startswith(prefix)]
        return f"{name}: no such setting; settings: {', '.join(known)}"
    if details["type"] == "literal_error":
        return f"{name}: {details['input']!r} is not allowed; use {details['ctx']['expected']}"
    if details["type"] == "string_pattern_mismatch":
        return f"{name}: {details['input']!r} is not allowed; {settings()[name].description}"
    if details["type"] == "value_error":
        return f"{name}: {details['ctx']['error']}"
    return f"{name}: {details['msg']} (it is {details['input']!r})"
