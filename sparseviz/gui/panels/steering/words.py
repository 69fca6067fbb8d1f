"""Labels and help texts of the settings in the steering panel."""

from collections.abc import Callable

Translate = Callable[[str], str]


def labels(tr: Translate) -> dict[str, str]:
    """The name of a setting on the screen, by its dotted name."""
    return {
        "network": tr("Network"),
        "weights": tr("Pretrained weights"),
        "weights_partial": tr("… in part"),
        "dropout": tr("Dropout"),
        "data.name": tr("Data"),
        "data.folder": tr("Data folder"),
        "data.download": tr("Download"),
        "data.augment": tr("Random crops"),
        "data.size": tr("Image size"),
        "data.crop": tr("Middle crop"),
        "data.colours": tr("Colours"),
        "data.mean": tr("Channel means"),
        "data.std": tr("… deviations"),
        "data.workers": tr("Read by"),
        "method.name": tr("Method"),
        "method.draw": tr("Draw"),
        "method.draws": tr("Draws a step"),
        "method.estimator": tr("Estimator"),
        "method.keep": tr("Keep share"),
        "method.rounds": tr("Rounds"),
        "method.decline": tr("Decline"),
        "method.share_of": tr("Share of"),
        "method.layers": tr("Cut layers"),
        "method.proximal": tr("Proximal step"),
        "method.every": tr("Threshold every"),
        "method.images": tr("Images read"),
        "method.damping": tr("Damping"),
        "method.cut_off": tr("Merge to"),
        "method.open": tr("Open at start"),
        "method.deviations": tr("Deviations c"),
        "method.deviations_by_layer": tr("… by layer"),
        "penalty.lambda1": tr("λ₁ bimodal"),
        "penalty.lambda2": tr("λ₂ count"),
        "penalty.count": tr("Count penalty"),
        "penalty.scale": tr("Penalty scale"),
        "penalty.decide_ratio": tr("Decide λ₁ / λ₂"),
        "gate.start": tr("Gate start"),
        "gate.start_by_layer": tr("… by layer"),
        "gate.top_share": tr("… top share"),
        "gate.layers": tr("Gated layers"),
        "gate.granularity": tr("A gate for each"),
        "optimizer.rate": tr("Weight rate"),
        "optimizer.gate_rate": tr("Gate rate"),
        "optimizer.weights": tr("Weight optimizer"),
        "optimizer.momentum": tr("Momentum"),
        "optimizer.gates": tr("Gate optimizer"),
        "optimizer.average": tr("Average"),
        "optimizer.weight_decay": tr("Weight decay"),
        "optimizer.rate_schedule": tr("Rate schedule"),
        "optimizer.rate_every": tr("Rates fall every"),
        "optimizer.rate_factor": tr("… to a share of"),
        "optimizer.rate_warm_up": tr("Rates rise until"),
        "optimizer.label_smoothing": tr("Label smoothing"),
        "schedule.warm_up_until": tr("Warm-up until"),
        "schedule.ramp_until": tr("Ramp until"),
        "schedule.stairs": tr("Ramp stairs"),
        "schedule.decide_from": tr("Decide from"),
        "schedule.freeze_from": tr("Freeze from"),
        "target.parameters_kept": tr("Target kept"),
        "target.validation_error": tr("Target error %"),
        "record.snapshots": tr("Snapshots"),
        "record.previews": tr("Previews"),
        "record.checkpoints": tr("Checkpoints"),
        "record.checkpoint_budget": tr("… budget, MB"),
        "epochs": tr("Epochs"),
        "batch_size": tr("Batch size"),
        "accumulate": tr("… in parts"),
        "seed": tr("Seed"),
        "device": tr("Device"),
        "threads": tr("Threads"),
        "precision": tr("Precision"),
    }


def lessons(tr: Translate) -> dict[str, str]:
    """Two sentences of the method for each setting at which a new user stops, by dotted name."""
    return _of_the_penalty(tr) | _of_the_gates(tr) | _of_the_phases(tr)


def _of_the_penalty(tr: Translate) -> dict[str, str]:
    return {
        "penalty.lambda1": tr(
            "λ₁ weighs the bimodal penalty g (1 − g), which is greatest in the middle and so drives every gate to 0 or "
            "1. It steadies which weights are kept; well above λ₂ it pulls gates that are open to 1 instead of 0."
        ),
        "penalty.lambda2": tr(
            "λ₂ weighs the count penalty, the sum of the gates, which pulls every gate towards 0. It is the handle on "
            "size: a higher λ₂ keeps fewer weights, until the error rises."
        ),
        "penalty.scale": tr(
            "Both penalties are sums over gates, divided by all gates of the network (mean, which fits the paper's "
            "lambdas), by those of each layer, or not at all. What a lambda does depends on it: change them together."
        ),
        "penalty.decide_ratio": tr(
            "In the phase 'decide' λ₁ is at least this many times λ₂. Then the penalty has two basins, and gates "
            "above the turning point are pulled to 1 instead of being held up by the loss alone."
        ),
    }


def _of_the_gates(tr: Translate) -> dict[str, str]:
    return {
        "method.draw": tr(
            "'threshold' keeps a weight where its gate is at 0.5 or above; 'bernoulli' draws the mask anew at every "
            "step, with the gate as probability. In the paper the threshold is always sparser; errors, counts and "
            "exports use it in either case."
        ),
        "method.estimator": tr(
            "How a gate is kept in [0, 1]: 'clip' projects it back after every step, 'sigmoid' learns s with "
            "g = sigmoid(s), 'plain' leaves it free. The paper found clipping better than the sigmoid."
        ),
        "gate.start": tr(
            "Every gate begins at this value; at 0.5 or above its weight takes part from the first step on. In the "
            "paper the sparsity that is reached hardly depends on it."
        ),
        "optimizer.gate_rate": tr(
            "How far a gate moves in one step: with Adam about this far, whatever the size of its gradient. Too low, "
            "and gates do not arrive at 0 or 1 before the run ends; too high, and masks flip back and forth."
        ),
    }


def _of_the_phases(tr: Translate) -> dict[str, str]:
    return {
        "schedule.warm_up_until": tr(
            "Before this share of the epochs no penalty acts and gates rest, so that the dense network learns first. "
            "What is cut later is then chosen by a network that has something to lose."
        ),
        "schedule.ramp_until": tr(
            "From the warm-up to this share of the epochs both penalties rise from 0 to their full weight. A slow rise "
            "gives the loss time to hold up the gates that matter."
        ),
        "schedule.decide_from": tr(
            "From this share of the epochs until the masks freeze λ₁ is raised above λ₂, so that gates leave the "
            "middle for 0 or 1; 1 leaves this phase out. Without it, and with λ₂ above λ₁, most kept gates stay "
            "undecided."
        ),
        "schedule.freeze_from": tr(
            "From this share of the epochs on the masks stay as they are and only the kept weights are trained; 1 "
            "leaves this phase out. This fine-tuning wins back what the last cuts cost."
        ),
    }
