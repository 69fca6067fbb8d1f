"""What an export has done, as values, JSON and words."""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sparseviz.export.graph.compact import Compaction, Removed
from sparseviz.export.graph.layers import Layer, LayerChange
from sparseviz.export.options import ExportOptions
from sparseviz.export.proof.latency import Latency
from sparseviz.export.proof.verify import Proof


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and how it is known to be right."""

    path: Path
    step: int  # of the checkpoint
    bytes: int
    parameters: int
    parameters_kept: int
    compression: float
    weights_kept: int  # nonzero weights in the file, at most
    proof: Proof  # on the images in the run file
    random: Proof  # on noise
    test_set: Proof | None  # on the whole test set
    test_set_note: str  # why the test set was not read, or how much of it, or ""
    options: ExportOptions
    bytes_gzip: int
    dense_bytes: int  # of the file without compaction, which stores every weight
    dense_bytes_gzip: int
    layers: tuple[LayerChange, ...]
    compaction: Compaction | None
    latency: tuple[Latency, ...]  # measured for a report only
    files: tuple[Path, ...]  # written beside the model

    @property
    def multiply_adds(self) -> tuple[int, int, int]:
        """For one image: of the dense file, of this one, and the limit, that of the kept weights alone."""
        after = [layer.after for layer in self.layers if layer.after]
        return (
            sum(layer.before.multiply_adds for layer in self.layers),
            sum(layer.multiply_adds for layer in after),
            sum(layer.nonzero_multiply_adds for layer in after),
        )

    @property
    def bytes_a_kept_weight(self) -> float:
        """Bytes on disk over nonzero weights."""
        return self.bytes / max(self.weights_kept, 1)

    def as_json(self) -> dict[str, Any]:
        """As plain values; what was not measured is None."""
        dense, here, limit = self.multiply_adds
        named = {
            "path": str(self.path),
            "files": [str(path) for path in self.files],
            "multiply_adds": {"dense": dense, "file": here, "kept weights alone": limit},
            "speed_up": {str(found.batch): found.speed_up for found in self.latency},
        }
        plain: dict[str, Any] = _plain(asdict(replace(self, path=Path(), files=())) | named)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_markdown(report: ExportReport) -> str:
    """The report to read."""
    parts = (_head(report), _layers(report), _removed(report), _latency(report), _words(report), _proofs(report))
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(report: ExportReport) -> str:
    dense, here, limit = report.multiply_adds
    rows = (
        ("parameters kept", f"{report.parameters_kept:,} of {report.parameters:,} ({report.compression:.1f}x)"),
        ("nonzero weights", f"{report.weights_kept:,}"),
        ("multiply-adds an image", f"{here:,}; dense {dense:,} ({dense / max(here, 1):.1f}x fewer)"),
        ("the limit: kept weights alone", f"{limit:,} ({dense / max(limit, 1):.1f}x fewer)"),
        ("bytes on disk", f"{report.bytes:,}; dense {report.dense_bytes:,} ({report.dense_bytes / report.bytes:.1f}x)"),
        ("bytes, gzip", f"{report.bytes_gzip:,}; dense {report.dense_bytes_gzip:,}"),
        ("bytes a kept weight", f"{report.bytes_a_kept_weight:.1f}"),
        ("storage", _storage(report.options)),
    )
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"# {report.path.name}\n\nFrom the checkpoint at step {report.step:,}.\n\n| | |\n|---|---|\n{table}"


def _storage(options: ExportOptions) -> str:
    places = "values with their places" if options.storage == "coo" else "every weight"
    size = "compact" if options.compact else "not compacted"
    return f"{size}, {places}, {options.kind}, " + ("raw uint8 pixels" if options.raw_pixels else "normalised images")


def _layers(report: ExportReport) -> str:
    head = "| layer | shape before | after | weights before | after | nonzero | multiply-adds before | after |"
    rows = "\n".join(_layer(change) for change in report.layers)
    return f"## Layers\n\n{head}\n|{'---|' * 8}\n{rows}"


def _layer(change: LayerChange) -> str:
    before, after = change.before, change.after or Layer((), 0, 0, 0, 0)
    shapes = ("×".join(map(str, layer.shape)) or "gone" for layer in (before, after))
    numbers = (before.weights, after.weights, after.nonzero, before.multiply_adds, after.multiply_adds)
    return f"| {change.name} | {' | '.join(shapes)} | {' | '.join(f'{number:,}' for number in numbers)} |"


def _removed(report: ExportReport) -> str:
    found = report.compaction
    if found is None:
        return "## What was removed\n\nNothing: the file is not compacted."
    lines = [f"- {part.layer}: {_gone(part)}." for part in found.removed] or ["- No unit and no filter could go."]
    if found.batch_norms:
        lines.append(f"- {found.batch_norms} normalisations were folded into the layers before them.")
    if found.left_alone:
        lines.append(f"- Left alone, as not understood, with all that they touch: {', '.join(found.left_alone)}.")
    lines.append(
        "- The image's own channels and pixels stay, read or not: in onnxruntime picking the read ones out took longer "
        "than multiplying all (117 units that read 400 of 784 pixels, batch 64: 92 against 55 microseconds)."
    )
    return "## What was removed\n\n" + "\n".join(lines)


def _gone(part: Removed) -> str:
    reasons = {
        "gave a constant, which was folded into what follows": part.constant,
        "had no reader": part.unread,
    }
    return "; ".join(f"{number:,} of its units or filters {why}" for why, number in reasons.items() if number)


def _latency(report: ExportReport) -> str:
    if not report.latency:
        return ""
    rows = "\n".join(
        f"| {found.batch} | {found.dense_ms:.3f} | {found.ms:.3f} | {found.speed_up:.2f}x |" for found in report.latency
    )
    head = "| batch | dense file, ms | this file, ms | faster |\n|---|---|---|---|"
    turns = min(found.turns for found in report.latency)
    note = f"Medians of at least {turns} turns in onnxruntime, one thread, both files turn by turn in one run."
    return f"## Latency\n\n{head}\n{rows}\n\n{note}"


def _words(report: ExportReport) -> str:
    """What makes it faster and what does not."""
    dense, here, limit = report.multiply_adds
    units = (
        "What makes a network faster is that whole units or filters are gone: they are not computed any more. "
        + _units(report)
    )
    weights = (
        "Single weights that are cut inside what is left make it no faster: onnxruntime multiplies by the zeros too. "
        f"If only kept weights were multiplied, {limit:,} multiply-adds would be left ({dense / max(limit, 1):.1f}x "
        f"fewer); this file does {here:,} ({dense / max(here, 1):.1f}x fewer)."
    )
    storage = (
        "How weights are stored (coordinates, float16) makes the file smaller, not faster: onnxruntime puts the zeros "
        "back and widens to float32 when it loads the file."
    )
    advice = "To get a faster network, train with gates for units as well (gate.granularity)."
    lines = [units, weights, storage, advice]
    return "## What makes this faster, and what does not\n\n" + "\n\n".join(lines)


def _units(report: ExportReport) -> str:
    kept = [
        f"{change.name} {change.before.shape[0] - gone} of {change.before.shape[0]}"
        for change in report.layers
        if (gone := change.removed.constant + change.removed.unread) or report.options.compact
    ]
    return f"Left here: {', '.join(kept)}." if kept else "Nothing was taken out here."


def _proofs(report: ExportReport) -> str:
    named = {"the run's images": report.proof, "the test set": report.test_set, "noise": report.random}
    rows = "\n".join(f"| {name} | {_proof(proof)} |" for name, proof in named.items() if proof)
    head = (
        "| images of | number | max abs. difference | of the largest | allowed | top-1 changes | error torch | file |"
    )
    read = "was not read" if report.test_set is None else "was read in part"
    note = f"\n\nThe test set {read}: {report.test_set_note}." if report.test_set_note else ""
    return f"## Proof: onnxruntime beside torch\n\n{head}\n|{'---|' * 8}\n{rows}{note}"


def _proof(proof: Proof) -> str:
    errors = " | ".join(
        "" if math.isnan(error) else f"{error:.2f} %" for error in (proof.error_torch, proof.error_onnx)
    )
    difference = f"{proof.absolute_difference:.1e} | {proof.relative_difference:.1e} | {proof.bar:.0e}"
    return f"{proof.images:,} | {difference} | {proof.top1_changes} | {errors}"
