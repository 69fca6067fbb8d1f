"""VGG-16 as the paper starts it, on a few images."""

from pathlib import Path
from typing import Any

import numpy as np

STEPS, BATCH, SIDE = 3, 4, 224

FC = ("fc6", "fc7", "fc8")

SETTINGS: dict[str, Any] = {  # the paper's layers and start
    "network": "vgg16",
    "batch_size": BATCH,
    "epochs": 1,
    "seed": 1,
    "device": "cpu",
    "gate.layers": (*FC, "conv5_2", "conv5_3"),
    "gate.top_share": dict.fromkeys(FC, 0.05) | {"conv5_2": 0.5, "conv5_3": 0.5},
    "optimizer.rate": 1e-4,
    "record.snapshots": STEPS,
    "data.name": "npz",
}


def images(path: Path) -> None:
    """So many colour images of 224 x 224 as make three steps, of 1000 classes."""
    random = np.random.default_rng(0)
    numbers = {"train": STEPS * BATCH, "validation": BATCH, "test": BATCH}
    arrays: dict[str, Any] = {
        f"{part}_images": random.integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8) for part, n in numbers.items()
    }
    arrays |= {f"{part}_labels": np.arange(n) for part, n in numbers.items()}
    np.savez(path, classes=[f"class {number}" for number in range(1000)], **arrays)
