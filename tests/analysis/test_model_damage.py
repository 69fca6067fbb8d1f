"""Model files that are damaged, random or hostile: told by name, at no cost."""

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import helper, numpy_helper
from safetensors.torch import save_file

from sparseviz.analysis.model_file import open_model
from sparseviz.export import export_run
from sparseviz.networks.stored_tensors import ModelFileError
from tests.helpers.forked import completed
from tests.helpers.model_files import STORAGES, small, write_onnx


def opened_or_told(path: Path) -> bool:
    """Whether an error told of the file; any other error is the test's."""
    try:
        open_model(path)
    except ModelFileError as error:
        return path.name in str(error)
    return False


@pytest.fixture(params=[".onnx", ".safetensors", ".pt"])
def whole(request, conv, tmp_path) -> Path:
    """A file of each form."""
    path: Path = tmp_path / f"whole{request.param}"
    if request.param == ".onnx":
        export_run(conv.path, path, STORAGES["coo half"])
    elif request.param == ".pt":
        torch.save(small().state_dict(), path)
    else:
        save_file(small().state_dict(), path)
    return path


class TestDamage:
    def test_that_a_file_cut_off_anywhere_is_told_by_name_or_still_whole(self, whole):
        content, path, refused = whole.read_bytes(), whole.with_stem("cut"), 0
        for length in np.linspace(0, len(content) - 1, 25).astype(int):
            path.write_bytes(content[:length])
            refused += opened_or_told(path)
        assert refused >= 23

    @pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".pt", ".pth", ".bin"])
    def test_that_random_bytes_are_told_by_name(self, tmp_path, suffix):
        random, path = np.random.default_rng(6), tmp_path / f"random{suffix}"
        for length in (1, 7, 8, 9, 100, 5000, 200_000):
            path.write_bytes(random.bytes(length))
            with pytest.raises(ModelFileError, match="random"):
                open_model(path)

    def test_that_changed_bytes_are_an_error_or_a_model_and_nothing_else(self, whole):
        content, random, path = whole.read_bytes(), np.random.default_rng(8), whole.with_stem("changed")
        told = 0
        for _ in range(60):
            changed = bytearray(content)
            near = min(len(changed), 4000) if path.suffix != ".pt" else len(changed)
            for at in random.integers(0, near, 20):
                changed[at] = random.integers(256)
            path.write_bytes(changed)
            told += opened_or_told(path)
        assert told > 0

    @pytest.mark.parametrize("name", ["nothing.onnx", "folder.pt"])
    def test_that_what_is_no_file_is_told(self, tmp_path, name):
        (tmp_path / "folder.pt").mkdir()
        with pytest.raises(ModelFileError, match=f"{name} is not there, or is no file"):
            open_model(tmp_path / name)

    def test_that_a_file_without_layers_is_told(self, tmp_path):
        save_file({"one": torch.ones(3), "counts": torch.ones(2, 2, dtype=torch.int64)}, tmp_path / "a.safetensors")
        with pytest.raises(ModelFileError, match=r"a\.safetensors has no layer to show"):
            open_model(tmp_path / "a.safetensors")


def hostile_safetensors(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def hostile_length(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")


def hostile_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(3 << 30 >> 4))


def hostile_pickle(path: Path) -> None:
    """Asks the restricted unpickler itself for eight gigabytes."""
    made = b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + struct.pack("<q", 8 << 30)[:5] + b"\x85R."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", made)
        archive.writestr("a/version", b"3\n")
        archive.writestr("a/byteorder", b"little")
    path.write_bytes(buffer.getvalue())


def hostile_zeros(path: Path) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    write_onnx(path, nodes, [numpy_helper.from_array(np.array([10**5, 10**6]), "shape")])


def hostile_sparse(path: Path) -> None:
    values = numpy_helper.from_array(np.ones(1, np.float32), "w")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.zeros(1, np.int64)), [10**6, 10**6])
    write_onnx(path, [helper.make_node("MatMul", ["x", "w"], ["y"])], [], [sparse])


def hostile_doubling(path: Path) -> None:
    """Every value is read twice by the next: 2**60 readings for who counts them one by one."""
    nodes = [helper.make_node("ScatterElements", [f"w{at}", "places", f"w{at}"], [f"w{at + 1}"]) for at in range(60)]
    stored = [numpy_helper.from_array(np.ones((4, 4), np.float32), "w0")]
    stored.append(numpy_helper.from_array(np.zeros((4, 4), np.int64), "places"))
    write_onnx(path, [*nodes, helper.make_node("MatMul", ["x", "w15"], ["y"])], stored)


HOSTILE = {
    "large.safetensors": hostile_safetensors,
    "length.safetensors": hostile_length,
    "packed.pt": hostile_zip,
    "asking.pt": hostile_pickle,
    "zeros.onnx": hostile_zeros,
    "sparse.onnx": hostile_sparse,
    "doubling.onnx": hostile_doubling,
}
OPEN = """
import resource, sys
from pathlib import Path
from sparseviz.analysis.model_file import open_model
from sparseviz.networks.stored_tensors import ModelFileError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    open_model(Path(sys.argv[1]))
except ModelFileError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_that_a_hostile_file_costs_neither_memory_nor_time(tmp_path, name):
    HOSTILE[name](tmp_path / name)
    done = completed("-c", OPEN, tmp_path / name, timeout=60)
    assert done.returncode == 0, done.stderr
    *told, kilobytes = done.stdout.splitlines()
    assert int(kilobytes) < 200_000
    assert name == "doubling.onnx" or name in told[0]
