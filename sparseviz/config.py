"""RunConfig and its parts: what a run is.

A configuration is read from TOML (presets, the person's own file), changed by dotted names (`--set`, the
form) and kept as JSON in the run file. Every field's default leaves the paper's plain method, so a new
setting changes nothing until it is used.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sparseviz import paths
from sparseviz.settings import Setting, as_toml, in_words, leaves, read_value

EMBEDDED = "lenet5-digits"  # the preset that needs nothing but the program

_Entry = TypeVar("_Entry")
_Share = Annotated[float, Field(ge=0, le=1)]
_Rate = Annotated[float, Field(ge=0, lt=1)]


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
    """Method: gated, magnitude, dense, l1, collins-kohli, obd, obs, data-free, hard-concrete or dns."""
    draw: Literal["threshold", "bernoulli"] = "threshold"
    """Mask drawn from the gates: 1 where g >= 0.5, or Bernoulli(g). (gated)"""
    draws: int = Field(1, ge=1, le=100)
    """Monte-Carlo draws a step, whose gradients are averaged. (gated, bernoulli)"""
    estimator: Literal["clip", "sigmoid", "plain"] = "clip"
    """Gate: projected on [0, 1], g = sigmoid(s), or free. (gated)"""
    keep: float = Field(0.05, gt=0, le=1)
    """Share left at the end: of the weights (magnitude, l1, obd, obs), of each layer's (collins-kohli), of each
    layer's neurons (data-free)."""
    rounds: int = Field(5, ge=1, le=1000)
    """Cuts from all to the share that is kept. (magnitude, l1, obd, obs, data-free)"""
    decline: Literal["geometric", "cubic"] = "geometric"
    """Each round keeps the same share of what is left, or most is cut at first. (magnitude, l1, obd, obs, data-free)"""
    share_of: Literal["network", "layer"] = "network"
    """The share is of all weights together, or of each layer's. (magnitude, l1, obd, obs)"""
    layers: tuple[str, ...] = Field(("*",), strict=False)
    """Names or patterns of the layers that may be cut; the others stay dense. (all but gated and dense)"""
    proximal: bool = True
    """Shrink weights by the exact, proximal step, which makes zeros; else by the subgradient of |w|. (l1)"""
    every: int = Field(20, ge=1)
    """Steps from one thresholding to the next. (collins-kohli)"""
    images: int = Field(1000, ge=1)
    """Training images that are read to decide. (collins-kohli, obd, obs)"""
    damping: float = Field(1e-2, gt=0)
    """Added to the Hessian's diagonal, as a share of its mean. (obs)"""
    cut_off: Literal["share", "mode"] = "share"
    """Merge down to the share that is kept, or in one round to the mode of the saliencies. (data-free)"""
    open: float = Field(0.99, gt=0, lt=1)
    """Probability that a weight's gate is open at the start. (hard-concrete)"""
    deviations: float = Field(1.0, ge=-10, le=100)
    """Threshold on a layer's |w|: their mean and this many of their standard deviations. (dns)"""
    deviations_by_layer: dict[str, float] = {}
    """Other numbers of standard deviations, by layer name or pattern. (dns)"""


class GateConfig(_Part):
    """The learnable gates."""

    start: float = Field(0.75, ge=0, le=1)
    """Initial gate value g."""
    start_by_layer: dict[str, _Share] = {}
    """Other initial values, by layer name or pattern, as in {conv1 = 0.9, "fc*" = 0.6}."""
    top_share: dict[str, _Share] = {}
    """By layer name or pattern: this share of the gates, of the largest weights, starts at 1, the rest at 0.49."""
    layers: tuple[str, ...] = Field(("*",), strict=False)
    """Names or patterns of the layers that are gated; the others stay dense."""
    granularity: Literal[
        "weight", "output", "input", "output+input", "weight+output", "weight+input", "weight+output+input"
    ] = "weight"
    """One gate a weight (the paper), an output unit or filter, an input unit, or several, which must all be open."""


