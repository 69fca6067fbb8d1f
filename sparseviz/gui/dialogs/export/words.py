"""An export's report in words and tables, to be read in the window."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sparseviz.gui.qt.theme import Theme, mix

if TYPE_CHECKING:
    from sparseviz.export import ExportReport, Latency, Proof


class ReportWords(QObject):
    """Writes an ExportReport as Qt's rich text."""

    def html(self, report: ExportReport, theme: Theme) -> str:
        """All of it, in the theme's colours."""
        return "".join(
            (
                self._verdict(report, theme),
                self._sizes(report, theme),
                self._limit(report),
                self._layers(report, theme),
                self._removed(report),
                self._plain_words(report),
                self._proofs(report, theme),
            )
        )

    def _verdict(self, report: ExportReport, theme: Theme) -> str:
        proof = report.proof
        head = self.tr("✓ Proven: {0} answers as the trained network does").format(report.path.name)
        text = self.tr(
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
        return f'<h3 style="color: {theme.accent.name()}">{escape(head)}</h3>{_paragraph(text)}'

    def _sizes(self, report: ExportReport, theme: Theme) -> str:
        dense, here, _ = report.multiply_adds
        smaller = self.tr("{0:.1f}× smaller"), self.tr("{0:.1f}× larger")
        fewer = self._fewer()
        rows = [
            self._row(self.tr("bytes on disk"), report.dense_bytes, report.bytes, smaller),
            self._row(self.tr("bytes with gzip"), report.dense_bytes_gzip, report.bytes_gzip, smaller),
            self._row(self.tr("multiply-adds an image"), dense, here, fewer),
            *map(self._latency, report.latency),
            self._row(self.tr("parameters kept"), report.parameters, report.parameters_kept, fewer),
        ]
        turns = [self._turns(report.latency)] if report.latency else []
        head = ("", self.tr("dense file"), self.tr("this file"), "")
        return _table(head, rows, theme) + "".join(map(_paragraph, turns))

    def _fewer(self) -> tuple[str, str]:
        return self.tr("{0:.1f}× fewer"), self.tr("{0:.1f}× more")

    def _row(self, name: str, before: int, after: int, words: tuple[str, str]) -> tuple[str, ...]:
        return name, f"{before:,}", f"{after:,}", self._ratio(before, after, words)

    def _latency(self, found: Latency) -> tuple[str, ...]:
        name = self.tr("latency, batch of {0}").format(found.batch)
        words = self.tr("{0:.1f}× faster"), self.tr("{0:.1f}× slower")
        times = (self.tr("{0:.3f} ms").format(ms) for ms in (found.dense_ms, found.ms))
        return (name, *times, self._ratio(found.dense_ms, found.ms, words))

    def _ratio(self, before: float, after: float, words: tuple[str, str]) -> str:
        """How many times less, or more, in words."""
        if not before or not after or round(max(before / after, after / before), 1) == 1:
            return self.tr("the same") if bool(before) == bool(after) else ""
        return words[0].format(before / after) if before > after else words[1].format(after / before)

    def _turns(self, found: Sequence[Latency]) -> str:
        return self.tr(
            "Latencies are medians of at least {0:,} turns in onnxruntime on one thread, both files turn by turn."
        ).format(min(each.turns for each in found))

    def _limit(self, report: ExportReport) -> str:
        dense, here, limit = report.multiply_adds
        text = self.tr(
            "The limit: if only kept weights were multiplied, {0:,} multiply-adds would be left of {1:,} "
            "({2}). This file does {3:,}."
        ).format(limit, dense, self._ratio(dense, max(limit, 1), self._fewer()), here)
        return _paragraph(text)

    def _layers(self, report: ExportReport, theme: Theme) -> str:
        head = (
            self.tr("layer"),
            self.tr("shape"),
            self.tr("after"),
            self.tr("weights"),
            self.tr("after"),
            self.tr("not 0"),
            self.tr("multiply-adds"),
            self.tr("after"),
        )
        rows = []
        for change in report.layers:
            before, after = change.before, change.after
            pairs = (before.weights, after.weights if after else 0, after.nonzero if after else 0)
            work = (before.multiply_adds, after.multiply_adds if after else 0)
            shapes = _shape(before.shape), _shape(after.shape) if after else self.tr("gone")
            rows.append((change.name, *shapes, *(f"{number:,}" for number in (*pairs, *work))))
        return _heading(self.tr("Layers before and after")) + _table(head, rows, theme)

    def _removed(self, report: ExportReport) -> str:
        return _heading(self.tr("What was removed, and why")) + _list(self._reasons(report))

    def _reasons(self, report: ExportReport) -> Iterator[str]:
        found = report.compaction
        if found is None:
            yield self.tr("Nothing: the file is not compacted.")
            return
        if not found.removed:
            yield self.tr("No unit and no filter could go.")
        for part in found.removed:
            if part.constant:
                yield self.tr("{0}: {1:,} gave a constant, which was folded into what follows").format(
                    part.layer, part.constant
                )
            if part.unread:
                yield self.tr("{0}: {1:,} had no reader").format(part.layer, part.unread)
        if found.batch_norms:
            yield self.tr("{0} normalisations were folded into the layers before them").format(found.batch_norms)
        if found.left_alone:
            yield self.tr("left alone, as not understood, with all that they touch: {0}").format(
                ", ".join(found.left_alone)
            )

    def _plain_words(self, report: ExportReport) -> str:
        head = _heading(self.tr("What makes this faster, and what does not"))
        kept = [
            self.tr("{0} {1:,} of {2:,}").format(change.name, change.before.shape[0] - gone, change.before.shape[0])
            for change in report.layers
            if (gone := change.removed.constant + change.removed.unread) or report.options.compact
        ]
        left = self.tr(" Left here: {0}.").format(", ".join(kept)) if kept else self.tr(" None was taken out here.")
        return head + _list(
            (
                self.tr("Faster: whole units and filters that are gone are not computed any more.") + left,
                self.tr("Not faster: weights that are cut inside what is left. onnxruntime multiplies zeros too."),
                self.tr(
                    "Smaller, not faster: coordinates and float16. The zeros are put back when the file is loaded."
                ),
                self.tr("To get a faster network, train with gates for units as well (gate.granularity)."),
            )
        )

    def _proofs(self, report: ExportReport, theme: Theme) -> str:
        named = {
            self.tr("of the run"): report.proof,
            self.tr("test set"): report.test_set,
            self.tr("noise"): report.random,
        }
        head = (
            self.tr("images"),
            self.tr("number"),
            self.tr("difference"),
            self.tr("allowed"),
            self.tr("changed"),
            self.tr("error, file"),
            self.tr("error, torch"),
        )
        rows = [(name, *_proof(proof)) for name, proof in named.items() if proof]
        told = self.tr("The test set was read in part: {0}." if report.test_set else "The test set was not read: {0}.")
        note = told.format(report.test_set_note) if report.test_set_note else ""
        return _heading(self.tr("The proof")) + _table(head, rows, theme) + _paragraph(note)


def _proof(proof: Proof) -> tuple[str, ...]:
    errors = ("" if math.isnan(error) else f"{error:.2f} %" for error in (proof.error_onnx, proof.error_torch))
    difference = f"{proof.relative_difference:.1e}", f"{proof.bar:.0e}"
    return (f"{proof.images:,}", *difference, f"{proof.top1_changes:,}", *errors)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _heading(text: str) -> str:
    return f"<h4>{escape(text)}</h4>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _list(lines: Iterator[str] | Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], theme: Theme) -> str:
    """With names on the left and numbers on the right."""
    ground = mix(theme.text, theme.background, 0.88).name()
    lines = [f'<tr bgcolor="{ground}">{_cells("th", head)}</tr>', *(f"<tr>{_cells('td', row)}</tr>" for row in rows)]
    return f'<table cellspacing="0" cellpadding="3" style="margin-top: 8px">{"".join(lines)}</table>'


def _cells(tag: str, texts: Sequence[str]) -> str:
    sides = ("left", *["right"] * (len(texts) - 1))
    return "".join(f'<{tag} align="{side}">{escape(text)}</{tag}>' for side, text in zip(sides, texts, strict=True))
