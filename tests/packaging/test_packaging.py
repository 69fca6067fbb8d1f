"""What a desktop and a bundle are told of the program: it is true, well-formed and of one mind."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sparseviz import __version__
from sparseviz.cli.about import LIBRARIES
from tests.helpers.places import ROOT

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

PACKAGING = ROOT / "packaging"
DESKTOP = PACKAGING / "sparseviz.desktop"
METAINFO = PACKAGING / "sparseviz.metainfo.xml"
SPEC = PACKAGING / "sparseviz.spec"
ICON = ROOT / "resources" / "icons" / "sparseviz.svg"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BLUE = "#58aeff"
BUILD_S = 1800.0


@pytest.fixture
def entry():
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # keys are case-sensitive
    parser.read(DESKTOP, encoding="utf-8")
    return parser["Desktop Entry"]


@pytest.fixture
def metainfo():
    return ET.parse(METAINFO).getroot()


def validated(program: str, *arguments: str | Path) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hint" not in done.stdout


class TestDesktopEntry:
    def test_that_it_is_valid(self):
        validated("desktop-file-validate", DESKTOP)

    def test_that_it_is_the_file_that_the_window_names(self):
        app = (ROOT / "sparseviz" / "gui" / "app.py").read_text(encoding="utf-8")
        assert re.findall(r'setDesktopFileName\("(.+)"\)', app) == [DESKTOP.stem]

    def test_that_name_program_and_icon_exist(self, entry):
        assert entry["Name"] == PROJECT["project"]["name"]
        assert entry["TryExec"] in PROJECT["project"]["scripts"]
        assert entry["Exec"].split() == [entry["TryExec"], "gui", "%F"]
        assert entry["Icon"] == ICON.stem

    def test_that_it_lays_no_claim_to_the_hdf5_files_of_others(self, entry):
        assert "MimeType" not in entry


class TestMetainfo:
    def test_that_it_is_valid(self):
        validated("appstreamcli", "validate", "--no-net", METAINFO)

    def test_that_it_agrees_with_the_project(self, metainfo):
        project = PROJECT["project"]
        assert metainfo.findtext("name") == project["name"]
        assert metainfo.findtext("project_license") == project["license"]
        assert [binary.text for binary in metainfo.iter("binary")] == list(project["scripts"])
        assert set(project["keywords"]) & {word.text for word in metainfo.iter("keyword")}

    def test_that_it_agrees_with_the_desktop_entry(self, metainfo, entry):
        assert metainfo.findtext("launchable") == DESKTOP.name
        assert metainfo.findtext("summary") == entry["Comment"]
        assert metainfo.findtext("icon") == entry["Icon"]
        assert [item.text for item in metainfo.iter("category")] == entry["Categories"].strip(";").split(";")
        assert [item.text for item in metainfo.iter("keyword")] == entry["Keywords"].strip(";").split(";")

    def test_that_its_releases_are_the_dated_ones_of_the_changelog(self, metainfo):
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        dated = re.findall(r"^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
        assert [(item.get("version"), item.get("date")) for item in metainfo.iter("release")] == dated
        assert "## [Unreleased]" in changelog or dated[0][0] == __version__


class TestIcon:
    @pytest.mark.usefixtures("qapp")
    @pytest.mark.parametrize("side", [16, 256])
    def test_that_it_fills_its_square_and_has_lit_cells(self, side):
        from PySide6.QtCore import QSize
        from PySide6.QtGui import QIcon

        image = QIcon(str(ICON)).pixmap(QSize(side, side), 1.0).toImage()
        assert (image.width(), image.height()) == (side, side)
        colours = [image.pixelColor(x, y) for x in range(side) for y in range(side)]
        lit = sum(colour.name() == BLUE for colour in colours)
        assert 0.05 < lit / side**2 < 0.2
        assert sum(colour.alpha() == 255 for colour in colours) > 0.9 * side**2

    def test_that_the_window_looks_for_it_there(self):
        app = (ROOT / "sparseviz" / "gui" / "app.py").read_text(encoding="utf-8")
        assert '"icons" / "sparseviz.svg"' in app


class Recorder:
    """Stands for PyInstaller's own classes while a specification is read: it keeps what it is given."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.arguments, self.options = arguments, options
        self.pure = self.scripts = None
        self.datas: list[tuple[str, str, str]] = []
        self.binaries: list[tuple[str, str, str]] = []


