"""Weights from a file for a network that is about to be trained: matched by name and shape, never guessed."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from sparseviz.config import InputError
from sparseviz.networks import OTHER_NAMES
from sparseviz.networks.stored_tensors import ModelFileError
from sparseviz.networks.torch_file import load_state

MOST_NAMES = 40  # of a list that is told
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
_COUNTER = "num_batches_tracked"  # of batch norm; older files are without
_MASK = ".weight_mask"  # beside a weight in the files of `sparseviz convert`, where it is cut already
_ONE_TOWER = "features.0.weight", (64, 3, 11, 11)  # of torchvision's AlexNet


@dataclass(frozen=True, slots=True)
class Match:
    """How the tensors of a file fit a network, by the network's names."""

    fitting: dict[str, Tensor]
    other_shapes: tuple[str, ...]  # with both shapes
    missing: tuple[str, ...]
    left_over: tuple[str, ...]  # by the file's names

    @property
    def is_whole(self) -> bool:
        """Whether each side has what the other has."""
        return not (self.other_shapes or self.missing or self.left_over)

    def in_words(self) -> str:
        """What fits and what does not."""
        lists = {
            "of another shape": self.other_shapes,
            "not in the file": self.missing,
            "left over in the file": self.left_over,
        }
        rest = [f"{what}: {_some(names)}" for what, names in lists.items() if names]
        return "; ".join([f"{len(self.fitting)} tensors fit ({_some(self.fitting)})", *rest])


@torch.no_grad()
def load_weights(path: str, network: str, model: nn.Module, *, partial: bool = False) -> str:
    """Put the tensors of a safetensors or state_dict file into a network of this name; gives a line that tells of it.

    Without `partial` names and shapes must be those of the network, all of them. Raises InputError.
    """
    file = Path(os.path.expanduser(path))  # noqa: PTH111  # an unknown ~user is no other error
    match = matched(read_tensors(file), network, model)
    if not match.fitting or not (partial or match.is_whole):
        raise InputError(f"weights: {file} does not fit network {network}: {match.in_words()}{_advice(match, network)}")
    state = model.state_dict()
    for name, tensor in match.fitting.items():
        state[name].copy_(tensor)
    with file.open("rb") as content:
        checksum = hashlib.file_digest(content, "sha256").hexdigest()
    told = "all tensors loaded" if match.is_whole else f"loaded in part: {match.in_words()}"
    return f"{file} (SHA-256 {checksum}): {told}"


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors by name; nothing of the file is executed. Raises ModelFileError."""
    if not file.is_file():
        raise ModelFileError(f"weights: there is no file {file}")
    if file.suffix.lower() != ".safetensors":
        return {str(name): value for name, value in load_state(file).items() if isinstance(value, Tensor)}
    try:
        with safe_open(str(file), framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # it is no dict
    except (SafetensorError, OSError, RuntimeError, TypeError) as error:
        raise ModelFileError(f"weights: {file} is no whole safetensors file: {error}") from error


def matched(tensors: Mapping[str, Tensor], network: str, model: nn.Module) -> Match:
    """Which tensors are the network's: by its own names, or by those that are known to be another's for it."""
    state = model.state_dict()
    named = _renamed(_without_prefixes(tensors, state), OTHER_NAMES.get(network, {}), state)
    common = {name: named[name] for name in state if name in named}
    fitting = {name: tensor for name, tensor in common.items() if _fits(tensor, state[name])}
    return Match(
        fitting=fitting,
        other_shapes=tuple(_both(name, tensor, state[name]) for name, tensor in common.items() if name not in fitting),
        missing=tuple(name for name in state if name not in named and not name.endswith(_COUNTER)),
        left_over=tuple(f"{name} {_size(tensor)}" for name, tensor in named.items() if _is_left(name, state)),
    )


def _is_left(name: str, state: Mapping[str, Tensor]) -> bool:
    return name not in state and f"{name.removesuffix(_MASK)}.weight" not in state


def _without_prefixes(tensors: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what all names begin with because of how the network was wrapped."""
    found = dict(tensors)
    while found and not found.keys() & state.keys():
        prefix = next((each for each in PREFIXES if all(name.startswith(each) for name in found)), None)
        if prefix is None:
            break
        found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _renamed(tensors: dict[str, Tensor], names: Mapping[str, str], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the network's names for layers that another library calls by those in `names`."""
    if tensors.keys() & state.keys():
        return tensors
    found = {}
    for name, tensor in tensors.items():
        layer, dot, kind = name.rpartition(".")
        found[f"{names.get(layer, layer)}{dot}{kind}"] = tensor
    return found


def _fits(tensor: Tensor, own: Tensor) -> bool:
    return tensor.shape == own.shape and tensor.is_floating_point() == own.is_floating_point()


def _both(name: str, tensor: Tensor, own: Tensor) -> str:
    return f"{name} ({_size(own)} in the network, {_size(tensor)} in the file)"


def _size(tensor: Tensor) -> str:
    """Its shape, and its type where that is none of floating numbers."""
    kind = "" if tensor.is_floating_point() else f" {str(tensor.dtype).removeprefix('torch.')}"
    return (" x ".join(map(str, tensor.shape)) or "one number") + kind


def _some(names: Iterable[str]) -> str:
    every = list(names)
    rest = [f"and {len(every) - MOST_NAMES} more"] if len(every) > MOST_NAMES else []
    return ", ".join(every[:MOST_NAMES] + rest) or "none"


def _advice(match: Match, network: str) -> str:
    name, shape = _ONE_TOWER
    if network == "alexnet" and f"{name} {' x '.join(map(str, shape))}" in match.left_over:
        return (
            ". This is torchvision's AlexNet, of one tower; 'alexnet' is Caffe's, with two groups in conv2, conv4 and "
            "conv5: --set network=torchvision.models:alexnet takes the file"
        )
    if not match.fitting:
        return ""
    return ". With weights_partial = true what fits is loaded, and the rest stays as it is drawn"
