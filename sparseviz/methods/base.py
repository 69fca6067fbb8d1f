"""Method: the interface of every way of becoming sparse."""

import fnmatch
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparseviz.config import ConfigError, RunConfig
from sparseviz.networks import Layer, layers, stored_weight
from sparseviz.values.snapshot import Quantity

_Otherwise = TypeVar("_Otherwise")
Batches = Iterable[tuple[Tensor, Tensor]]  # images (B, C, H, W) and labels (B,)


class Method(ABC):
    """One way to become sparse: made for a run, attached to its model, told of every step.

    A subclass keeps what it needs a layer in modules that it registers as parametrizations of the layers'
    weights, so that any nn.Module can be trained by it unchanged. Names of layers are those of
    `models.layers`. Everything lives on the model's device; nothing here waits for that device.
    """

    scales_weights = False  # whether `weight` is more than what the model stores

    def __init__(self, config: RunConfig, steps: int) -> None:
        self.config = config
        self.steps = steps  # of the whole run
        self.layers: dict[str, Layer] = {}
        self.frozen = False
        self.rate = torch.zeros(())  # of the weights, in force: the trainer's own tensor

    def attach(self, model: nn.Module) -> None:
        """Take hold of the model's layers; its parameters keep their values."""
        self.layers = layers(model)

    def needs_data(self, step: int) -> bool:  # noqa: ARG002
        """Whether `on_data` is due before this step."""
        return False

    def on_data(self, model: nn.Module, batches: Batches) -> None:
        """Read some training images, always the same; draw nothing at random, leave model and gradients alone."""

    def parameters(self) -> list[nn.Parameter]:
        """The method's own learnable numbers, trained at the gates' rate."""
        return []

    def penalties(self) -> tuple[Tensor, Tensor]:
        """What is added to the loss now: the bimodal and the count part, two scalars."""
        zero = torch.zeros(())
        return zero, zero

    def before_step(self, step: int) -> None:
        """Called before the forward pass of every step."""

    def draw(self) -> None:
        """Called before every forward pass of a step: `method.draws` times where masks are random."""

    def after_backward(self) -> None:
        """Called when the gradients of the loss are there."""

    def after_step(self) -> None:
        """Called when the parameters have been updated."""

    def freeze(self) -> None:
        """From now on the masks stay as they are."""
        self.frozen = True

    def set_lambdas(self, lambda1: float, lambda2: float) -> None:
        """The penalties' weights from the next step on; a method without penalties has no use for them."""

    @abstractmethod
    def mask(self, layer: str) -> Tensor:
        """True where a weight is kept, bool in the weight's shape."""

    @abstractmethod
    def quantity(self, layer: str) -> Quantity:
        """What the method decides by."""

    @abstractmethod
    def quantity_values(self, layer: str) -> Tensor:
        """The decisive quantity of every weight, in the weight's shape."""

    def mask_rows(self, layer: str) -> Callable[[Any], Tensor]:
        """What gives rows of the mask's matrix, by a slice or by their numbers; a method may make these alone."""
        matrix = self.mask(layer).flatten(1)
        return lambda rows: matrix[rows]

    def quantity_rows(self, layer: str) -> Callable[[Any], Tensor]:
        """The same of the decisive quantity."""
        matrix = self.quantity_values(layer).detach().flatten(1)
        return lambda rows: matrix[rows]

    @abstractmethod
    def threshold(self, layer: str) -> float:
        """Kept where the quantity is at or above it; NaN where nothing is cut."""

    def weight(self, layer: str) -> Tensor:
        """The layer's weight before the mask, as it is evaluated, stored in checkpoints and shipped."""
        return stored_weight(self.layers[layer])

    def state_dict(self) -> Mapping[str, Tensor]:
        """What besides the model's weights is needed to go on, by layer."""
        return {}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Put the values of a `state_dict` into this one's tensors."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])

    def bake(self, model: nn.Module) -> None:
        """Put the masks into the weights and take the method off the model: cut weights are +0.0, even for inf."""
        baked = {name: torch.where(self.mask(name), self.weight(name).detach(), 0.0) for name in self.layers}
        for module in model.modules():
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
        with torch.no_grad():
            for name, weight in baked.items():
                self.layers[name].weight.copy_(weight)


def matching(names: Iterable[str], patterns: Iterable[str], setting: str) -> list[str]:
    """The layers that these names or patterns mean, in the order of the model. Raises ConfigError where one means none.

    A typing error would pass unseen otherwise.
    """
    known = list(names)
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise ConfigError(f"{setting}: no layer is called '{pattern}'; layers: {', '.join(known)}")
    return [name for name in known if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def first_of(name: str, values: Mapping[str, float], otherwise: _Otherwise) -> float | _Otherwise:
    """The value of the first name or pattern that means the layer."""
    return next((value for pattern, value in values.items() if fnmatch.fnmatchcase(name, pattern)), otherwise)


def register(model: nn.Module, layer: Layer, parametrization: nn.Module) -> None:
    """Parametrize the layer's weight, and every other module's that shares it, by one parametrization."""
    shared = layer.weight
    for module in list(model.modules()):
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter is shared:
                # unsafe: the parametrization is known to keep shape and type; checking it would cost a forward.
                parametrize.register_parametrization(module, name, parametrization, unsafe=True)


def weights_of(model: nn.Module, method: Method) -> dict[str, nn.Parameter]:
    """What the network has without its gates, by the names that it has now."""
    gates = {id(gate) for gate in method.parameters()}
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) not in gates}


def evaluated_state(model: nn.Module, method: Method) -> dict[str, Tensor]:
    """`plain_state` with every layer's weight as `method.weight` has it: what a checkpoint stores."""
    plain = plain_state(model)
    if method.scales_weights:
        own = {stored_weight(layer).data_ptr(): name for name, layer in method.layers.items()}
        plain |= {name: method.weight(own[at]) for name, value in plain.items() if (at := value.data_ptr()) in own}
    return plain


def plain_state(model: nn.Module) -> dict[str, Tensor]:
    """The model's state_dict as it would be without a method: weights not masked, under their own names."""
    plain: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        owner, parametrized, rest = name.partition(".parametrizations.")
        if not parametrized:
            plain[name] = value
        elif rest.endswith(".original"):
            plain[f"{owner}.{rest.removesuffix('.original')}"] = value
    return plain