@pytest.fixture
def read_spec(monkeypatch):
    """Reads the specification as PyInstaller does on a platform, which need not be installed."""

    def read(platform: str) -> dict[str, Any]:
        hooks: Any = ModuleType("PyInstaller.utils.hooks")
        hooks.collect_submodules = lambda name, **_options: [name]
        hooks.copy_metadata = lambda name: [(name, ".")]
        for name in ("PyInstaller", "PyInstaller.utils"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, hooks.__name__, hooks)
        monkeypatch.setattr(sys, "platform", platform)
        names: dict[str, Any] = dict.fromkeys(("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE"), Recorder)
        names |= {"SPECPATH": str(PACKAGING)}
        exec(compile(SPEC.read_text(encoding="utf-8"), SPEC, "exec"), names)
        return names

    return read


class TestSpecification:
    def test_that_resources_lie_as_in_the_wheel(self, read_spec):
        mapped = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        datas = read_spec("linux")["analysis"].options["datas"]
        assert mapped == {"resources": "sparseviz/resources"}
        assert (str(ROOT / "resources"), "sparseviz/resources") in datas

    def test_that_it_carries_the_metadata_of_every_library_whose_version_is_told(self, read_spec):
        assert set(LIBRARIES) == set(read_spec("linux")["TOLD"])

    def test_that_its_version_and_starting_point_are_the_program_s(self, read_spec):
        names = read_spec("linux")
        (start,) = names["analysis"].arguments[0]
        assert names["VERSION"] == __version__
        assert Path(start).is_file()

    def test_that_only_what_torch_needs_of_its_programs_is_kept(self, read_spec):
        is_wanted = read_spec("linux")["is_wanted"]
        assert is_wanted("torch/bin/torch_shm_manager")
        assert is_wanted("torch\\lib\\c10.dll")
        assert not is_wanted("torch/bin/test_jit")
        assert not is_wanted("torch\\test\\any")

    @pytest.mark.parametrize(
        ("platform", "programs"),
        [
            ("linux", {"sparseviz": True}),
            ("darwin", {"sparseviz": False}),
            ("win32", {"sparseviz": True, "sparseviz-window": False}),
        ],
    )
    def test_that_there_is_a_program_without_a_console_where_one_would_open(self, read_spec, platform, programs):
        made = read_spec(platform)["programs"]
        assert {program.options["name"]: program.options["console"] for program in made} == programs

    def test_that_the_application_of_macos_has_the_id_of_the_metainfo(self, metainfo):
        (identifier,) = re.findall(r'bundle_identifier="(.+)"', SPEC.read_text(encoding="utf-8"))
        assert identifier == metainfo.findtext("id")


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """Runs the program of a bundle that is built once, with nothing of this environment on its path."""
    folder = tmp_path_factory.mktemp("bundle")
    places = ["--distpath", str(folder / "dist"), "--workpath", str(folder / "build")]
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *places, str(SPEC)]
    own = os.environ | {"PYINSTALLER_CONFIG_DIR": str(folder / "cache")}
    built = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert built.returncode == 0, built.stderr
    program = folder / "dist" / "sparseviz" / "sparseviz"
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | home | variables
        environment.pop("PYTHONPATH", None)
        command = [str(program), *map(str, arguments)]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    yield run
    shutil.rmtree(folder)  # a gigabyte, which pytest would keep for a while


@pytest.mark.slow
@pytest.mark.skipif(find_spec("PyInstaller") is None, reason="PyInstaller is not installed")
class TestBundle:
    def test_that_it_tells_its_versions_and_finds_its_presets(self, bundled):
        done = bundled("info", "--json")
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        assert facts["version"] == __version__
        assert Path(facts["resources"]).parts[-2:] == ("sparseviz", "resources")
        assert facts["presets"] == sorted(path.stem for path in (ROOT / "resources" / "presets").glob("*.toml"))

    def test_that_it_trains_and_exports_with_proof(self, bundled, tmp_path):
        run, model = tmp_path / "run.h5", tmp_path / "model.onnx"
        trained = bundled("train", "--set", "epochs=1", "--set", "network=lenet300", "--out", run)
        assert trained.returncode == 0, trained.stderr
        exported = bundled("export", run, "--out", model)
        assert exported.returncode == 0, exported.stderr
        assert "100.00 % of 256 test images" in exported.stdout
        assert model.stat().st_size > 1_000_000

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there Qt looks for a display server")
    def test_that_a_display_that_does_not_answer_ends_in_advice(self, bundled):
        done = bundled("gui", DISPLAY=":4711", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="xcb")
        assert done.returncode == 2, done.stderr
        assert "the window cannot be shown" in done.stderr
        assert "could not connect" in done.stderr or "shared object" in done.stderr  # Qt's words, not click's

    def test_that_the_trial_of_a_display_ends_well_where_there_is_one(self, bundled):
        assert bundled("--probe-display", QT_QPA_PLATFORM="offscreen").returncode == 0
