"""An export's report as sections of plain texts: phrased here once, for terminal, Markdown and window.

`tr` translates a phrase before numbers are put into it; without one the phrases stay as they stand here.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sparseviz.export.graph.layers import Layer, LayerChange
from sparseviz.export.options import ExportOptions
from sparseviz.export.proof.latency import Latency
from sparseviz.export.proof.verify import Proof
from sparseviz.export.report import ExportReport

Translate = Callable[[str], str]
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and below it what there is of a table (a name, then numbers), points and notes."""

    heading: str
    head: Row = ()
    rows: Sequence[Row] = ()
    points: Sequence[str] = ()
    notes: Sequence[str] = ()


def sections(report: ExportReport, tr: Translate = str) -> list[Section]:
    """The whole report, the verdict first."""
    verdict, sizes, removed, proofs = summary(report, tr)
    return [verdict, sizes, _layers(report, tr), removed, _advice(report, tr), proofs]


def summary(report: ExportReport, tr: Translate = str) -> tuple[Section, Section, Section, Section]:
    """The report without what is only to be studied: each layer, and what makes a file faster."""
    return _verdict(report, tr), _sizes(report, tr), _removed(report, tr), _proofs(report, tr)


def _verdict(report: ExportReport, tr: Translate) -> Section:
    proof = report.proof
    text = tr(
        "onnxruntime beside torch on {0:,} images of the run: the answers differ by {1:.1e} of the largest at "
        "most (allowed: {2:.0e}), and {3:.2f} % of the images get the same answer. Error {4:.2f} % in the file, "
        "{5:.2f} % in torch. From the checkpoint at step {6:,}."
    ).format(
        proof.images,
        proof.relative_difference,
        proof.bar,
        100 * proof.top1_agreement,
        proof.error_onnx,
        proof.error_torch,
        report.step,
    )
    heading = tr("Proven: {0} answers as the trained network does").format(report.path.name)
    return Section(heading, notes=[text])


def _sizes(report: ExportReport, tr: Translate) -> Section:
    dense, here, limit = report.multiply_adds
    smaller = tr("{0:.1f}× smaller"), tr("{0:.1f}× larger")
    fewer = tr("{0:.1f}× fewer"), tr("{0:.1f}× more")

    def row(name: str, before: int, after: int, words: tuple[str, str]) -> Row:
        return name, f"{before:,}", f"{after:,}", _ratio(before, after, words, tr)

    rows = [
        row(tr("bytes on disk"), report.dense_bytes, report.bytes, smaller),
        row(tr("bytes with gzip"), report.dense_bytes_gzip, report.bytes_gzip, smaller),
        row(tr("multiply-adds an image"), dense, here, fewer),
        *(_latency(found, tr) for found in report.latency),
        row(tr("parameters kept"), report.parameters, report.parameters_kept, fewer),
        (tr("nonzero weights"), "", f"{report.weights_kept:,}", ""),
        (tr("bytes a kept weight"), "", f"{report.bytes_a_kept_weight:.1f}", ""),
    ]
    limit_text = tr(
        "The limit: if only kept weights were multiplied, {0:,} multiply-adds would be left of {1:,} "
        "({2}). This file does {3:,}."
    ).format(limit, dense, _ratio(dense, max(limit, 1), fewer, tr), here)
    notes = [*_turns(report.latency, tr), limit_text, _storage(report.options, tr)]
    return Section(tr("Sizes"), ("", tr("dense file"), tr("this file"), ""), rows, notes=notes)


def _ratio(before: float, after: float, words: tuple[str, str], tr: Translate) -> str:
    """How many times less, or more, in words."""
    if not before or not after or round(max(before / after, after / before), 1) == 1:
        return tr("the same") if bool(before) == bool(after) else ""
    return words[0].format(before / after) if before > after else words[1].format(after / before)


def _latency(found: Latency, tr: Translate) -> Row:
    name = tr("latency, batch of {0}").format(found.batch)
    words = tr("{0:.1f}× faster"), tr("{0:.1f}× slower")
    times = (tr("{0:.3f} ms").format(ms) for ms in (found.dense_ms, found.ms))
    return (name, *times, _ratio(found.dense_ms, found.ms, words, tr))


def _turns(found: Sequence[Latency], tr: Translate) -> Iterator[str]:
    if found:
        yield tr(
            "Latencies are medians of at least {0:,} turns in onnxruntime on one thread, both files turn by turn."
        ).format(min(each.turns for each in found))


