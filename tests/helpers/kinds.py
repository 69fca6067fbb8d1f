"""Settings of every kind of training, short."""

from typing import Any

CUT: dict[str, Any] = {  # rounds at steps 6, 10 and 14 of 20
    "method.keep": 0.2,
    "method.rounds": 3,
    "method.images": 50,
    "schedule.warm_up_until": 0.1,
    "schedule.ramp_until": 0.75,
}
KINDS: dict[str, dict[str, Any]] = {
    "gated threshold": {},
    "gated bernoulli": {"method.draw": "bernoulli", "method.draws": 2, "optimizer.gates": "sgd"},
    "magnitude": {
        "method.name": "magnitude",
        "method.keep": 0.2,
        "schedule.warm_up_until": 0.1,
        "schedule.ramp_until": 0.8,
    },
    "l1, proximal": CUT | {"method.name": "l1"},
    "l1, subgradient": CUT | {"method.name": "l1", "method.proximal": False, "method.share_of": "layer"},
    "collins-kohli": CUT | {"method.name": "collins-kohli", "method.every": 3},
    "obd": CUT | {"method.name": "obd", "method.decline": "cubic"},
    "obs": CUT | {"method.name": "obs", "network": "tests.helpers.networks:small"},
    "data-free": CUT | {"method.name": "data-free"},
    "hard-concrete": {
        "method.name": "hard-concrete",
        "optimizer.average": 0.8,
        "schedule.decide_from": 0.5,
        "schedule.freeze_from": 0.5,
    },
    "dns": CUT | {"method.name": "dns"},
    "averaged weights": {
        "optimizer.average": 0.8,
        "schedule.warm_up_until": 0.1,
        "schedule.ramp_until": 0.3,
        "schedule.decide_from": 0.4,
        "schedule.freeze_from": 0.5,
        "optimizer.rate_schedule": "frozen",
    },
    "fine-tuning": {
        "optimizer.weights": "sgd",
        "optimizer.rate": 0.01,
        "optimizer.rate_schedule": "steps",
        "optimizer.rate_every": 1,
        "optimizer.rate_warm_up": 0.3,
        "optimizer.label_smoothing": 0.1,
        "accumulate": 3,
    },
    "convolutions with dropout": {"network": "lenet5", "dropout": [0.2, 0.5], "gate.granularity": "weight+output"},
}
LENGTH: dict[str, Any] = {"epochs": 2, "record.snapshots": 8, "record.previews": 5, "record.checkpoints": 3}  # 20 steps
