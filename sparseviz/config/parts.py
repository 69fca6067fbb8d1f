"""The parts of RunConfig, each a group of settings; every field's default leaves the paper's plain method."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sparseviz.config import paths

Share = Annotated[float, Field(ge=0, le=1)]
_Positive = Annotated[float, Field(gt=0)]


class Group(BaseModel):
    """Settings that belong together: frozen, and strict about types."""

    # strict: a true is no 1, and a text is no number
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class DataConfig(Group):
    """The data set: which images are learned, and how they are brought to one size."""

    name: Annotated[str, AfterValidator(paths.whole_function)] = "digits"
    """Data set: digits (embedded), mnist, cifar10, npz, folder (of images, a class a folder), or your own as
    package.module:function or file.py:function."""
    folder: str | None = None
    """Folder that holds the data set's files (npz: the file); they are used as they are. Empty: the program's own."""
    download: bool = False
    """Fetch missing files from the data set's home and check their sums. (mnist, cifar10)"""
    augment: bool = False
    """Train on random crops, half of them mirrored: of a random size and shape (folder), or shifted by up to 4 pixels
    (cifar10, npz, your own)."""
    size: int = Field(224, ge=1, le=4096)
    """Height and width to which images are brought, in pixels. (folder)"""
    crop: float = Field(0.875, gt=0, le=1)
    """Share of the shorter side that is cut out of the middle to evaluate, and to train without augment. (folder)"""
    colours: Literal["rgb", "gray"] = "rgb"
    """Whether images have three channels or one. (folder)"""
    mean: tuple[float, ...] = Field((), strict=False)
    """Mean of each channel, pixels from 0 to 1, by which images are normalised; empty: ImageNet's. (folder)"""
    std: tuple[_Positive, ...] = Field((), strict=False)
    """Standard deviation of each channel; empty: ImageNet's. (folder)"""
    workers: int = Field(0, ge=0, le=256)
    """Processes that read images ahead of training; 0: the training itself reads them. (folder)"""


class MethodConfig(Group):
    """The method of pruning: how the network becomes sparse."""

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


class GateConfig(Group):
    """The learnable gates: where they start, and which layers have some."""

    start: float = Field(0.75, ge=0, le=1)
    """Initial gate value g."""
    start_by_layer: dict[str, Share] = {}
    """Other initial values, by layer name or pattern, as in {conv1 = 0.9, "fc*" = 0.6}."""
    top_share: dict[str, Share] = {}
    """By layer name or pattern: this share of the gates, of the largest weights, starts at 1, the rest at 0.49."""
    layers: tuple[str, ...] = Field(("*",), strict=False)
    """Names or patterns of the layers that are gated; the others stay dense."""
    granularity: Literal[
        "weight", "output", "input", "output+input", "weight+output", "weight+input", "weight+output+input"
    ] = "weight"
    """One gate a weight (the paper), an output unit or filter, an input unit, or several, which must all be open."""


class PenaltyConfig(Group):
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


class ScheduleConfig(Group):
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


class TargetConfig(Group):
    """Early freezing of the masks: looked at with every snapshot."""

    parameters_kept: int | None = Field(None, ge=1)
    """Freeze as soon as no more parameters than this are kept."""
    validation_error: float | None = Field(None, ge=0, le=100)
    """Freeze as soon as the validation error, in percent, passes this, once the penalties act."""


class OptimizerConfig(Group):
    """Optimizers and learning rates; the gates have those of their own, and no weight decay."""

    rate: float = Field(1e-3, gt=0, json_schema_extra={"live": True})
    """Learning rate of weights and biases."""
    gate_rate: float = Field(1e-3, gt=0, json_schema_extra={"live": True})
    """Learning rate of the gates."""
    weights: Literal["adam", "sgd"] = "adam"
    """Optimizer of weights and biases; sgd has a momentum and needs half the memory."""
    momentum: float = Field(0.9, ge=0, lt=1)
    """Momentum of the weights. (sgd)"""
    gates: Literal["adam", "sgd"] = "adam"
    """Optimizer of the gates: adam moves every gate at about its rate, sgd in proportion to its gradient."""
    average: float = Field(0, ge=0, lt=1)
    """Decay of an exponential average of the weights, kept once the masks are frozen; 0: none."""
    weight_decay: float = Field(0, ge=0)
    """L2 penalty on weights and biases."""
    rate_schedule: Literal["constant", "cosine", "frozen", "steps"] = "constant"
    """Rates: constant, a cosine to 0, constant until the masks freeze and then a cosine to 0, or falling in steps."""
    rate_every: int = Field(30, ge=1)
    """Epochs from one fall of the rates to the next. (steps)"""
    rate_factor: float = Field(0.1, gt=0, lt=1)
    """What a fall leaves of the rates. (steps)"""
    rate_warm_up: float = Field(0, ge=0, le=1)
    """The rates rise in a line from 0 until this share of the epochs."""
    label_smoothing: float = Field(0, ge=0, lt=1)
    """Share of each label that is spread evenly over all classes, in the training loss alone."""


class RecordConfig(Group):
    """The recording: what the run file keeps, and how often."""

    snapshots: int = Field(200, ge=1, le=100_000)
    """Snapshots spread evenly over the run."""
    previews: int = Field(64, ge=2, le=10_000)
    """Places for heatmap previews; the newest and an even spread over time are kept."""
    checkpoints: int = Field(6, ge=2, le=1000)
    """Places for checkpoints; the newest and an even spread over time are kept."""
    checkpoint_budget: int = Field(500, ge=1)
    """Megabytes that checkpoints may take: for a large network their places are made fewer, down to two."""


LEAST_PLACES = 2  # one is whole while the other is written


def checkpoint_places(record: RecordConfig, size: int) -> int:
    """Places for checkpoints of this size in bytes: as many as are asked for, as far as the budget goes, at least 2."""
    return max(LEAST_PLACES, min(record.checkpoints, record.checkpoint_budget * 10**6 // max(size, 1)))