class PenaltyConfig(_Part):
    """What is added to the loss: lambda1 * sum g (1 - g) + lambda2 * sum g (paper, equation 2)."""

    lambda1: float = Field(1e-3, ge=0, json_schema_extra={"live": True})
    """Weight of the bimodal penalty, g (1 - g)."""
    lambda2: float = Field(5e-2, ge=0, json_schema_extra={"live": True})
    """Weight of the count penalty, g; of |w| in l1, of P(open) in hard-concrete."""
    count: Literal["l1", "l2"] = "l1"
    """Count penalty: the sum of g, or of its square."""
    scale: Literal["mean", "layer_mean", "sum"] = "mean"
    """Sums divided by all gates of the network, by the gates of each layer, or not at all."""
    decide_ratio: float = Field(10, gt=1)
    """In the phase 'decide' lambda1 is raised to this many times lambda2."""


class ScheduleConfig(_Part):
    """When each phase begins, as a share of the run's epochs."""

    warm_up_until: float = Field(0, ge=0, le=1)
    """No penalty, and gates at rest, before this share of the epochs."""
    ramp_until: float = Field(0, ge=0, le=1)
    """The penalties rise until this share of the epochs."""
    stairs: int = Field(0, ge=0, le=10_000)
    """In how many equal stairs the penalties rise; 0: in a line."""
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


class TargetConfig(_Part):
    """When the masks freeze before their time; looked at with every snapshot."""

    parameters_kept: int | None = Field(None, ge=1)
    """Freeze as soon as no more parameters than this are kept."""
    validation_error: float | None = Field(None, ge=0, le=100)
    """Freeze as soon as the validation error, in percent, passes this, once the penalties act."""


class OptimizerConfig(_Part):
    """Adam on the weights; the gates have an optimizer and a rate of their own, and no weight decay."""

    rate: float = Field(1e-3, gt=0, json_schema_extra={"live": True})
    """Learning rate of weights and biases."""
    gate_rate: float = Field(1e-3, gt=0, json_schema_extra={"live": True})
    """Learning rate of the gates."""
    gates: Literal["adam", "sgd"] = "adam"
    """Optimizer of the gates: adam moves every gate at about its rate, sgd in proportion to its gradient."""
    average: float = Field(0, ge=0, lt=1)
    """Decay of an exponential average of the weights, kept once the masks are frozen; 0: none."""
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
    checkpoint_budget: int = Field(500, ge=1)
    """Megabytes that checkpoints may take: for a large network their places are made fewer, down to two."""


class RunConfig(_Part):
    """One run, whole. Raises ConfigError from `parse`, `load` and `changed`."""

    network: str = "lenet5"
    """Network: lenet5, lenet300, or package.module:function for your own."""
    dropout: tuple[_Rate, ...] = Field((), strict=False)
    """Dropout before each linear layer but the first of lenet300, before each of lenet5; empty: none."""
    epochs: int = Field(20, ge=1, le=1_000_000, json_schema_extra={"live": True})
    """Passes over the training data; a run that trains can be made longer, which lengthens its last phase."""
    batch_size: int = Field(128, ge=1)
    """Images a step."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of weights, batches and draws."""
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where to train: auto, cpu, mps, cuda or cuda:N (N from 0)."""
    threads: int | None = Field(None, ge=1)
    """CPU threads of torch; results are equal bit for bit only for equal counts. Empty: torch decides."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Numbers that layers compute with in a training step; weights, gates and errors are always float32."""
    data: DataConfig = DataConfig()
    method: MethodConfig = MethodConfig()
    gate: GateConfig = GateConfig()
    penalty: PenaltyConfig = PenaltyConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    target: TargetConfig = TargetConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    record: RecordConfig = RecordConfig()

    @classmethod
    def parse(cls, values: Mapping[str, Any], source: str = "configuration") -> Self:
        """The configuration with these nested values; the others keep their defaults."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(f"{source}: {in_words(error, settings())}") from None

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
            if name not in settings():
                raise ConfigError(f"{name}: no such setting; settings: {', '.join(settings())}")
            *parts, leaf = name.split(".")
            branch = tree
            for part in parts:
                branch = branch[part]
            branch[leaf] = value
        return self.parse(tree, source="setting")

    def as_toml(self) -> str:
        """The text of a TOML file that `load` reads back as this configuration."""
        return as_toml(self.model_dump())

    def value(self, name: str) -> Any:
        """The value of the setting with this dotted name."""
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        return value


def settings() -> dict[str, Setting]:
    """Every setting by its dotted name, in the order of the configuration."""
    return leaves(RunConfig)


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
    """What a person typed for the setting of this dotted name."""
    return read_value(text, settings().get(name))
