"""The promise of the embedded example, measured: `pytest -m slow -s tests/runs/test_embedded_example.py`."""

import statistics
import time

import pytest

from sparseviz import RunConfig, RunReader, record_run
from sparseviz.config import EMBEDDED
from sparseviz.store import summary

SEEDS = (0, 1, 2)


def measured(tmp_path, seed, method):
    """Train and read back; the time includes all but the program's start."""
    began = time.perf_counter()
    settings = {"seed": seed, "method.name": method}
    if method == "dense":  # at its best: a rate that falls over the whole run, not over the last phase only
        settings["optimizer.rate_schedule"] = "cosine"
    path = record_run(RunConfig.load(EMBEDDED).changed(settings), tmp_path / f"{method}-{seed}.h5")
    seconds = time.perf_counter() - began
    with RunReader(path) as run:
        return summary(run) | {"wall_seconds": seconds}


@pytest.mark.slow
def test_that_the_embedded_example_is_50_times_smaller_at_no_more_than_one_point_of_error(tmp_path):
    rows = {method: [measured(tmp_path, seed, method) for seed in SEEDS] for method in ("gated", "dense")}
    print("\nmethod  seed  compression  (weights)  validation %   test %  most undecided kept / cut %  seconds")
    for method, runs in rows.items():
        for run in runs:
            kept, cut = (most_undecided(run["layers"], side) for side in ("kept", "cut"))
            errors = run["error_percent"]
            print(
                f"{method:6} {run['seed']:5} {run['compression']:11.1f}x {run['compression_weights']:9.1f}x "
                f"{errors['validation']:12.2f} {errors['test']:8.2f} {100 * kept:17.2f} / {100 * cut:.2f} "
                f"{run['wall_seconds']:12.1f}"
            )
            if method == "gated":
                assert run["compression"] >= 50
                assert kept <= 0.05
                assert cut <= 0.01
                assert run["wall_seconds"] <= 90
    gated, dense = (statistics.mean(run["error_percent"]["test"] for run in rows[name]) for name in ("gated", "dense"))
    print(f"mean test error: gated {gated:.2f} %, dense {dense:.2f} %, difference {gated - dense:+.2f} points")
    assert gated - dense <= 1.0


def most_undecided(layers, side):
    """Share of the kept, or of the cut, whose gate is undecided, in the layer where it is largest."""
    return max(layer[f"undecided_{side}"] or 0 for layer in layers)
