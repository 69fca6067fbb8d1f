"""The layers of a network: those whose weights can be cut, who reads whom, and what they cost."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparseviz.config import InputError
from sparseviz.config.own_code import where

Layer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
LAYER_TYPES = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)

# What may stand between two layers of a chain without mixing units.
_NO_PADDING = ("valid", (0,), (0, 0), (0, 0, 0))
_UNITWISE = (nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Dropout, nn.Identity)


def layers(model: nn.Module) -> dict[str, Layer]:
    """The layers whose weights can be cut, by name, in the order of the model; a shared weight counts once."""
    seen: set[int] = set()
    found: dict[str, Layer] = {}
    for name, module in model.named_modules():
        if isinstance(module, LAYER_TYPES) and id(stored_weight(module)) not in seen:
            seen.add(id(stored_weight(module)))
            found[name] = module
    return found


def stored_weight(layer: Layer) -> Tensor:
    """The layer's weight before any mask: the parameter itself, which a parametrized layer keeps elsewhere."""
    if parametrize.is_parametrized(layer, "weight"):
        return layer.get_parameter("parametrizations.weight.original")
    return layer.weight


def readers(model: nn.Module) -> dict[str, str]:
    """Which layer alone reads each layer's units, name to name, where that is certain: in a plain chain.

    The last layer, whose units are the answer, and whatever is not a chain have no entry.
    """
    if type(model).forward is not nn.Sequential.forward:
        return {}
    modules = model._modules  # noqa: SLF001  # named_children() leaves out a module that stands twice
    if [name for name, module in modules.items() if isinstance(module, LAYER_TYPES)] != list(layers(model)):
        return {}  # a layer or a weight stands twice, or a layer stands deeper
    chain: dict[str, str] = {}
    writer: str | None = None
    for name, module in modules.items():
        if isinstance(module, LAYER_TYPES):
            unpadded = isinstance(module, nn.Linear) or (module.padding in _NO_PADDING and module.groups == 1)
            if writer and unpadded:
                chain[writer] = name
            writer = name
        elif not isinstance(module, _UNITWISE):
            writer = None
    return chain


@torch.no_grad()
def multiply_adds(model: nn.Module, images: Tensor, classes: int | None = None) -> dict[str, int]:
    """Multiply-adds of each layer for one input; `images` is (1, C, H, W) on the model's device.

    Raises InputError where the network cannot read such images, or answers with another number of classes.
    """
    counts: dict[str, int] = {}
    hooks = [module.register_forward_hook(_counter(name, counts)) for name, module in layers(model).items()]
    training = model.training
    try:
        answers = model.eval()(images)
    except Exception as error:
        raise InputError(
            f"network cannot read images of shape {tuple(images.shape[1:])}: {error}{where(error)}"
        ) from error
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    if classes is not None:
        _check_answers(answers, classes)
    return {name: counts.get(name, 0) for name in layers(model)}


def _check_answers(answers: object, classes: int) -> None:
    if not isinstance(answers, Tensor):
        raise InputError(f"network answers with a {type(answers).__name__}, not with one tensor of (images, classes)")
    if answers.shape != (1, classes):
        raise InputError(
            f"network answers one image with a tensor of shape {tuple(answers.shape)}, but the data have {classes} "
            f"classes: its last layer must have {classes} outputs, and its answers the shape (images, {classes})"
        )


def _counter(name: str, counts: dict[str, int]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, LAYER_TYPES)  # noqa: S101  # only layers() are hooked
        places = output[0].numel() // module.weight.shape[0]  # of a convolution's output; 1 of a linear layer's
        counts[name] = counts.get(name, 0) + places * module.weight.numel()

    return count
