"""A residual network from pretrained weights on a folder of images to a proven file: the whole way."""

import numpy as np
import pytest
from PIL import Image

from sparseviz import RunConfig, RunReader, export_run, record_run
from sparseviz.export import ExportOptions
from sparseviz.export.convert import convert_run

CLASSES, SIDE = 10, 32
START, LEFT = 0.08, 0.1  # of the weights: kept at the start, at most at the end

COMMON = {
    "network": "resnet20-cifar10",
    "data.name": "folder",
    "data.size": SIDE,
    "data.crop": 1.0,
    "batch_size": 64,
    "record.snapshots": 8,
    "device": "cpu",
}
DENSE = {"method.name": "dense", "epochs": 6, "optimizer.rate": 3e-3}
SPARSE = {
    "epochs": 6,
    "gate.top_share": {"*": START},
    "schedule.decide_from": 0.4,
    "schedule.freeze_from": 0.6,
    "penalty.lambda1": 6.0,
    "penalty.lambda2": 60.0,
    "optimizer.rate": 2e-3,
    "optimizer.rate_schedule": "cosine",
}


def picture(label, random):
    """Stripes whose direction and width are the class's, in any colour, with noise."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle, width = np.pi * (label % 5) / 5, 3 + 4 * (label // 5)
    wave = np.sin((rows * np.sin(angle) + columns * np.cos(angle)) / width * np.pi + random.uniform(0, 6))
    colour = random.uniform(0.3, 1, 3)
    pixels = 127 + 90 * wave[:, :, None] * colour + random.normal(0, 20, (SIDE, SIDE, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def images(folder, part, number, seed):
    random = np.random.default_rng(seed)
    for label in range(CLASSES):
        place = folder / part / f"stripes{label}"
        place.mkdir(parents=True)
        for index in range(number):
            picture(label, random).save(place / f"{index}.png")


@pytest.mark.slow
def test_that_resnet20_is_fine_tuned_to_a_tenth_of_its_weights_and_exported_proven(tmp_path):
    folder = tmp_path / "images"
    images(folder, "train", 50, seed=1)
    images(folder, "test", 20, seed=2)
    common = COMMON | {"data.folder": str(folder)}

    dense = record_run(RunConfig().changed(common | DENSE), tmp_path / "dense.h5")
    weights = convert_run(dense, "safetensors", tmp_path / "dense.safetensors")
    sparse = record_run(RunConfig().changed(common | SPARSE | {"weights": str(weights)}), tmp_path / "sparse.h5")

    with RunReader(dense) as run:
        before = run.errors
    with RunReader(sparse) as run:
        assert run.info.classes == tuple(f"stripes{label}" for label in range(CLASSES))
        first, last = run.snapshots()[0], run.snapshots()[-1]
        every, kept = sum(layer.info.weights for layer in last.layers), sum(layer.kept for layer in last.layers)
        assert sum(layer.kept for layer in first.layers) / every == pytest.approx(START, abs=1e-3)
        errors = run.errors
    print(f"dense {before}, sparse {errors}, kept {kept} of {every} ({every / kept:.1f}x)")
    assert kept <= LEFT * every
    assert errors.validation <= before.validation + 5

    export = export_run(sparse, tmp_path / "sparse.onnx", options=ExportOptions(compact=True, raw_pixels=True))
    print(export.proof)
    assert export.proof.relative_difference <= 1e-5
    assert export.proof.top1_agreement == 1
