"""The trainer: phases, commands, determinism, and what a snapshot holds."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sparseviz.config import ConfigError, InputError, RunConfig
from sparseviz.data import Data, load_data
from sparseviz.methods import METHODS
from sparseviz.training.measure.transfer import fetch
from sparseviz.training.trainer import Trainer, TrainingError
from sparseviz.values.cells import Part
from sparseviz.values.snapshot import SCALARS, Snapshot

QUICK = {"network": "lenet300", "epochs": 2, "batch_size": 200, "threads": 1, "record.snapshots": 4}  # 12 steps
PRUNING = {"penalty.scale": "sum", "penalty.lambda1": 1e-5, "penalty.lambda2": 3e-5, "optimizer.gate_rate": 0.05}


@pytest.fixture(scope="module")
def data() -> Data:
    return load_data(RunConfig().data)


def trainer(data, **settings):
    return Trainer(RunConfig().changed(QUICK | {k.replace("__", "."): v for k, v in settings.items()}), data)


def train(data, **settings) -> list[Snapshot]:
    return list(trainer(data, **settings).run())


def test_that_snapshots_lie_evenly_from_the_first_step_to_the_last(data):
    assert [snapshot.step for snapshot in train(data)] == [0, 3, 6, 9, 12]


def test_that_a_snapshot_has_every_scalar_and_every_layer(data):
    for snapshot in train(data):
        assert set(snapshot.scalars) == set(SCALARS)
        assert [layer.info.name for layer in snapshot.layers] == ["fc1", "fc2", "fc3"]
        assert snapshot.scalars["weights_kept"] == sum(layer.kept for layer in snapshot.layers)


def test_that_validation_is_read_once_an_epoch_and_at_the_end(data):
    read = [math.isfinite(snapshot.scalars["validation_error"]) for snapshot in train(data)]
    assert read == [True, False, True, False, True]


def test_that_phases_follow_one_another_and_act(data):
    shares = {"warm_up_until": 0.25, "ramp_until": 0.5, "decide_from": 0.5, "freeze_from": 0.75}
    settings = {f"schedule.{name}": share for name, share in shares.items()}
    run = train(data, **PRUNING, **settings, record__snapshots=12)
    gates = [snapshot.layers[0].histogram for snapshot in run]
    assert [snapshot.phase for snapshot in run][:3] == ["warm-up"] * 3
    assert {snapshot.phase for snapshot in run} == {"warm-up", "ramp", "decide", "frozen"}
    assert all(np.array_equal(gates[0], gates[step]) for step in range(4))  # gates at rest in warm-up
    assert all(np.array_equal(gates[9], gates[step]) for step in range(9, 13))  # and once frozen
    assert not np.array_equal(gates[3], gates[9])
    rising = [run[step].scalars["lambda2"] for step in (3, 4, 5, 6)]
    assert rising == pytest.approx([0, 1e-5, 2e-5, 3e-5])
    assert run[8].scalars["lambda1"] == pytest.approx(10 * run[8].scalars["lambda2"])
    assert run[12].scalars["lambda1"] == run[12].scalars["lambda2"] == 0


def test_that_no_decay_and_no_update_of_the_weights_reaches_the_gates(data):
    run = train(data, optimizer__weight_decay=0.5, optimizer__gate_rate=1e-30)
    assert all(np.array_equal(run[0].layers[0].histogram, snapshot.layers[0].histogram) for snapshot in run)


def test_that_stronger_counting_keeps_fewer_weights(data):
    kept = [
        train(data, **PRUNING | {"penalty.lambda2": lambda2})[-1].scalars["weights_kept"] for lambda2 in (0, 1e-5, 1e-4)
    ]
    assert kept[0] > kept[1] > kept[2]


@pytest.mark.parametrize("draw", ["threshold", "bernoulli"])
@pytest.mark.parametrize("estimator", ["clip", "sigmoid", "plain"])
def test_that_every_draw_and_estimator_trains_and_cuts(data, draw, estimator):
    last = train(data, **PRUNING, **{"method.draw": draw, "method.estimator": estimator, "epochs": 4})[-1]
    assert last.scalars["train_error"] < 60  # guessing is 90
    assert 0 < last.scalars["weights_kept"] < 266_200


def test_that_bfloat16_is_for_the_steps_arithmetic_alone(data):
    half = trainer(data, precision="bfloat16", **PRUNING)
    snapshots, whole = list(half.run()), train(data, **PRUNING)
    assert {parameter.dtype for parameter in half.model.parameters()} == {torch.float32}
    assert snapshots[-1].scalars["loss"] != whole[-1].scalars["loss"]
    assert snapshots[-1].scalars["loss"] == pytest.approx(whole[-1].scalars["loss"], rel=0.05)
    images = half.validation.images
    assert half.model(images).dtype == torch.float32


def test_that_tf32_is_refused_without_a_gpu(data):
    with pytest.raises(InputError, match="precision: tf32 is for CUDA devices, not cpu"):
        trainer(data, precision="tf32", device="cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_that_tf32_is_used_where_it_is_asked_for_and_nowhere_else(data):
    for precision, kind in (("tf32", "tf32"), ("float32", "ieee")):
        train(data, precision=precision, device="cuda")
        assert torch.backends.cuda.matmul.fp32_precision == kind
        assert torch.backends.cudnn.conv.fp32_precision == kind  # type: ignore[attr-defined]


def test_that_equal_seeds_give_equal_bits_and_other_seeds_do_not(data):
    states = []
    for seed in (3, 3, 4):
        one = trainer(data, seed=seed, method__draw="bernoulli", **PRUNING)
        assert list(one.run())
        states.append(one.checkpoint())
    same, other = (
        all(np.array_equal(states[0].parameters[name], state.parameters[name]) for name in state.parameters)
        for state in states[1:]
    )
    assert same
    assert not other


def test_that_a_run_without_a_thread_count_does_not_inherit_the_last_runs(data):
    trainer(data, threads=None)
    own = torch.get_num_threads()
    trainer(data, threads=own + 1)
    assert torch.get_num_threads() == own + 1
    trainer(data, threads=None)
    assert torch.get_num_threads() == own


def test_that_looking_changes_nothing(data):
    ends = []
    for number in (1, 12):
        one = trainer(data, record__snapshots=number, **PRUNING)
        assert list(one.run())
        ends.append(one.checkpoint().parameters["fc1.weight"])
    assert np.array_equal(*ends)


def test_that_pause_step_steer_and_stop_act_between_steps(data):
    one = trainer(data, record__snapshots=1)
    one.pause()
    seen = []
    for snapshot in one.run():
        seen.append(snapshot)
        if len(seen) == 1:
            one.advance(2)
        elif len(seen) == 2:
            one.steer({"penalty.lambda2": 0.25})
            one.advance(1)
        elif len(seen) == 3:
            one.stop()
    assert [snapshot.step for snapshot in seen[:3]] == [0, 2, 3]
    assert seen[1].scalars["lambda2"] == 0.05
    assert seen[2].scalars["lambda2"] == 0.25
    (event,) = seen[2].events
    assert (event.step, event.name, event.before, event.after) == (2, "penalty.lambda2", 0.05, 0.25)
    assert one.stopped
    assert seen[-1].step == 3
    assert [event.name for event in seen[-1].events] == ["stop"]
    assert math.isfinite(seen[-1].scalars["validation_error"])


def test_that_masks_freeze_at_the_step_where_it_is_said_and_the_rate_then_falls_to_0(data):
    one = trainer(data, record__snapshots=1, epochs=4, optimizer__rate_schedule="frozen", **PRUNING)
    one.pause()
    masks, seen = [], []
    for snapshot in one.run():
        seen.append(snapshot)
        masks.append(one.method.mask("fc1").clone())
        if len(seen) == 1:
            one.advance(8)
        elif len(seen) == 2:
            one.freeze()
            one.freeze()  # changes nothing
            one.resume()
    assert [(event.step, event.name) for event in seen[-1].events] == [(8, "freeze")]
    assert [snapshot.phase for snapshot in seen] == ["train", "train", "frozen"]
    assert not torch.equal(masks[0], masks[1])
    assert torch.equal(masks[1], masks[2])
    assert seen[1].scalars["rate"] == pytest.approx(1e-3)
    assert seen[2].scalars["rate"] < 1e-4


def test_that_a_run_goes_to_the_end_of_its_epoch_and_pauses(data):
    one = trainer(data, record__snapshots=1, epochs=3)
    one.pause()
    seen = []
    for snapshot in one.run():
        seen.append(snapshot.step)
        if len(seen) == 1:
            one.advance(1)
        elif len(seen) < 4:
            one.finish_epoch()
        else:
            one.stop()
    assert seen[:4] == [0, 1, one.steps_per_epoch, 2 * one.steps_per_epoch]


def test_that_a_run_can_be_made_longer_while_it_trains(data):
    one = trainer(data, record__snapshots=4)
    seen = []
    for snapshot in one.run():
        seen.append(snapshot)
        if snapshot.step == 9:
            one.steer({"epochs": 3})
    assert [snapshot.step for snapshot in seen] == [0, 3, 6, 9, 12, 15, 18]
    assert [event.name for snapshot in seen for event in snapshot.events] == ["epochs"]
    assert math.isfinite(seen[-1].scalars["validation_error"])
    with pytest.raises(ConfigError, match="epochs"):
        one.steer({"epochs": 2})


def test_that_a_paused_run_gives_the_same_bits_as_one_that_went_through(data):
    ends = []
    for pauses in (False, True):
        one = trainer(data, **PRUNING)
        for snapshot in one.run():
            if pauses and snapshot.step < 12:
                one.advance(1)
        ends.append(one.checkpoint().parameters["fc1.weight"])
    assert np.array_equal(*ends)


def test_that_a_pause_is_not_counted_as_training_time(data):
    one = trainer(data)
    one.pause()
    times = []
    for snapshot in one.run():
        times.append(snapshot.time)
        if snapshot.step == 0:
            threading.Timer(1.0, one.resume).start()
    assert times[-1] < 1.0 + times[0] + 12 * 0.2
    assert times[1] - times[0] < 0.9


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch_size": 3}, r"batch_size: cannot change while a run trains; these can: epochs, penalty\.lambda1"),
        ({"epochs": 1}, "epochs: a run that trains can be made longer than 2, not shorter"),
        ({"penalty.lambda2": -1}, "penalty.lambda2"),
        ({"optimizer.rate": 0}, "optimizer.rate"),
    ],
)
def test_that_a_bad_command_is_refused_by_name_and_the_run_goes_on(data, values, message):
    one = trainer(data)
    with pytest.raises(ConfigError, match=message):
        one.steer(values)
    assert [snapshot.step for snapshot in one.run()][-1] == 12


def test_that_cells_are_the_true_weights_while_the_run_is_paused(data):
    one, part = trainer(data, **PRUNING), Part("fc2", slice(10, 20), slice(0, 300))
    one.pause()
    answers = []
    for snapshot in one.run():
        if snapshot.step == 0:
            answers.append(one.cells(part))
            answers.append(one.cells(replace(part, layer="nowhere")))
            one.resume()
            expected = one.method.weight("fc2")[10:20].detach().clone().numpy()
    cells = answers[0].result(timeout=0)
    assert (cells.part, cells.step, cells.source) == (part, 0, "live")
    assert np.array_equal(cells.weight, expected)
    assert cells.kept.all()
    assert isinstance(answers[1].exception(timeout=0), KeyError)


def test_that_cells_asked_for_after_the_end_are_cancelled(data):
    one = trainer(data)
    assert list(one.run())
    assert one.cells(Part("fc2", slice(0, 1), slice(0, 1))).cancelled()


def test_that_a_loss_that_is_no_number_ends_the_run_with_advice(data):
    with pytest.raises(TrainingError, match=r"no longer a finite number at step \d+; lower optimizer.rate"):
        train(data, optimizer__rate=1e30)


def test_that_a_gate_that_is_no_number_ends_the_run_too(data):
    one = trainer(data)
    run = one.run()
    next(run)
    with torch.no_grad():
        one.method.parameters()[0].view(-1)[0] = math.nan
    with pytest.raises(TrainingError, match="no longer a finite number"):
        list(run)


def test_that_a_device_that_is_not_there_is_named(data):
    missing = "mps" if not torch.backends.mps.is_available() else "cuda:7"
    with pytest.raises(InputError, match=f"device '{missing}' is not available"):
        trainer(data, device=missing)


def test_that_an_unknown_method_is_told_with_the_known_ones(data):
    with pytest.raises(ConfigError, match=r"method.name: unknown 'x'; allowed: gated, magnitude, dense"):
        trainer(data, method__name="x")


class Waits(TorchDispatchMode):
    """Notes what would wait for the device: a number read, a shape that values decide, a copy to another device."""

    READS = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "_unique2", "bincount", "item")

    def __init__(self):
        super().__init__()
        self.told: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        moves = name in ("_to_copy", "lift_fresh", "_pin_memory") and kwargs.get("device") is not None
        masked = name in ("index", "index_put_") and any(one is not None and one.dtype == torch.bool for one in args[1])
        if name in self.READS or moves or masked:
            self.told.append(name)
        return func(*args, **kwargs)


@pytest.mark.parametrize("draw", ["threshold", "bernoulli"])
@pytest.mark.parametrize("method", METHODS)
def test_that_a_step_never_waits_for_the_device(data, method, draw):
    settings = {"method__name": method, "method__draw": draw, "accumulate": 2, "optimizer__average": 0.9}
    one = trainer(data, method__rounds=1, **settings)  # a round may wait
    one._train_step()
    with Waits() as waits:
        one._train_step()
    one.freeze()
    one.obey()
    one._train_step()
    with waits:
        one._train_step()
    assert waits.told == []


def test_that_a_wait_would_be_noted():
    values = torch.tensor([0.0, 1.0])
    with Waits() as waits:
        float(values[1])
        values.nonzero()
        assert values[values > 0].sum()
        values.to("cpu", torch.float64)
    assert waits.told == ["_local_scalar_dense", "nonzero", "index", "_local_scalar_dense", "_to_copy"]


def test_that_a_snapshot_is_told_by_one_wait_for_all_layers(data, monkeypatch):
    fetched: list[int] = []

    def counted(told):
        fetched.append(len(told))
        return fetch(told)

    monkeypatch.setattr("sparseviz.training.measure.observer.fetch", counted)
    one = trainer(data)
    one._train_step()
    with Waits() as waits:
        layers = one._observer.layers()
    assert len(fetched) == 1
    assert fetched[0] > 3 * 10
    assert set(waits.told) <= {"bincount"}  # of the processor; a GPU counts by histc, which does not wait
    assert [layer.kept for layer in layers] == [int(one.method.mask(name).sum()) for name in one.method.layers]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("draw", ["threshold", "bernoulli"])
def test_that_steps_and_reductions_do_not_wait_on_a_gpu(data, draw):
    one = trainer(data, device="cuda", method__draw=draw)
    one._train_step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        one._train_step()
        with torch.no_grad():
            for name in one.method.layers:
                dict(one._observer._reduced(name))
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_that_the_last_errors_are_those_of_the_threshold_network(data):
    one = trainer(data, method__draw="bernoulli", **PRUNING)
    assert list(one.run())
    errors = one.errors()
    one.method.bake(one.model)
    one.model.eval()
    with torch.no_grad():
        for split, error in (
            (data.train, errors.train),
            (data.validation, errors.validation),
            (data.test, errors.test),
        ):
            wrong = one.model(split.images).argmax(dim=1) != split.labels
            assert 100 * float(wrong.float().mean()) == pytest.approx(error)


def test_that_the_test_split_is_read_only_when_asked(data):
    one = trainer(data)
    assert list(one.run())
    assert math.isnan(one.errors(read_test=False).test)
