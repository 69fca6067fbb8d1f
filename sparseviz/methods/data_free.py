"""Data-free neuron removal: of the two most alike neurons one goes, and the other takes on what it did.

"Data-free Parameter Pruning for Deep Neural Networks", Srinivas and Babu, 2015.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparseviz.config import ConfigError, RunConfig
from sparseviz.methods.base import matching
from sparseviz.methods.pruned import Pruned, share_after
from sparseviz.networks import readers
from sparseviz.values.snapshot import Quantity

SALIENCY = Quantity("log10 merge saliency", -8, 2, is_gate=False)
BINS = 100  # of the histogram whose mode is the cut-off


class DataFree(Pruned):
    """Merges neurons (or filters) in rounds, down to the share `method.keep` of each layer's, or to the cut-off.

    A layer can lose neurons where one other layer alone reads them (`models.readers`); then their rows go, and the
    reader's columns. With `method.cut_off` "mode" there is one round, the last, which merges while the least saliency
    is below the mode of the first ones' histogram (section 4). No data is read to decide.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self.readers: dict[str, str] = {}

    def choose(self, model: nn.Module) -> list[str]:
        """The layers whose neurons may go, and their readers."""
        named = matching(self.layers, self.config.method.layers, "method.layers")
        chain = readers(model)
        self.readers = {name: chain[name] for name in named if chain.get(name) in self.layers}
        if not self.readers:
            raise ConfigError(f"method.layers: no neuron of {', '.join(named)} is read by one known layer alone")
        return [name for name in self.layers if name in self.readers or name in self.readers.values()]

    @torch.no_grad()
    def before_step(self, step: int) -> None:
        """Merge where a round falls on this step."""
        if self.frozen or step not in self.rounds:
            return
        method = self.config.method
        if method.cut_off == "share":
            self.cut(share_after(self.rounds[step], method))
        elif self.rounds[step] == method.rounds:
            for name in self.readers:
                neurons = self.neurons(name)
                self._merge(name, neurons, 1, mode(neurons.saliencies()))

    @torch.no_grad()
    def cut(self, keep: float) -> None:
        """Keep this share of each layer's neurons."""
        for name in self.readers:
            neurons = self.neurons(name)
            self._merge(name, neurons, max(1, round(keep * len(neurons.alive))), torch.inf)

    def _merge(self, name: str, neurons: "Neurons", least: int, bar: float) -> None:
        """Merge the two most alike until so few neurons are left, or none are so alike."""
        saliencies = neurons.saliencies()
        while int(neurons.alive.sum()) > least and saliencies.min() < bar:
            stays, goes = divmod(int(saliencies.argmin()), len(saliencies))
            neurons.merge(stays, goes)
            saliencies = neurons.saliencies()
        self._put(name, neurons)
        self.set_threshold(name, self._log(saliencies.min(dim=0).values[neurons.alive]).min())

    def neurons(self, name: str) -> "Neurons":
        """The neurons of a layer as they are now."""
        weight, read = self.weight(name) * self.mask(name), self._read(name)
        bias = self.layers[name].bias
        ins = weight.detach().flatten(1)
        return Neurons(
            ins=ins,
            biases=ins.new_zeros(len(ins)) if bias is None else bias.detach(),
            outs=read.transpose(0, 1).flatten(1).clone(),
            alive=self.mask(name).flatten(1).any(dim=1),
        )

    def _read(self, name: str) -> Tensor:
        """The reader's weights as (its units, neurons, places)."""
        reader = self.readers[name]
        weight = (self.weight(reader) * self.mask(reader)).detach()
        return weight.reshape(len(weight), len(self.weight(name)), -1)

    def _put(self, name: str, neurons: "Neurons") -> None:
        """Give the reader what the merged neurons did, and cut those that went, in and out."""
        reader, read = self.readers[name], self._read(name)
        weight = self.weight(reader)
        weight.copy_(neurons.outs.reshape(read.shape[1], len(read), -1).transpose(0, 1).reshape(weight.shape))
        columns = neurons.alive[None, :, None].expand_as(read).reshape(weight.shape)
        self.leave(reader, self.mask(reader) & columns)
        if reader not in self.readers:
            self.set_threshold(reader, columns.new_tensor(torch.finfo(torch.float32).tiny, dtype=torch.float32))
        rows = neurons.alive.reshape(-1, *[1] * (self.weight(name).dim() - 1))
        self.leave(name, self.mask(name) & rows)

    def quantity(self, layer: str) -> Quantity:
        """The saliency of a neuron's cheapest merge, on a log scale; else the relative magnitude."""
        return SALIENCY if layer in self.readers else super().quantity(layer)

    @torch.no_grad()
    def quantity_values(self, layer: str) -> Tensor:
        """log10 of the least saliency at which the neuron could go, for all its weights; the cut at the low end."""
        if layer not in self.readers:
            return super().quantity_values(layer) * self.mask(layer)
        values = self._log(self.neurons(layer).saliencies().min(dim=0).values)
        weight = self.weight(layer)
        rows = values.reshape(-1, *[1] * (weight.dim() - 1)).expand_as(weight)
        return rows.masked_fill(~self.mask(layer), SALIENCY.low)

    @staticmethod
    def _log(saliencies: Tensor) -> Tensor:
        return saliencies.clamp(10**SALIENCY.low, 10**SALIENCY.high).log10()


@dataclass
class Neurons:
    """The neurons of one layer: what each reads, its bias, and what reads it."""

    ins: Tensor  # (neurons, inputs)
    biases: Tensor  # (neurons,)
    outs: Tensor  # (neurons, weights that read one)
    alive: Tensor  # (neurons,), bool

    def __post_init__(self) -> None:
        # What may stand between a neuron and its reader (ReLU, pooling) keeps factors above 0: a neuron can be scaled
        # to a weight norm of 1 and its outgoing weights by the norm (section 3.3); how far two are apart: section 3.4.
        self._norms = self.ins.norm(dim=1).clamp_min(1e-12)
        unit = self.ins / self._norms[:, None]
        bias = self.biases / self._norms
        cosine = (unit @ unit.T).clamp(-1, 1)
        inputs = _ratio(1 - cosine, 1 + cosine).sqrt()  # of unit vectors, |a - b| / |a + b|
        self._apart = (inputs + _ratio((bias[:, None] - bias).abs(), (bias[:, None] + bias).abs())).square()

    def saliencies(self) -> Tensor:
        """s_ij = <a_j^2> ||e_ij||^2, what it costs to let j go into i (section 3); infinite where it cannot be."""
        size = (self.outs * self._norms[:, None]).square().mean(dim=1)
        able = self.alive[:, None] & self.alive & ~torch.eye(len(size), dtype=torch.bool, device=size.device)
        found: Tensor = (self._apart * size).masked_fill(~able, torch.inf)
        return found

    def merge(self, stays: int, goes: int) -> None:
        """The one that stays takes on the outgoing weights of the other, which goes."""
        self.outs[stays] += self.outs[goes] * (self._norms[goes] / self._norms[stays])
        self.outs[goes] = 0
        self.alive[goes] = False


def _ratio(difference: Tensor, total: Tensor) -> Tensor:
    return difference / total.clamp_min(1e-12)


def mode(saliencies: Tensor) -> float:
    """Where the histogram of the saliencies is highest, the cut-off (section 4); the largest 5 % are left out of it."""
    finite = saliencies[saliencies.isfinite()].cpu()
    bulk = finite.sort().values[: math.ceil(0.95 * len(finite))]
    counts, edges = torch.histogram(bulk, BINS)
    place = int(counts.argmax())
    return float(edges[place] + edges[place + 1]) / 2
