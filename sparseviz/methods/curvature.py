"""Second derivatives of the loss, and of a layer's own error, measured on images.

What is read is the network in evaluation mode: without dropout, and nothing is drawn. A layer that is used twice
counts each use by itself, and of layers that share a weight only the first is seen.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sparseviz.methods.base import Batches
from sparseviz.networks import Layer

Uses = list[tuple[str, Tensor, Tensor]]  # layer, what went in, what came out


@contextmanager
def watched(model: nn.Module, layers: Mapping[str, Layer]) -> Iterator[Uses]:
    """Within the block the model is in evaluation mode, and each use of a layer is noted."""
    uses: Uses = []
    hooks = [
        layer.register_forward_hook(lambda _, inputs, output, name=name: uses.append((name, inputs[0], output)))
        for name, layer in layers.items()
    ]
    training = model.training
    model.eval()
    try:
        yield uses
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()


def patches(layer: Layer, inputs: Tensor) -> Tensor:
    """What each weight of an output unit is multiplied with: (B, groups, weights of a unit, places).

    A linear layer has one group, and a place for each row that it reads of an image.
    """
    if isinstance(layer, nn.Linear):
        return inputs.reshape(len(inputs), -1, inputs.shape[-1]).transpose(1, 2)[:, None]
    size, kernel = layer.weight[0].numel(), layer.weight.shape[1:]
    eye = torch.eye(size, dtype=inputs.dtype, device=inputs.device).reshape(size, *kernel)
    each: Tensor = layer._conv_forward(inputs, eye.repeat(layer.groups, *[1] * len(kernel)), None)  # noqa: SLF001
    return each.reshape(len(inputs), layer.groups, size, -1)


def by_group(layer: Layer, outputs: Tensor) -> Tensor:
    """What came out of a layer, or its gradient, as (B, groups, units of a group, places)."""
    if isinstance(layer, nn.Linear):
        return outputs.reshape(len(outputs), -1, outputs.shape[-1]).transpose(1, 2)[:, None]
    return outputs.reshape(len(outputs), layer.groups, outputs.shape[1] // layer.groups, -1)


def gauss_newton_diagonal(model: nn.Module, layers: Mapping[str, Layer], batches: Batches) -> dict[str, Tensor]:
    """The diagonal of the generalised Gauss-Newton matrix of the mean cross-entropy, in the weights' shapes.

    Exact for that matrix: the loss's Hessian by the answers, diag(p) - p p^T, is the sum over classes c of s s^T
    with s = sqrt(p_c) (e_c - p); each s is carried back to the layers, and the squares of every image's gradient
    are summed. It leaves out the networks' own second derivatives, as Optimal Brain Damage does (Levenberg-Marquardt).
    """
    found = {
        name: torch.zeros_like(layer.weight, memory_format=torch.contiguous_format) for name, layer in layers.items()
    }
    number = 0
    with watched(model, layers) as uses:
        for images, _ in batches:
            uses.clear()
            with torch.enable_grad():
                answers = model(images)
            read = [patches(layers[name], inputs.detach()) for name, inputs, _ in uses]
            for root in _loss_roots(answers.detach()):
                grads = torch.autograd.grad(answers, [output for *_, output in uses], root, retain_graph=True)
                for (name, *_), inputs, grad in zip(uses, read, grads, strict=True):
                    found[name] += _squares(layers[name], inputs, grad)
            number += len(images)
    return {name: total.detach() / number for name, total in found.items()}


def _loss_roots(answers: Tensor) -> Iterator[Tensor]:
    """For each class sqrt(p_c) (e_c - p), (B, classes)."""
    shares = answers.softmax(dim=1)
    for number in range(answers.shape[1]):
        root = -shares.clone()
        root[:, number] += 1
        yield root * shares[:, number, None].sqrt()


def _squares(layer: Layer, right: Tensor, grad: Tensor) -> Tensor:
    """The sum over images of the squares of the weight's gradient, in the weight's shape; `right` are the patches."""
    left = by_group(layer, grad)
    if left.shape[-1] == 1:  # (a b)^2 = a^2 b^2: no image's own gradient need be made
        squares = left[..., 0].square().transpose(0, 1).mT @ right[..., 0].square().transpose(0, 1)
    else:
        squares = (left @ right.mT).square().sum(dim=0)
    return squares.reshape(layer.weight.shape)


def input_moments(
    model: nn.Module, layers: Mapping[str, Layer], batches: Batches, block: int
) -> dict[str, list[Tensor]]:
    """The mean over images of x x^T summed over places, for blocks of so many weights of a unit: (groups, D, D) each.

    It is the Hessian, for each output unit, of half the mean squared error of the layer's output.
    """
    found: dict[str, list[Tensor]] = {}
    number = 0
    with watched(model, layers) as uses, torch.no_grad():
        for images, _ in batches:
            uses.clear()
            model(images)
            for name, inputs, _ in uses:
                each = patches(layers[name], inputs).transpose(0, 1).transpose(1, 2).flatten(2)  # (G, D, B * places)
                parts = [part @ part.mT for part in torch.split(each, block, dim=1)]
                found[name] = (
                    [old + part for old, part in zip(found[name], parts, strict=True)] if name in found else parts
                )
            number += len(images)
    return {name: [part / number for part in parts] for name, parts in found.items()}
