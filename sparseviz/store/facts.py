"""Metadata of a run, RunInfo, from the attributes of its file."""

import json
from collections.abc import Mapping
from typing import Any

import h5py

from sparseviz.config import RunConfig
from sparseviz.store import migration
from sparseviz.store.files.hdf5 import attributes
from sparseviz.store.format import Parent, RunInfo
from sparseviz.values.snapshot import LayerInfo, Quantity


def read_info(file: h5py.File, known: RunInfo | None = None) -> RunInfo:
    """The facts of the run, which are those `known` where they are this file's; raises what `RunConfig.parse` raises.

    It raises what h5py raises too.
    """
    if known and _are_of(file, known):
        return known
    attrs = migration.root_attributes(attributes(file))
    layers = file["layers"]
    return RunInfo(
        config=RunConfig.parse(json.loads(attrs["config"])),
        versions=json.loads(attrs["versions"]),
        images=json.loads(attrs["images"]),
        classes=tuple(json.loads(attrs["classes"])),
        layers=tuple(_read_layer(attributes(layers[str(index)])) for index in range(len(layers))),
        created=str(attrs["created"]),
        device=str(attrs["device"]),
        threads=int(attrs["threads"]),
        parameters=int(attrs["parameters"]),
        steps=int(attrs["steps"]),
        steps_per_epoch=int(attrs["steps_per_epoch"]),
        mean=_by_channel(attrs["mean"]),
        std=_by_channel(attrs["std"]),
        data_checksum=str(attrs["data_checksum"]),
        data_note=str(attrs["data_note"]),
        resumed=tuple(json.loads(attrs["resumed"])),
        id=str(attrs["id"]),
        parent=read_parent(attrs),
        weights_note=str(attrs["weights_note"]),
    )


def _are_of(file: h5py.File, known: RunInfo) -> bool:
    """Whether they are of this very file, and not of another run or from before a resume; format 3 does not tell."""
    attrs = file.attrs
    return (
        bool(known.id)
        and attrs.get("id") == known.id
        and attrs.get("created") == known.created
        and attrs.get("resumed") == json.dumps(known.resumed)
    )


def _by_channel(value: Any) -> tuple[float, ...]:
    return migration.by_channel(json.loads(value) if isinstance(value, str) else value)


def read_parent(attrs: Mapping[str, Any]) -> Parent | None:
    """The run from which this one was branched."""
    values = json.loads(attrs["parent"])
    return None if values is None else Parent(str(values["id"]), str(values["name"]), int(values["step"]))


def _read_layer(attrs: Mapping[str, Any]) -> LayerInfo:
    return LayerInfo(
        name=str(attrs["name"]),
        shape=tuple(json.loads(attrs["shape"])),
        biases=int(attrs["biases"]),
        multiply_adds=int(attrs["multiply_adds"]),
        quantity=Quantity(**json.loads(attrs["quantity"])),
        preview_shape=tuple(json.loads(attrs["preview_shape"])),
    )
