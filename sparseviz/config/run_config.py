"""RunConfig and its parts: what a run is.

A configuration is read from TOML (presets, the person's own file), changed by dotted names (`--set`, the
form) and kept as JSON in the run file. Every field's default leaves the paper's plain method, so a new
setting changes nothing until it is used.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from sparseviz.config import paths
from sparseviz.config.errors import ConfigError
from sparseviz.config.parts import (
    DataConfig,
    GateConfig,
    Group,
    MethodConfig,
    OptimizerConfig,
    PenaltyConfig,
    RecordConfig,
    ScheduleConfig,
    TargetConfig,
)
from sparseviz.config.setting import Setting, as_toml, in_words, leaves, read_value

EMBEDDED = "lenet5-digits"  # the preset that needs nothing but the program

_Entry = TypeVar("_Entry")
_Rate = Annotated[float, Field(ge=0, lt=1)]


class RunConfig(Group):
    """One run, whole. Raises ConfigError from `parse`, `load` and `changed`."""

    network: Annotated[str, AfterValidator(paths.whole_function)] = "lenet5"
    """Network: lenet5, lenet300, alexnet, vgg16, vgg16-cifar10, resnet20-cifar10; your own: package.module:function
    or file.py:function."""
    weights: str | None = None
    """File of pretrained weights to begin with: safetensors, or a state_dict of torch.save. Empty: drawn."""
    weights_partial: bool = False
    """Load what fits of that file and leave the rest as drawn, such as a last layer of other classes."""
    dropout: tuple[_Rate, ...] = Field((), strict=False)
    """Dropout before each linear layer of lenet5 and vgg16-cifar10, each but the first of the others; empty: none."""
    epochs: int = Field(20, ge=1, le=1_000_000, json_schema_extra={"live": True})
    """Passes over the training data; a run that trains can be made longer, which lengthens its last phase."""
    batch_size: int = Field(128, ge=1)
    """Images a step."""
    accumulate: int = Field(1, ge=1)
    """Parts in which a step reads its images, for less memory; without batch norm the step is the same."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of weights, batches and draws."""
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where to train: auto, cpu, mps, cuda or cuda:N (N from 0)."""
    threads: int | None = Field(None, ge=1)
    """CPU threads of torch; results are equal bit for bit only for equal counts. Empty: torch decides."""
    precision: Literal["float32", "bfloat16", "tf32"] = "float32"
    """Numbers that layers compute with in a training step; weights and gates are always float32, and errors too but
    for tf32, float32 with the multipliers' 10 bits on a GPU."""
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

    def taking(self, values: Mapping[str, Any]) -> Self:
        """The same with values that were validated in another configuration."""
        config = self
        for name, value in values.items():
            part, _, leaf = name.rpartition(".")
            own = {part: getattr(config, part).model_copy(update={leaf: value})} if part else {leaf: value}
            config = config.model_copy(update=own)
        return config

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
