"""The wheel: it carries what the program needs, and finds it there."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from sparseviz import __version__
from tests.helpers.places import ROOT

PRESETS = {path.name: path.read_bytes() for path in (ROOT / "resources" / "presets").glob("*.toml")}
TELL = """
import json, sparseviz
from sparseviz.config import paths
from sparseviz.config import EMBEDDED, RunConfig
found = {name: str(path) for name, path in paths.presets().items()}
print(json.dumps([sparseviz.__file__, str(paths.resources()), found, RunConfig.load(EMBEDDED).network]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.iterdir()
    return built


def tell(folder: Path, first_on_path: Path):
    """Where the package says that it and its resources are, asked in a new process in `folder`."""
    environment = os.environ | {"PYTHONPATH": str(first_on_path)}
    command = [sys.executable, "-c", TELL]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def presets_in(folder: Path) -> dict[str, str]:
    return {Path(name).stem: str(folder / name) for name in PRESETS}


class TestWheel:
    def test_that_every_preset_lies_inside_the_package_as_it_is_in_the_checkout(self, wheel):
        with ZipFile(wheel) as archive:
            inside = [name for name in archive.namelist() if name.startswith("sparseviz/resources/presets/")]
            contents = {name.rpartition("/")[2]: archive.read(name) for name in inside}
        assert PRESETS
        assert contents == PRESETS

    def test_that_the_manual_lies_inside_the_package_with_its_pictures(self, wheel):
        pages = [path for path in (ROOT / "resources" / "manual").rglob("*") if path.is_file()]
        assert len(pages) > 30
        with ZipFile(wheel) as archive:
            for path in pages:
                assert archive.read(f"sparseviz/{path.relative_to(ROOT).as_posix()}") == path.read_bytes()

    def test_that_every_module_is_in_it_with_the_mark_that_it_is_typed(self, wheel):
        modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sparseviz").rglob("*.py")}
        with ZipFile(wheel) as archive:
            assert modules | {"sparseviz/py.typed"} <= set(archive.namelist())

    def test_that_license_version_and_command_are_told(self, wheel):
        about = f"sparseviz-{__version__}.dist-info"
        with ZipFile(wheel) as archive:
            assert archive.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
            assert f"\nVersion: {__version__}\n" in archive.read(f"{about}/METADATA").decode()
            assert "sparseviz = sparseviz.cli.main:main" in archive.read(f"{about}/entry_points.txt").decode()

    def test_that_nothing_but_the_package_and_its_facts_is_in_it(self, wheel):
        with ZipFile(wheel) as archive:
            names = archive.namelist()
        assert {name.partition("/")[0] for name in names} == {"sparseviz", f"sparseviz-{__version__}.dist-info"}
        assert [name for name in names if "__pycache__" in name or name.endswith((".h5", ".onnx"))] == []


class TestResources:
    def test_that_an_unpacked_wheel_finds_those_inside_the_package(self, wheel, tmp_path):
        site = tmp_path / "site"
        with ZipFile(wheel) as archive:
            archive.extractall(site)
        inside = site / "sparseviz" / "resources"
        package = str(site / "sparseviz" / "__init__.py")
        assert tell(tmp_path, site) == [package, str(inside), presets_in(inside / "presets"), "lenet5"]

    def test_that_the_checkout_finds_those_beside_the_package(self, tmp_path):
        beside = ROOT / "resources"
        package = str(ROOT / "sparseviz" / "__init__.py")
        assert tell(tmp_path, ROOT) == [package, str(beside), presets_in(beside / "presets"), "lenet5"]
