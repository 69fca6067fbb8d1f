"""export_run(): bake the masks in, write, prove, and only then give the file its name."""

import contextlib
import filecmp
import gzip
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from sparseviz.config.whole_file import scratch, whole_file
from sparseviz.export.finish import Finished, finish
from sparseviz.export.graph.onnx_file import write_onnx
from sparseviz.export.markdown import as_markdown
from sparseviz.export.options import ExportError, ExportOptions
from sparseviz.export.proof.inputs import ProofInputs, proof_inputs
from sparseviz.export.proof.latency import Latency, latencies
from sparseviz.export.proof.verify import BARS, prove, prove_weights
from sparseviz.export.report import ExportReport
from sparseviz.export.script import Preprocessing, script
from sparseviz.networks.baked import baked_model
from sparseviz.store import RunInfo, RunReader, TestInputs
from sparseviz.values.snapshot import Checkpoint, Totals, totals

Stage = Callable[[str], None]


def export_run(
    run: str | Path,
    out: str | Path | None = None,
    options: ExportOptions | None = None,
    *,
    now_at: Stage = lambda _: None,
) -> ExportReport:
    """Export the newest checkpoint of a run file to ONNX (beside it unless `out` is given), with proof.

    The model takes (batch, channels, height, width) float32 images, normalised as in training, and gives one
    number a class; `options` say what is stored and read instead. `now_at` is told of each stage; what it raises
    ends the export, which then leaves no file. An existing file is never overwritten.
    Raises RunFileError for the run, ExportError for what cannot be written or proven; then no file is left.
    """
    run, options = Path(run), options or ExportOptions()
    out = Path(out) if out else run.with_suffix(".onnx")
    _refuse_existing(out, *options.companions(out).values())
    source = _Source.read(run)
    now_at("network")
    model = baked_model(source.info.config.network, source.checkpoint, len(source.info.classes))
    with _writing(out) as (dense, file):
        now_at("onnx")
        inputs = proof_inputs(source.info, source.inputs, options)
        metadata = _metadata(run, source, options, inputs)
        _write_dense(model, source.inputs, dense, metadata, options.opset)
        finished = finish(dense, file, options, source.info, metadata)
        now_at("proof")
        report = _prove(_Job(out, options, source, model, inputs), dense, file, finished, now_at)
        now_at("files")
    _write_companions(report, source)
    return report


def _refuse_existing(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise ExportError(f"{path} exists already and is not overwritten; choose another name")


@dataclass(frozen=True, slots=True)
class _Source:
    """What an export reads of a run."""

    info: RunInfo
    checkpoint: Checkpoint
    inputs: TestInputs
    size: Totals

    @classmethod
    def read(cls, run: Path) -> "_Source":
        with RunReader(run) as reader:
            checkpoint, inputs, info = reader.checkpoint(), reader.test_inputs(), reader.info
            snapshot = reader.newest_snapshot(checkpoint.step)
        if not snapshot:
            raise ExportError(f"{run} has no snapshot yet, so there is nothing to export; let the run go on")
        return cls(info, checkpoint, inputs, totals(snapshot, info.parameters))


@dataclass(frozen=True, slots=True)
class _Job:
    """What is exported, and how."""

    out: Path
    options: ExportOptions
    source: _Source
    model: nn.Module
    inputs: ProofInputs


def _metadata(run: Path, source: _Source, options: ExportOptions, inputs: ProofInputs) -> dict[str, str]:
    info, read = source.info, inputs.test_set
    return {
        "run": run.name,
        "step": str(source.checkpoint.step),
        "config": info.config.model_dump_json(),
        "labels": json.dumps(info.classes),
        "normalisation": json.dumps({"mean": info.mean, "std": info.std, "in the file": options.raw_pixels}),
        "versions": json.dumps(dict(info.versions)),
        "licence": options.licence or "not stated",
        "test_images_read": str(len(read.images) if read else 0),
    }


def _write_dense(model: nn.Module, inputs: TestInputs, path: Path, metadata: dict[str, str], opset: int | None) -> None:
    example = torch.from_numpy(inputs.images[:2])
    if opset is None:
        write_onnx(model, example, path, metadata)
        return
    try:
        write_onnx(model, example, path, metadata, opset=opset)
    except Exception as error:
        raise ExportError(f"opset {opset} cannot be written for this network: {error}") from error


def _prove(job: _Job, dense: Path, file: Path, finished: Finished, now_at: Stage) -> ExportReport:
    bar, size, out = BARS[job.options.kind], job.source.size, job.out
    prove_weights(dense, job.model)
    inputs = job.inputs
    sets = [inputs.stored, inputs.random, *([inputs.test_set] if inputs.test_set else [])]
    with ThreadPoolExecutor(1) as beside:
        zipping = beside.submit(_zipped_both, dense, file)
        proof, random, *test_set = prove(file, job.model, sets, bar)
        zipped_dense, zipped = zipping.result()
    return ExportReport(
        path=out,
        step=job.source.checkpoint.step,
        bytes=file.stat().st_size,
        parameters=job.source.info.parameters,
        parameters_kept=size.parameters_kept,
        compression=size.compression,
        weights_kept=size.weights_kept,
        proof=proof,
        random=random,
        test_set=test_set[0] if test_set else None,
        test_set_note=inputs.note,
        options=job.options,
        bytes_gzip=zipped,
        dense_bytes=dense.stat().st_size,
        dense_bytes_gzip=zipped_dense,
        layers=finished.layers,
        compaction=finished.compaction,
        latency=_latencies(job, dense, file, now_at) if job.options.report else (),
        files=tuple(job.options.companions(out).values()),
    )


def _zipped_both(dense: Path, file: Path) -> tuple[int, int]:
    """Their bytes with gzip, at the level that `gzip` itself takes unless told otherwise."""
    zipped = _zipped(file)
    return zipped if filecmp.cmp(dense, file, shallow=False) else _zipped(dense), zipped


def _zipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), compresslevel=6, mtime=0))


def _latencies(job: _Job, dense: Path, file: Path, now_at: Stage) -> tuple[Latency, ...]:
    now_at("latency")
    return latencies(dense, file, job.inputs.stored.images, job.inputs.stored.fed)


def _write_companions(report: ExportReport, source: _Source) -> None:
    info, paths = source.info, report.options.companions(report.path)
    try:
        for kind, path in paths.items():
            if kind == "script":
                text = script(path, report.path, info.classes, _preprocessing(source, raw=report.options.raw_pixels))
            else:
                text = json.dumps(report.as_json(), indent=2) if kind == "json" else as_markdown(report)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise ExportError(f"{report.path} is written and proven, but not what belongs beside it: {error}") from error


def _preprocessing(source: _Source, *, raw: bool) -> Preprocessing:
    """As the run's data set makes images."""
    _, channels, height, width = source.inputs.images.shape
    info, data = source.info, source.info.config.data
    crop = data.crop if data.name == "folder" else None
    return Preprocessing((channels, height, width), info.mean, info.std, raw, crop)


@contextlib.contextmanager
def _writing(out: Path) -> Iterator[tuple[Path, Path]]:
    """Where to write the dense file and the one that becomes `out`; a folder that takes none is told at once."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with scratch(out) as dense, whole_file(out, is_new=True) as file:
            file.touch()
            yield dense, file
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise ExportError(f"{out} cannot be written: {reason}; choose another folder") from error
