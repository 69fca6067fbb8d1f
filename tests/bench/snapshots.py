"""A snapshot of every layer beside TensorBoard's `add_histogram` of the same tensors."""

import tempfile
from dataclasses import asdict
from typing import Any

import torch

from sparseviz.methods.gated import Gated
from sparseviz.networks import build, layers
from sparseviz.training.heap import keep_freed_memory
from sparseviz.training.measure.observer import Observer
from tests.bench import material
from tests.bench.table import Row, gain
from tests.bench.timing import in_turns


def lenet5(repeats: int) -> list[dict[str, Any]]:
    """430,500 weights and their gates."""
    return measure("lenet5", repeats)


def vgg16(repeats: int) -> list[dict[str, Any]]:
    """138 million."""
    return measure("vgg16", repeats)


def measure(network: str, repeats: int) -> list[dict[str, Any]]:
    """Gates, weights and masks as a method has them: a histogram of each in TensorBoard, until it is in the file."""
    keep_freed_memory()  # as every trainer does
    torch.manual_seed(0)
    model, method = build(network), Gated(material.config(network), 1000)
    method.attach(model)
    with torch.no_grad():
        for gate in method.parameters():
            gate.uniform_(0, 1)
    observer = Observer(model, method, dict.fromkeys(layers(model), 0))
    what, against = f"snapshot of {network}", "TensorBoard add_histogram of weights, gates and masks"
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        return [asdict(Row(what, against, "ms", bound=10, note=str(error)))]
    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:

        def theirs() -> None:
            for name in method.layers:
                writer.add_histogram(f"{name}/weight", method.weight(name), 0)
                writer.add_histogram(f"{name}/gate", method.quantity_values(name), 0)
                writer.add_histogram(f"{name}/mask", method.mask(name), 0)
            writer.flush()

        times = in_turns({"ours": observer.layers, "theirs": theirs}, repeats)
    note = (
        "ours: a histogram of the gates and their moments, masks counted by row and column, flips, dead units and "
        "previews; some 60 bytes a weight pass through the caches, of which 9 must come from memory, and 9 more in "
        "rows whose mask has changed"
    )
    return [asdict(gain(what, against, times, bound=10, note=note))]
