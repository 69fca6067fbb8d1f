"""Trainings by ranks, started by torchrun.

    python -m torch.distributed.run --nproc-per-node 2 -m tests.helpers.together FOLDER DEVICE CASE ...

Each rank says what it saw of every case in `FOLDER/<case>-<rank>.pt`; one process alone sees the same by `see`.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import torch

from sparseviz.config import RunConfig, own_code
from sparseviz.data import load_data
from sparseviz.methods import METHODS
from sparseviz.methods.gated import Gated
from sparseviz.training.ranks import ALONE, Ranks, here, joined
from sparseviz.training.trainer import Trainer
from sparseviz.values.snapshot import Snapshot

# Of 1,197 images: a last batch of one, of which the second of two ranks has nothing; 14 steps an epoch.
SMALL: dict[str, Any] = {
    "network": "tests.helpers.networks:small",
    "epochs": 4,
    "batch_size": 92,
    "threads": 1,
    "seed": 5,
    "record.snapshots": 8,
    "penalty.scale": "sum",
    "penalty.lambda1": 1e-6,
    "penalty.lambda2": 2e-4,
    "optimizer.gate_rate": 1e-2,
    "schedule.warm_up_until": 0.1,
    "schedule.ramp_until": 0.2,
    "schedule.decide_from": 0.8,
    "schedule.freeze_from": 0.8,
}
CASES: dict[str, dict[str, Any]] = {
    "threshold": {},
    "bernoulli": {"method.draw": "bernoulli", "method.draws": 3, "accumulate": 2, "optimizer.average": 0.9},
    "convolution": {"network": "lenet5", "epochs": 1},
    "normalised": {"network": "tests.helpers.networks:normalised", "method.draw": "bernoulli", "batch_size": 133},
    "target": {"target.parameters_kept": 9000, "schedule.decide_from": 1, "schedule.freeze_from": 1},
    "steered": {},
    "stopped": {"method.draw": "bernoulli", "epochs": 400, "record.snapshots": 3},
}
OTHERS = [name for name in METHODS if name != "gated"]
CASES |= {name: {"method.name": name, "method.keep": 0.3, "method.images": 100} for name in OTHERS}


def see(case: str, ranks: Ranks = ALONE, device: str = "cpu") -> dict[str, Any]:
    """What one process sees of a case."""
    config = RunConfig().changed(SMALL | CASES[case] | {"device": device})
    trainer = Trainer(config, load_data(config.data), ranks=ranks)
    snapshots = list(_commanded(case, trainer))
    chance = torch.get_rng_state()
    errors = trainer.errors()
    return {
        "step": trainer.step,
        "scalars": [dict(snapshot.scalars) for snapshot in snapshots],
        "phases": [snapshot.phase for snapshot in snapshots],
        "events": [(event.step, event.name, str(event.after)) for one in snapshots for event in one.events],
        "errors": (errors.train, errors.validation, errors.test),
        "masks": {name: trainer.method.mask(name) for name in trainer.method.layers},
        "model": dict(trainer.model.state_dict()),
        "tally": trainer.checkpoint(resumable=True).state["numbers"]["images"].item(),  # type: ignore[index]
        "chance": chance,
        "drawn": [gate._drawn for gate in trainer.method.gates.values()] if isinstance(trainer.method, Gated) else [],
    }


def _commanded(case: str, trainer: Trainer) -> Iterator[Snapshot]:
    """The snapshots; rank 0 gets commands after the third, or at a step of its own choice."""
    for number, snapshot in enumerate(trainer.run()):
        yield snapshot
        if not trainer.ranks.is_first:
            continue
        if case == "steered" and number == 2:
            trainer.steer({"penalty.lambda2": 1e-3, "epochs": 5})
            trainer.advance(5)
            Thread(target=_go_on, args=[trainer, snapshot.step + 5]).start()
        elif case == "stopped" and number == 0:
            Thread(target=_stop, args=[trainer]).start()


def _go_on(trainer: Trainer, step: int) -> None:
    """After a pause."""
    while trainer.step < step or trainer.steps_to_go > 0:
        time.sleep(0.01)
    time.sleep(0.1)
    trainer.freeze()
    trainer.resume()


def _stop(trainer: Trainer) -> None:
    while trainer.step < 20:
        time.sleep(0.001)
    trainer.stop()


@joined()
def _together(case: str, folder: Path, device: str) -> None:
    torch.save(see(case, here(), device), folder / f"{case}-{here().rank}.pt")


if __name__ == "__main__":
    own_code.trust(own_code.find("tests.helpers.networks:small"), remember=False)
    for each in sys.argv[3:]:
        _together(each, Path(sys.argv[1]), sys.argv[2])
