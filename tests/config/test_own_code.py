"""A person's own functions: found in modules and files, read anew, run only when trusted, their faults shown."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from sparseviz.config import InputError, RunConfig, own_code, paths
from sparseviz.config.own_code import Untrusted, find, is_trusted, load_function, trust
from sparseviz.data import load_data
from sparseviz.networks import build, layers
from sparseviz.runs.recording import record_run, resume_run
from sparseviz.runs.study import Plan, Study, run_study
from sparseviz.store import RunReader
from sparseviz.training.trainer import Trainer
from tests.helpers.runs import SHORT, Seen, short

NET = """
from torch import nn
def make(): return nn.Sequential(nn.Flatten(), nn.Linear(784, {units}), nn.ReLU(), nn.Linear({units}, 10))
def sized(classes): return nn.Sequential(nn.Flatten(), nn.Linear(784, classes))
"""


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    """Settings, folder and import path of this test alone."""
    monkeypatch.setenv("SPARSEVIZ_SETTINGS", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(own_code, "_loaded", {})
    monkeypatch.setattr(own_code, "_trusted", set())
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def allowed(name: str) -> str:
    trust(find(name))
    return name


class TestFinding:
    def test_that_a_file_is_found_from_the_current_folder_and_by_its_whole_path(self, tmp_path):
        file = written(tmp_path / "nets" / "mine.py", NET.format(units=7))
        for name in ("nets/mine.py:make", f"{file}:make"):
            assert [layer.weight.shape[0] for layer in layers(build(allowed(name))).values()] == [7, 10]

    def test_that_a_configuration_keeps_the_whole_path(self, tmp_path):
        config = RunConfig().changed({"network": "nets/mine.py:make"})
        assert config.network == f"{tmp_path / 'nets' / 'mine.py'}:make"
        assert RunConfig(network="package.mine:make").network == "package.mine:make"

    def test_that_what_lies_beside_a_file_can_be_imported_by_it(self, tmp_path):
        written(tmp_path / "nets" / "parts_of_mine.py", "UNITS = 6")
        written(tmp_path / "nets" / "mine.py", f"from parts_of_mine import UNITS\n{NET.format(units='UNITS')}")
        assert len(layers(build(allowed("nets/mine.py:make")))["1"].weight) == 6

    def test_that_two_files_of_one_name_are_two_modules(self, tmp_path):
        for number in (3, 4):
            written(tmp_path / str(number) / "mine.py", NET.format(units=number))
        for number in (3, 4, 3):
            assert len(layers(build(allowed(f"{number}/mine.py:make")))["1"].weight) == number

    def test_that_a_file_named_like_a_module_of_python_does_not_take_its_place(self, tmp_path):
        written(tmp_path / "json.py", NET.format(units=5))
        build(allowed("json.py:make"))
        assert sys.modules["json"] is json

    def test_that_looking_for_a_module_runs_nothing(self, tmp_path):
        for name in ("__init__", "inner/__init__", "inner/mine"):
            written(tmp_path / "loud_package" / f"{name}.py", "raise SystemExit('run')")
        code = find("loud_package.inner.mine:make")
        assert code.path == tmp_path / "loud_package" / "inner" / "mine.py"
        assert "loud_package" not in sys.modules

    @pytest.mark.parametrize("name", ["sys:exit", "os:abort", "nothing.here:make", "missing.py:make", ":make"])
    def test_that_what_has_no_file_is_refused(self, name):
        with pytest.raises(InputError, match=f"network '{name}' could not be made: "):
            build(name)


class TestTrust:
    def test_that_nothing_is_run_before_it_is_trusted(self, tmp_path):
        written(tmp_path / "mine.py", f"open('proof', 'w').close()\n{NET.format(units=7)}")
        with pytest.raises(Untrusted) as caught:
            build("mine.py:make")
        assert not (tmp_path / "proof").exists()
        assert "mine.py was not run" in str(caught.value)
        assert "--trust-code" in str(caught.value)
        trust(caught.value.code)
        build("mine.py:make")
        assert (tmp_path / "proof").exists()

    def test_that_it_is_remembered_until_the_file_changes(self, tmp_path, monkeypatch):
        file = written(tmp_path / "mine.py", NET.format(units=7))
        trust(find("mine.py:make"))
        monkeypatch.setattr(own_code, "_trusted", set())  # as in another process
        assert is_trusted(find(f"{file}:sized"))
        file.write_text(NET.format(units=8))
        with pytest.raises(Untrusted):
            load_function("mine.py:make")

    def test_that_a_changed_package_above_a_module_is_asked_about_too(self, tmp_path):
        written(tmp_path / "asked_package" / "mine.py", NET.format(units=7))
        above = written(tmp_path / "asked_package" / "__init__.py", "")
        trust(find("asked_package.mine:make"))
        above.write_text("print('hello')")
        assert not is_trusted(find("asked_package.mine:make"))

    def test_that_bytecode_beside_a_file_is_not_run_for_it(self, tmp_path):
        import py_compile

        file = written(tmp_path / "mine.py", "def make(): raise SystemError('bytecode')\n")
        py_compile.compile(str(file), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        file.write_text(NET.format(units=7))
        assert len(layers(build(allowed("mine.py:make")))["1"].weight) == 7

    def test_that_what_is_not_to_be_remembered_is_not(self, tmp_path):
        written(tmp_path / "mine.py", NET.format(units=7))
        trust(find("mine.py:make"), remember=False)
        assert is_trusted(find("mine.py:make"))
        assert not (tmp_path / "settings").exists()

    def test_that_a_list_that_cannot_be_read_trusts_nobody_and_is_written_anew(self, tmp_path, monkeypatch):
        written(tmp_path / "mine.py", NET.format(units=7))
        written(tmp_path / "settings" / "trusted_code.json", "[3")
        assert not is_trusted(find("mine.py:make"))
        trust(find("mine.py:make"))
        monkeypatch.setattr(own_code, "_trusted", set())
        assert is_trusted(find("mine.py:make"))

    def test_that_a_run_of_untrusted_code_writes_no_file(self, tmp_path):
        written(tmp_path / "mine.py", NET.format(units=7))
        with pytest.raises(Untrusted):
            record_run(short({"network": "mine.py:make"}), tmp_path / "run.h5")
        assert not (tmp_path / "run.h5").exists()
        trust(find("mine.py:make"))
        record_run(short({"network": "mine.py:make"}), tmp_path / "run.h5")
        with RunReader(tmp_path / "run.h5") as run:
            assert run.info.config.network == f"{tmp_path / 'mine.py'}:make"

    def test_that_a_run_that_was_stopped_is_not_resumed_with_untrusted_code(self, tmp_path):
        class Stops(Seen):
            def began(self, trainer, info, path):
                super().began(trainer, info, path)
                trainer.stop()

        file = written(tmp_path / "mine.py", NET.format(units=7))
        record_run(short({"network": allowed("mine.py:make")}), tmp_path / "run.h5", watcher=Stops())
        file.write_text(f"{file.read_text()}\nprint('more')")
        with pytest.raises(Untrusted):
            resume_run(tmp_path / "run.h5")
        trust(find("mine.py:make"))
        with RunReader(resume_run(tmp_path / "run.h5")) as run:
            assert run.status == "finished"

    def test_that_a_study_asks_before_its_first_run_and_its_processes_know(self, tmp_path):
        written(tmp_path / "mine.py", NET.format(units=7))
        settings = {"network": "mine.py:make", "dropout": [], "epochs": 1, "record.snapshots": 2, "threads": 1}
        plan = Plan.of(Study.load("layers"), small=True, seeds=(0,), settings=settings)
        with pytest.raises(Untrusted):
            run_study(plan, tmp_path / "made")
        trust(find("mine.py:make"), remember=False)
        run_study(plan, tmp_path / "made")
        assert len(list((tmp_path / "made" / "runs").glob("*.h5"))) == len(plan.runs)


class TestEdits:
    def test_that_an_edited_file_and_what_it_imports_are_read_anew(self, tmp_path):
        parts = written(tmp_path / "parts_of_it.py", "UNITS = 6")
        file = written(tmp_path / "mine.py", f"from parts_of_it import UNITS\n{NET.format(units='UNITS')}")
        assert len(layers(build(allowed("mine.py:make")))["1"].weight) == 6
        parts.write_text("UNITS = 9")
        assert len(layers(build("mine.py:make"))["1"].weight) == 9
        file.write_text(NET.format(units=8))
        assert len(layers(build(allowed("mine.py:make")))["1"].weight) == 8

    def test_that_an_edited_module_is_read_anew(self, tmp_path):
        file = written(tmp_path / "edited_module.py", NET.format(units=7))
        for units in (7, 8):
            file.write_text(NET.format(units=units))
            assert len(layers(build(allowed("edited_module:make")))["1"].weight) == units

    def test_that_a_file_that_stays_is_run_once(self, tmp_path):
        written(tmp_path / "mine.py", "class Kind: pass\ndef make(): return Kind")
        make = load_function(allowed("mine.py:make"))
        assert load_function("mine.py:make")() is make()


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("def make(:", ['mine.py", line 1', "def make(:", "SyntaxError"]),
            ("x = 1\n1 / 0", ['mine.py", line 2, in <module>', "1 / 0", "ZeroDivisionError"]),
            (
                "def make(): return inner()\ndef inner(): raise ValueError('mine')",
                ["line 1, in make", "line 2, in inner"],
            ),
            ("import sys\nsys.exit(3)", ["SystemExit: 3", "line 2"]),
            ("import torch\ndef make(): return torch.nn.Linear(-1, 'x')", ["line 2, in make"]),
            ("def make(): return 3", ["gave a int, not a torch.nn.Module"]),
        ],
    )
    def test_that_they_are_told_with_the_lines_of_the_person_s_file_and_not_ours(self, tmp_path, text, says):
        written(tmp_path / "mine.py", text)
        with pytest.raises(InputError) as caught:
            build(allowed("mine.py:make"))
        told = str(caught.value)
        assert told.startswith("network 'mine.py:make' ")
        assert [words for words in says if words not in told] == []
        assert (paths.PACKAGE / "py.typed").is_file()  # it is the folder of the whole program
        assert str(paths.PACKAGE) not in told
        assert not isinstance(caught.value, Untrusted)

    def test_that_a_fault_in_forward_is_told_with_its_line(self, tmp_path):
        forward = "    def forward(self, x): return x.no_such_thing\n"
        written(
            tmp_path / "mine.py", f"from torch import nn\nclass Net(nn.Linear):\n{forward}def make(): return Net(4, 4)"
        )
        with pytest.raises(InputError, match=r'cannot read images of shape(?s:.)*mine\.py", line 3, in forward'):
            Trainer(short({"network": allowed("mine.py:make")}), load_data(short().data))


class TestClasses:
    def test_that_a_function_that_takes_the_classes_gets_them(self, tmp_path):
        written(tmp_path / "mine.py", NET.format(units=7))
        assert build(allowed("mine.py:sized"), classes=6)(torch.zeros(1, 1, 28, 28)).shape == (1, 6)

    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 7)), r"shape \(1, 7\), but the data have 10 classes"),
            (lambda: nn.Conv2d(1, 10, 3), r"shape \(1, 10, 26, 26\)"),
        ],
    )
    def test_that_another_number_of_answers_is_told(self, make, says, monkeypatch):
        monkeypatch.setattr("sparseviz.training.trainer.build", lambda *_: nn.Sequential(make()))
        with pytest.raises(InputError, match=says):
            Trainer(RunConfig().changed(SHORT), load_data(short().data))
