"""Where things live: names of new runs, and the program's folders."""

import sys
from pathlib import Path

import pytest

from sparseviz.config import paths
from sparseviz.config.paths import new_run_path
from tests.helpers.places import ROOT


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


class TestNewRunPath:
    def test_that_the_first_is_number_1_even_where_there_is_no_folder_yet(self, tmp_path):
        assert new_run_path("lenet5-digits", tmp_path / "none") == tmp_path / "none" / "lenet5-digits-0001.h5"
        assert not (tmp_path / "none").exists()

    def test_that_the_next_follows_the_highest_and_gaps_stay(self, tmp_path):
        touch(tmp_path, "run-0001.h5", "run-0007.h5", "run-0003.h5")
        assert new_run_path("run", tmp_path).name == "run-0008.h5"

    def test_that_numbers_count_as_numbers_beyond_four_places(self, tmp_path):
        touch(tmp_path, "run-9999.h5")
        assert new_run_path("run", tmp_path).name == "run-10000.h5"
        touch(tmp_path, "run-10000.h5")
        assert new_run_path("run", tmp_path).name == "run-10001.h5"

    def test_that_what_lies_beside_a_run_keeps_its_number_taken(self, tmp_path):
        touch(tmp_path, "run-0004.h5.lock")
        assert new_run_path("run", tmp_path).name == "run-0005.h5"

    def test_that_other_runs_and_other_files_do_not_count(self, tmp_path):
        touch(tmp_path, "run-digits-0009.h5", "my-run-0008.h5", "run-0007.onnx", "run-copy.h5", "run-.h5", "run.h5")
        assert new_run_path("run", tmp_path).name == "run-0001.h5"

    @pytest.mark.parametrize(
        ("name", "stem"),
        [
            ("package.module:function-digits", "package.module-function-digits"),
            ("a/b\\c", "a-b-c"),
            ("two  words", "two-words"),
            ("[a]*?", "a"),
            ("--x--", "x"),
            ("réseau_5", "réseau_5"),
            ("://", "run"),
            ("", "run"),
        ],
    )
    def test_that_odd_characters_become_one_dash_and_numbers_go_on(self, tmp_path, name, stem):
        first = new_run_path(name, tmp_path)
        assert first == tmp_path / f"{stem}-0001.h5"
        first.touch()
        assert new_run_path(name, tmp_path) == tmp_path / f"{stem}-0002.h5"

    def test_that_no_name_leads_out_of_the_folder(self, tmp_path):
        assert new_run_path("../../etc/passwd", tmp_path).parent == tmp_path

    def test_that_without_a_folder_it_is_the_runs_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(paths, "runs_folder", lambda: tmp_path)
        touch(tmp_path, "run-0001.h5")
        assert new_run_path("run") == tmp_path / "run-0002.h5"


class TestFolders:
    def test_that_in_a_checkout_the_resources_lie_beside_the_package(self):
        assert paths.resources() == ROOT / "resources"

    def test_that_presets_go_by_the_names_of_their_toml_files_in_order(self, tmp_path, monkeypatch):
        (tmp_path / "presets").mkdir()
        touch(tmp_path / "presets", "b.toml", "a.toml", "notes.txt")
        monkeypatch.setattr(paths, "resources", lambda: tmp_path)
        assert list(paths.presets().items()) == [(name, tmp_path / "presets" / f"{name}.toml") for name in "ab"]

    @pytest.mark.skipif(sys.platform != "linux", reason="the variables are of Linux")
    def test_that_runs_are_data_and_data_sets_are_cache(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert paths.runs_folder() == tmp_path / "data" / "sparseviz" / "runs"
        assert paths.data_folder() == tmp_path / "cache" / "sparseviz" / "data"
        assert list(tmp_path.iterdir()) == []
