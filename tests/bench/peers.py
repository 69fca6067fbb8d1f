"""Other ways to train a network with masks, as their documentation or their paper has them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from sparseviz.networks import layers

Peer = Callable[[nn.Module, Tensor], tuple[nn.Module, Callable[[], Tensor] | None]]


def torch_prune(model: nn.Module, _images: Tensor) -> tuple[nn.Module, Callable[[], Tensor] | None]:
    """Fixed masks of `torch.nn.utils.prune`: half of the weights, nothing is learned of them."""
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # it reads no other
    for layer in layers(model).values():
        prune.random_unstructured(layer, "weight", amount=0.5)
    return model.to(memory_format=torch.channels_last), None  # type: ignore[call-overload]


class HardConcrete(nn.Module):
    """Louizos, Welling and Kingma, arXiv 1712.01312, equations 10 to 12, one gate a weight."""

    BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1

    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.full(shape, 2.0))

    def forward(self, weight: Tensor) -> Tensor:
        uniform = torch.rand_like(self.log_alpha).clamp(1e-6, 1 - 1e-6)
        s = torch.sigmoid((uniform.log() - (1 - uniform).log() + self.log_alpha) / self.BETA)
        return weight * (s * (self.ZETA - self.GAMMA) + self.GAMMA).clamp(0, 1)

    def expected(self) -> Tensor:
        """How many gates are open, in expectation."""
        return torch.sigmoid(self.log_alpha - self.BETA * math.log(-self.GAMMA / self.ZETA)).sum()


def hard_concrete(model: nn.Module, _images: Tensor) -> tuple[nn.Module, Callable[[], Tensor] | None]:
    """The L0 penalty of all layers."""
    gates = []
    for layer in layers(model).values():
        gates.append(HardConcrete(layer.weight.shape))
        parametrize.register_parametrization(layer, "weight", gates[-1], unsafe=True)
    return model, lambda: 1e-6 * torch.stack([gate.expected() for gate in gates]).sum()


class _Whole(nn.Module):
    """NNCF adds a child to the model, which a bare Sequential would call as its last layer."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, images: Tensor) -> Tensor:
        answers: Tensor = self.body(images)
        return answers


def nncf_rb(model: nn.Module, images: Tensor) -> tuple[nn.Module, Callable[[], Tensor] | None]:
    """NNCF's `prune` with learned masks and its loss, to 95 % sparsity."""
    import nncf
    from nncf.torch.function_hook.pruning.rb.losses import RBLoss

    pruned = nncf.prune(
        _Whole(model), mode=nncf.PruneMode.UNSTRUCTURED_REGULARIZATION_BASED, examples_inputs=images.contiguous()
    )
    return pruned, RBLoss(pruned, target_ratio=0.95)


PEERS: dict[str, Peer] = {
    "NNCF regularisation-based pruning": nncf_rb,
    "torch.nn.utils.prune masks": torch_prune,
    "hard-concrete gates": hard_concrete,
}
