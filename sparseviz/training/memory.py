"""What a run needs of memory, known before it starts: on its device, on the computer, and in its file."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from sparseviz.config import InputError, RunConfig, choose
from sparseviz.config.parts import checkpoint_places
from sparseviz.data import expected_images
from sparseviz.methods import METHODS, Method
from sparseviz.methods.base import weights_of
from sparseviz.networks import MODELS, build
from sparseviz.training.budget import checkpoint_bytes, moment_bytes
from sparseviz.training.device import pick_device
from sparseviz.training.measure.reductions import BAND_CELLS

PROGRAM = 500 << 20  # bytes: Python and the libraries, about
_FLOAT, _MASK, _AGE = 4, 1, 4  # bytes
_BAND_COPIES = 8  # of a band, in a snapshot
# What a processor's allocator and oneDNN say, which have no class of error for it
_LACK = ("DefaultCPUAllocator", "could not create a primitive", "could not create a memory")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a run needs."""

    device: Mapping[str, int]  # by what they are for, on the device that trains
    computer: Mapping[str, int]  # beside them, in the computer's memory
    file: int  # of all checkpoints, in the run's file
    on_cpu: bool  # whether the device's memory is the computer's

    @property
    def needed(self) -> int:
        """On the device; with what else the computer needs where that is the device."""
        return sum(self.device.values()) + self.on_cpu * sum(self.computer.values())

    def line(self) -> str:
        """All of it in a line."""
        where = "" if self.on_cpu else f" on the device, {in_bytes(sum(self.computer.values()))} of the computer's"
        return f"memory: about {in_bytes(self.needed)}{where}; checkpoints up to {in_bytes(self.file)} in the file"

    def table(self) -> str:
        """A line for each part."""
        rows = {**self.device, **({} if self.on_cpu else {"on the device": sum(self.device.values())}), **self.computer}
        rows |= {"in all": self.needed + (not self.on_cpu) * sum(self.computer.values())}
        rows |= {"checkpoints in the file, at most": self.file}
        return "\n".join(f"{name:<40} {in_bytes(size):>10}" for name, size in rows.items())


def memory_of(
    config: RunConfig, shape: tuple[int, ...], classes: int, images: int | None = None, ranks: int = 1
) -> Memory | None:
    """What a run on images of this shape, (C, H, W), needs; None for a network of one's own that cannot be measured.

    `images` are those of the training split, where they are known, and `ranks` the processes that share a batch.
    Nothing of it is allocated: the network is made, and does a step, on torch's device without memory.
    """
    batch = min(config.batch_size, images or config.batch_size)
    at_once = math.ceil(math.ceil(batch / ranks) / config.accumulate)
    plain = config.changed({"gate.top_share": {}})  # it sorts the weights, which are not there
    try:
        # a person's network may draw, and the default generator may be that of a run that trains beside us
        with torch.device("meta"), torch.random.fork_rng(devices=[], enabled=plain.network not in MODELS):
            model = build(plain.network, plain.dropout, classes, shape)
            method = choose("method.name", plain.method.name, METHODS)(plain, 10)
            method.attach(model)
            read = torch.empty(at_once, *shape)
            saved = _saved_bytes(config, model, method, read)
    except InputError:
        raise
    except Exception:  # noqa: BLE001  # a person's own network may do anything
        return None
    return _memory(config, model, method, saved, read)


def planned_memory(config: RunConfig) -> Memory | None:
    """The same before data are read; None where the network or the size of the images is a person's own affair."""
    expected = expected_images(config.data)
    if config.network not in MODELS or expected is None:
        return None
    try:
        return memory_of(config, *expected)
    except InputError:  # the start says what is wrong
        return None


