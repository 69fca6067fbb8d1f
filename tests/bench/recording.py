"""Steps with snapshots written to a run file, beside the same steps without what recording takes."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparseviz.runs.recording import _test_inputs, run_info
from sparseviz.store import RunWriter
from tests.bench import material
from tests.bench.table import Row
from tests.bench.timing import Spread, in_turns, ratios, seconds

APART = 95  # steps from one snapshot to the next in the preset lenet5-mnist-best
CHECKPOINTS = 10  # of a run
STEPS = 18_900  # of that preset


def measure(repeats: int) -> list[dict[str, Any]]:
    """The share of the steps that is left."""
    epochs = -(-APART * (repeats + 3) // material.STEPS_PER_EPOCH)
    snapshots = epochs * material.STEPS_PER_EPOCH // APART
    watched = material.trainer("lenet5", epochs=epochs, record__snapshots=snapshots)
    with tempfile.TemporaryDirectory() as folder:
        info, inputs = run_info(watched, material.data()), _test_inputs(material.data())
        writer = RunWriter(Path(folder) / "run.h5", info, inputs, watched.checkpoint(resumable=True))
        run = watched.run()

        in_steps: list[float] = []
        alone: list[float] = []  # of every turn
        step = watched._train_step
        # two runs side by side differ by more than recording takes: the steps of this one are told from all of it
        vars(watched)["_train_step"] = lambda: in_steps.append(seconds(step))

        def recorded() -> None:
            writer.append(next(run))
            alone.append(sum(in_steps))
            in_steps.clear()

        recorded()  # the first comes before any step
        whole = in_turns({"recorded": recorded}, repeats)["recorded"]
        alone = alone[-repeats:]  # without the first and the warm one
        checkpoint = seconds(lambda: writer.checkpoint(watched.checkpoint(resumable=True)))
        watched.close()
        writer.close()
    share = checkpoint * CHECKPOINTS / (STEPS * Spread.of(alone).median / APART)
    note = (
        f"a snapshot every {APART} steps, as in lenet5-mnist-best; its {CHECKPOINTS} checkpoints, "
        f"{1000 * checkpoint:.0f} ms each, take another {share:.2%} of the time"
    )
    ours, theirs = (Spread.of([APART / one for one in each]) for each in (whole, alone))
    ratio = ratios(alone, whole)
    row = Row("recording to HDF5, LeNet-5", "no recording", "steps/s", ours, theirs, ratio, "at least", 0.98, note)
    return [asdict(row)]
