"""What the command `export` prints."""

import math

from rich.console import Console

from sparseviz.export import ExportReport, Latency, Proof


def show_export(out: Console, report: ExportReport) -> None:
    """The size, the work, and the proof in some lines."""
    dense, here, limit = report.multiply_adds
    proof = report.proof
    zeros = "cut weights are stored as zeros" if report.options.storage == "dense" else "cut weights are not stored"
    lines = {
        "parameters": f"{report.parameters_kept:,} of {report.parameters:,} kept ({report.compression:.1f}x)",
        "size": f"{report.bytes:,} bytes, {report.bytes_gzip:,} with gzip; {zeros}",
        "dense": f"{report.dense_bytes:,} bytes, {report.dense_bytes_gzip:,} with gzip",
        "multiply-adds": f"{here:,} of {dense:,} an image; of the kept weights alone {limit:,}",
        "removed": _removed(report),
        **{f"batch of {found.batch}": _faster(found) for found in report.latency},
        "difference": f"{proof.relative_difference:.1e} of the largest answer (allowed {proof.bar:.0e})",
        "agreement": f"{100 * proof.top1_agreement:.2f} % of {proof.images:,} test images, onnxruntime against torch; "
        f"{proof.top1_changes} changed answers",
        "error": f"{proof.error_onnx:.2f} % in onnxruntime, {proof.error_torch:.2f} % in torch",
        "test set": _test_set(report),
        "noise": _more(report.random),
    }
    for name, text in lines.items():
        if text:
            out.print(f"{name:<13} {text}", markup=False)


def _removed(report: ExportReport) -> str:
    if report.compaction is None:
        return ""
    gone = [f"{part.constant + part.unread:,} of {part.layer}" for part in report.compaction.removed]
    left = report.compaction.left_alone
    alone = f"; not understood and left alone: {', '.join(left)}" if left else ""
    return (f"units and filters: {', '.join(gone)}" if gone else "no unit or filter") + alone


def _faster(found: Latency) -> str:
    return f"{found.ms:.3f} ms, dense {found.dense_ms:.3f} ms: {found.speed_up:.1f}x"


def _more(proof: Proof) -> str:
    """Another proof in a line."""
    errors = f", error {proof.error_onnx:.2f} % and {proof.error_torch:.2f} %"
    return (
        f"{proof.images:,} images: difference {proof.relative_difference:.1e}, "
        f"agreement {100 * proof.top1_agreement:.2f} %{'' if math.isnan(proof.error_onnx) else errors}"
    )


def _test_set(report: ExportReport) -> str:
    if report.test_set is None:
        return f"not read: {report.test_set_note}"
    return _more(report.test_set) + (f" ({report.test_set_note})" if report.test_set_note else "")