def _memory(config: RunConfig, model: nn.Module, method: Method, saved: int, images: Tensor) -> Memory:
    optimizer = config.optimizer
    weights = sum(one.numel() for one in weights_of(model, method).values())
    gates = sum(gate.numel() for gate in method.parameters())
    sizes = [method.weight(name).numel() for name in method.layers]
    averages = 2 * (optimizer.average > 0)  # and where they are swapped
    device = {
        "weights": _FLOAT * weights + sum(one.nbytes for one in model.buffers()),
        "gates": _FLOAT * gates,
        "gradients": _FLOAT * (weights + gates),
        "optimizer": moment_bytes(optimizer) * weights + 8 * gates * (optimizer.gates == "adam"),
        "averaged weights": _FLOAT * averages * weights,
        "last masks and ages": (_MASK + _AGE) * sum(sizes),
        f"activations of {len(images)} images": saved + images.nbytes,
        "working memory": max(2 * _FLOAT * max(sizes), _BAND_COPIES * _FLOAT * BAND_CELLS),
    }
    size = checkpoint_bytes(config, weights, sum(sizes))
    computer = {"program": PROGRAM, "a checkpoint's largest array": 3 * _FLOAT * max(sizes)}
    on_cpu = pick_device(config.device).type == "cpu"
    places = checkpoint_places(config.record, size)
    return Memory({name: part for name, part in device.items() if part}, computer, size * places, on_cpu)


def _saved_bytes(config: RunConfig, model: nn.Module, method: Method, images: Tensor) -> int:
    """What autograd keeps of a forward pass for the backward pass, masked weights among it."""
    held: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        held.setdefault(tensor.untyped_storage()._cdata, tensor)  # noqa: SLF001  # meta tensors have no address
        return tensor

    method.draw()
    lower = config.precision == "bfloat16"
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16, enabled=lower):
            answers = model(images)
        F.cross_entropy(answers, torch.zeros(len(images), dtype=torch.long))
    parameters = {one.untyped_storage()._cdata for one in (*model.parameters(), *model.buffers())}  # noqa: SLF001
    return sum(one.untyped_storage().nbytes() for place, one in held.items() if place not in parameters)


def check_memory(memory: Memory | None, config: RunConfig) -> None:
    """Raises InputError where a run would not fit into what is free, with what there is and what to reduce."""
    device = pick_device(config.device)
    free = free_bytes(device)
    if memory and free is not None and memory.needed > free:
        largest = sorted(memory.device.items(), key=lambda part: -part[1])[:3]
        parts = ", ".join(f"{name} ({in_bytes(size)})" for name, size in largest)
        raise InputError(
            f"the run needs about {in_bytes(memory.needed)} of memory, most of it for {parts}; "
            f"{in_bytes(free)} are free on {device}; {what_to_reduce(config)}"
        )


@contextmanager
def out_of_memory_in_words(config: RunConfig) -> Iterator[None]:
    """Within it a lack of memory is an InputError that says what to reduce; the run can go on from its checkpoints."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        is_told = any(words in str(error) for words in _LACK)
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and not is_told:
            raise
        raise InputError(
            f"out of memory on {config.device} while it trained; the run can be resumed or branched from its last "
            f"checkpoint; {what_to_reduce(config)}"
        ) from error


def free_bytes(device: torch.device) -> int | None:
    """Memory that a run may take on a device, what the program has taken on a computer included; None: not known."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    try:
        return psutil.virtual_memory().available + PROGRAM
    except OSError:  # a container without /proc
        return None


def what_to_reduce(config: RunConfig) -> str:
    """The settings with which a run needs less, those first that change least."""
    images = math.ceil(config.batch_size / config.accumulate)
    ways = {
        "raise accumulate (the same steps, fewer images at once)": images > 1,
        "lower batch_size": config.batch_size > 1,
        "set precision=bfloat16": config.precision == "float32",
        "set optimizer.weights=sgd": config.optimizer.weights == "adam",
        "set optimizer.gates=sgd": config.method.name == "gated" and config.optimizer.gates == "adam",
        "name fewer layers in gate.layers": config.method.name == "gated",
    }
    return "to need less: " + "; ".join(way for way, helps in ways.items() if helps)


def in_bytes(number: int) -> str:
    """A number of bytes as people read it."""
    return f"{number / 1e9:.2f} GB" if number >= 1e8 else f"{number / 1e6:.1f} MB"