def _storage(options: ExportOptions, tr: Translate) -> str:
    words = (
        tr("compact") if options.compact else tr("not compacted"),
        tr("values with their places") if options.storage == "coo" else tr("every weight"),
        options.kind,
        tr("raw uint8 pixels") if options.raw_pixels else tr("normalised images"),
    )
    return tr("Storage: {0}.").format(", ".join(words))


def _layers(report: ExportReport, tr: Translate) -> Section:
    before, after = (tr("shape"), tr("weights"), tr("multiply-adds")), tr("after")
    head = (tr("layer"), before[0], after, before[1], after, tr("not 0"), before[2], after)
    return Section(tr("Layers before and after"), head, [_layer(change, tr) for change in report.layers])


def _layer(change: LayerChange, tr: Translate) -> Row:
    before, after = change.before, change.after or Layer((), 0, 0, 0, 0)
    shapes = ("×".join(map(str, layer.shape)) or tr("gone") for layer in (before, after))
    numbers = (before.weights, after.weights, after.nonzero, before.multiply_adds, after.multiply_adds)
    return (change.name, *shapes, *(f"{number:,}" for number in numbers))


def _removed(report: ExportReport, tr: Translate) -> Section:
    return Section(tr("What was removed, and why"), points=list(_reasons(report, tr)))


def _reasons(report: ExportReport, tr: Translate) -> Iterator[str]:
    found = report.compaction
    if found is None:
        yield tr("Nothing: the file is not compacted.")
        return
    if not found.removed:
        yield tr("No unit and no filter could go.")
    for part in found.removed:
        if part.constant:
            yield tr("{0}: {1:,} gave a constant, which was folded into what follows").format(part.layer, part.constant)
        if part.unread:
            yield tr("{0}: {1:,} had no reader").format(part.layer, part.unread)
    if found.batch_norms:
        yield tr("{0} normalisations were folded into the layers before them").format(found.batch_norms)
    if found.left_alone:
        names = ", ".join(found.left_alone)
        yield tr("left alone, as not understood, with all that they touch: {0}").format(names)


def _advice(report: ExportReport, tr: Translate) -> Section:
    kept = [
        tr("{0} {1:,} of {2:,}").format(change.name, change.before.shape[0] - gone, change.before.shape[0])
        for change in report.layers
        if (gone := change.removed.constant + change.removed.unread) or report.options.compact
    ]
    left = tr(" Left here: {0}.").format(", ".join(kept)) if kept else tr(" None was taken out here.")
    points = (
        tr("Faster: whole units and filters that are gone are not computed any more.") + left,
        tr("Not faster: weights that are cut inside what is left. onnxruntime multiplies zeros too."),
        tr("Smaller, not faster: coordinates and float16. The zeros are put back when the file is loaded."),
        tr(
            "The image's own channels and pixels stay, read or not: in onnxruntime picking the read ones out took "
            "longer than multiplying all (117 units that read 400 of 784 pixels, batch 64: 92 against 55 microseconds)."
        ),
        tr("To get a faster network, train with gates for units as well (gate.granularity)."),
    )
    return Section(tr("What makes this faster, and what does not"), points=points)


def _proofs(report: ExportReport, tr: Translate) -> Section:
    named = {tr("of the run"): report.proof, tr("test set"): report.test_set, tr("noise"): report.random}
    head = (
        tr("images"),
        tr("number"),
        tr("difference"),
        tr("of the largest"),
        tr("allowed"),
        tr("same answer"),
        tr("error, file"),
        tr("error, torch"),
    )
    rows = [(name, *_proof(proof)) for name, proof in named.items() if proof]
    part, none = tr("The test set was read in part: {0}."), tr("The test set was not read: {0}.")
    notes = [(part if report.test_set else none).format(report.test_set_note)] if report.test_set_note else []
    return Section(tr("The proof"), head, rows, notes=notes)


def _proof(proof: Proof) -> Row:
    differences = f"{proof.absolute_difference:.1e}", f"{proof.relative_difference:.1e}", f"{proof.bar:.0e}"
    errors = ("" if math.isnan(error) else f"{error:.2f} %" for error in (proof.error_onnx, proof.error_torch))
    return (f"{proof.images:,}", *differences, f"{100 * proof.top1_agreement:.2f} %", *errors)
