"""Studies: what a TOML file asks for, what is run, what is not run again, and what is reported."""

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sparseviz.config import ConfigError, RunConfig, paths
from sparseviz.methods import METHODS
from sparseviz.runs.study import Plan, Study, StudyError, run_study, write_report
from sparseviz.runs.study.picture import points_of
from sparseviz.runs.study.plan import Published, published_for
from sparseviz.runs.study.report import MEASURED, means
from sparseviz.runs.study.work import run_path
from sparseviz.store import RunReader

TINY = {"network": "lenet300", "epochs": 1, "batch_size": 200, "record.snapshots": 2, "optimizer.gate_rate": 0.05}
OWN = """
title = "Mine"
against = "parameters kept"
x = ["penalty.lambda2"]
values = [[0], [1e-3]]
[settings]
"penalty.scale" = "sum"
"gate.layers" = ["fc1"]
[[series]]
name = "threshold"
paper = [10, 20]
[[series]]
name = "bernoulli"
settings = {"method.draw" = "bernoulli"}
[small.settings]
seed = 0
"""


@pytest.fixture
def own(tmp_path) -> Path:
    path: Path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


class TestPlan:
    @pytest.mark.parametrize("name", paths.studies())
    @pytest.mark.parametrize("small", [False, True])
    def test_that_every_study_asks_for_runs_that_can_be(self, name, small):
        plan = Plan.of(Study.load(name), small=small)
        assert len({run.name for run in plan.runs}) == len(plan.runs) > 1
        assert {run.config.data.name for run in plan.runs} == {"digits" if small else "mnist"}

    def test_that_the_papers_experiments_are_all_there(self):
        runs = {name: len(Plan.of(Study.load(name)).runs) for name in paths.studies()}
        assert runs == {
            "frontier": 6,
            "frontier300": 6,
            "lambda1": 20,
            "lambda2": 20,
            "lambdas": 8,
            "layers": 2,
            "methods": 10,
            "start": 22,
        }

    def test_that_every_method_is_compared_on_the_same_terms(self):
        for small in (False, True):
            runs = Plan.of(Study.load("methods"), small=small).runs
            assert {run.config.method.name for run in runs} == METHODS.keys()
            own = {"method", "penalty", "optimizer"}  # whose settings are a method's own
            assert len({run.config.model_dump_json(exclude=own) for run in runs}) == 1
            assert len({run.config.optimizer.rate for run in runs}) == 1

    def test_that_the_small_version_keeps_each_values_own_figure(self):
        whole, small = (Plan.of(Study.load("start"), small=flag).runs for flag in (False, True))
        told = {(run.series, run.values): run.paper for run in whole}
        assert [run.paper for run in small] == [told[run.series, run.values] for run in small]

    def test_that_settings_go_over_the_studys_and_the_axis_over_all(self, own):
        plan = Plan.of(Study.load(own), seeds=(3, 4), settings={"epochs": 7, "penalty.scale": "mean"})
        assert [(run.series, run.values, run.seed) for run in plan.runs[:3]] == [
            ("threshold", (0,), 3),
            ("bernoulli", (0,), 3),
            ("threshold", (1e-3,), 3),
        ]
        assert {run.config.epochs for run in plan.runs} == {7}
        assert {run.config.penalty.scale for run in plan.runs} == {"mean"}
        assert [run.config.penalty.lambda2 for run in plan.runs[:4]] == [0, 0, 1e-3, 1e-3]
        assert [run.config.method.draw for run in plan.runs[:2]] == ["threshold", "bernoulli"]

    def test_that_an_unknown_study_is_told_with_the_known_ones(self):
        with pytest.raises(ConfigError, match=r"no study and no TOML file 'none'; studies: .*lambda1.*start"):
            Study.load("none")

    @pytest.mark.parametrize(
        ("before", "after", "message"),
        [
            ("[[0], [1e-3]]", "[[0, 1], [1e-3]]", "does not have one number for each of x"),
            ("paper = [10, 20]", "paper = [10]", "series 'threshold': paper has 1 figures for 2 values"),
            ("[small.settings]", "[small]\nvalues = [[5]]\n[small.settings]", "[5.0] is none of the study's values"),
            ("[settings]", "[settings", "is not valid TOML"),
            (
                "[small.settings]",
                '[[published]]\nname = "A"\n[small.settings]',
                "published.0.compression: Field required",
            ),
            (
                "[small.settings]",
                '[[published]]\nname = "A"\ncompression = 2\nerror = 1\n[small.settings]',
                "published 'A': weights_kept is missing, which the picture is to show",
            ),
            ('title = "Mine"', "", "title: Field required"),
            ("[settings]", 'color = "red"\n[settings]', "color: Extra inputs are not permitted"),
        ],
    )
    def test_that_a_mistake_in_the_file_is_told_with_its_place(self, own, before, after, message):
        own.write_text(OWN.replace(before, after), encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            Study.load(own)
        assert str(own) in str(caught.value)
        assert message in str(caught.value)

    def test_that_an_unknown_setting_is_told(self, own):
        with pytest.raises(ConfigError, match="epoch: no such setting"):
            Plan.of(Study.load(own), settings={"epoch": 3})


class TestPublished:
    @pytest.mark.parametrize(
        ("preset", "changes", "found"),
        [
            ("lenet5-mnist-method1", {}, [("Srinivas et al. 2016, method 1", 0.81, 17_900)]),
            ("lenet5-mnist-method1", {"epochs": 3, "seed": 7, "optimizer.rate": 0.01}, [("method 1", 0.81, 17_900)]),
            ("lenet5-mnist-method2", {}, [("Srinivas et al. 2016, method 2", 0.67, 22_000)]),
            ("lenet5-mnist-best", {"method.name": "magnitude"}, [("Han et al. 2015", 0.77, 36_000)]),
            ("lenet300-mnist-best", {"method.name": "magnitude"}, [("Han et al. 2015", 1.59, 22_000)]),
            ("lenet5-mnist-method1", {"penalty.lambda2": 0.06}, []),
            ("lenet5-mnist-method1", {"method.draw": "bernoulli"}, []),
            ("lenet5-mnist-method1", {"gate.layers": ["fc1"]}, []),
            ("lenet5-mnist-method1", {"data.name": "digits"}, []),
            ("lenet5-digits", {}, []),
            ("lenet300-mnist-best", {}, []),
        ],
    )
    def test_that_a_run_is_compared_with_those_whose_settings_it_has(self, preset, changes, found):
        points = published_for(RunConfig.load(preset).changed(changes))
        assert len(points) == len(found)
        for point, (name, error, kept) in zip(points, found, strict=True):
            assert point.name.endswith(name)
            assert (point.error, point.weights_kept) == (error, kept)

    def test_that_what_is_kept_agrees_with_the_rounded_compression(self):
        weights = {"lenet5": 430_500, "lenet300": 266_200}
        points = [point for name in paths.studies() for point in Study.load(name).published if point.settings]
        assert len(points) == 4
        for point in points:
            expected = weights[point.settings["network"]] / point.compression
            assert point.weights_kept == pytest.approx(expected, rel=0.04)


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Plan, Path, list[tuple[str, int, int]]]:
    folder: Path = tmp_path_factory.mktemp("study")
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    plan = Plan.of(Study.load(folder / "own.toml"), settings=TINY | {"epochs": 3})
    told: list[tuple[str, int, int]] = []
    run_study(plan, folder, jobs=2, told=lambda *news: told.append(news))
    return plan, folder, told


class TestWork:
    def test_that_every_run_is_there_whole_and_told_of(self, done):
        plan, folder, told = done
        assert {path.name for path in (folder / "runs").iterdir()} == {f"{run.name}.h5" for run in plan.runs}
        for run in plan.runs:
            with RunReader(run_path(folder, run)) as file:
                assert (file.status, file.config) == ("finished", run.config)
        assert [(done, of) for _, done, of in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def test_that_a_second_call_trains_nothing(self, done):
        plan, folder, _ = done
        before = {path: path.stat().st_mtime_ns for path in (folder / "runs").iterdir()}
        told: list[str] = []
        run_study(plan, folder, told=lambda name, *_: told.append(name))
        assert not told
        assert {path: path.stat().st_mtime_ns for path in (folder / "runs").iterdir()} == before

    def test_that_what_a_killed_worker_left_at_any_moment_is_removed(self, own, tmp_path):
        runs = tmp_path / "runs"
        runs.mkdir()
        (runs / "threshold_0_seed0.part99.h5").touch()
        (runs / ".threshold_0_seed0.part99.h5.99.tmp").touch()
        plan = Plan.of(Study.load(own), settings=TINY)
        run_study(plan, tmp_path)
        assert {path.name for path in runs.iterdir()} == {f"{run.name}.h5" for run in plan.runs}

    def test_that_a_run_of_other_settings_is_never_taken_for_one_of_these(self, done):
        plan, folder, _ = done
        other = Plan.of(plan.study, settings=TINY)
        with pytest.raises(StudyError, match=r"threshold_0_seed0.h5 was trained with other settings.*--out"):
            run_study(other, folder)

    def test_that_the_tables_tell_what_the_files_tell(self, done):
        plan, folder, _ = done
        paths_written = write_report(plan, folder)
        assert [path.name for path in paths_written] == ["runs.csv", "layers.csv", "table.md", "plot.png"]
        rows = rows_of(folder / "runs.csv")
        for run, row in zip(plan.runs, rows, strict=True):
            with RunReader(run_path(folder, run)) as file:
                last = file.snapshots()[-1]
                fc1 = last.layers[0]
                assert float(row["sparsity"]) == pytest.approx(100 * (1 - fc1.kept / fc1.info.weights))
                assert float(row["expected"]) == pytest.approx(100 * (1 - fc1.gate_mean))
                assert float(row["variance"]) == pytest.approx(100 * fc1.gate_variance)
                assert float(row["test error"]) == pytest.approx(file.errors.test)
        assert [row["paper sparsity"] for row in rows] == ["10.0", "", "20.0", ""]
        assert len({row["sparsity"] for row in rows}) > 1
        layers = rows_of(folder / "layers.csv")
        assert [row["layer"] for row in layers[:4]] == ["fc1", "fc2", "fc3", "total"]
        assert sum(int(row["kept"]) for row in layers[:3]) == int(layers[3]["kept"])
        text = (folder / "table.md").read_text(encoding="utf-8")
        assert text.startswith("# Mine (lenet300 on digits)\n")
        assert "| threshold | 0.00 | 0 | 10.00 |" in text

    def test_that_the_picture_shows_more_than_axes(self, done):
        plan, folder, _ = done
        write_report(plan, folder)
        with Image.open(folder / "plot.png") as image:
            assert len(image.convert("RGB").getcolors(maxcolors=1 << 20) or ()) > 50
            blue = (31, 119, 180)  # the first line
            assert blue in {color for _, color in image.convert("RGB").getcolors(maxcolors=1 << 20) or ()}

    def test_that_published_networks_turn_the_picture_into_error_against_compression(self, done):
        plan, folder, _ = done
        write_report(plan, folder)
        sparsity = (folder / "plot.png").read_bytes()
        study = plan.study.model_copy(update={"published": (Published(name="A", compression=20, error=1),)})
        write_report(replace(plan, study=study), folder)
        assert (folder / "plot.png").read_bytes() != sparsity

    def test_that_published_networks_are_marked_only_where_the_data_are_theirs(self, done, tmp_path):
        plan, folder, _ = done
        pictures = []
        for error in (1, 30):
            point = Published(name="A", compression=20, error=error, weights_kept=13_000)
            study = plan.study.model_copy(update={"published": (point,)})
            write_report(replace(plan, study=study), folder)
            mnist = Plan.of(study, settings={"data.name": "mnist"})
            write_report(mnist, tmp_path)
            pictures.append([(place / "plot.png").read_bytes() for place in (folder, tmp_path)])
        assert pictures[0][0] == pictures[1][0]
        assert pictures[0][1] != pictures[1][1]

    def test_that_the_means_over_seeds_are_told_of_what_all_seeds_have(self):
        rows = [
            {"series": name, "paper sparsity": None, "seed": seed, "status": "finished"}
            | dict.fromkeys(MEASURED, value)
            for name, seed, value in (("a", 0, 1.0), ("a", 1, 4.0), ("b", 0, 3.0), ("b", 1, None))
        ]
        told = means(rows)
        assert [(row["series"], row["seeds"], row["test error"]) for row in told] == [("a", 2, 2.5), ("b", 2, None)]
        assert means(rows[::2]) == []

    def test_that_a_run_without_an_error_is_no_point_of_the_picture(self):
        rows = [
            {"series": "a", "compression by weights": ratio, "test error": error}
            for ratio, error in ((10.0, 1.1), (None, None), (20.0, None), (30.0, 0.0))
        ]
        assert points_of(rows, "a", "test") == ([10, 30], [1.1, 0])

    def test_that_what_is_not_run_is_told_as_such(self, own, tmp_path):
        plan = Plan.of(Study.load(own), settings=TINY)
        write_report(plan, tmp_path)
        assert {row["status"] for row in rows_of(tmp_path / "runs.csv")} == {"not run"}

    def test_that_a_failed_run_is_named_and_the_others_go_on(self, own, tmp_path):
        own.write_text(OWN.replace('x = ["penalty.lambda2"]', 'x = ["optimizer.rate"]').replace("[0]", "[1e38]"))
        plan = Plan.of(Study.load(own), settings=TINY)
        with pytest.raises(StudyError, match=r"2 of 4 runs failed. .*1e\+38.*loss is no longer a finite number"):
            run_study(plan, tmp_path)
        assert [run_path(tmp_path, run).is_file() for run in plan.runs] == [False, False, True, True]


class TestCommand:
    def test_that_a_killed_study_goes_on_where_it_was(self, own, tmp_path):
        settings = [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]
        command = [sys.executable, "-m", "sparseviz", "study", str(own), *settings, "--set", "epochs=30"]
        folder = tmp_path / "out"
        command += ["--out", str(folder)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + 120
        while not (first := [path for path in folder.glob("runs/*.h5") if ".part" not in path.name]):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kept = {path: path.stat().st_mtime_ns for path in first}
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        assert len(list((folder / "runs").iterdir())) == 4
        assert {path: path.stat().st_mtime_ns for path in first} == kept
        assert done.stdout.splitlines() == [
            str(folder / name) for name in ("runs.csv", "layers.csv", "table.md", "plot.png")
        ]
        assert [row["status"] for row in rows_of(folder / "runs.csv")] == ["finished"] * 4

    def test_that_an_unknown_study_ends_with_words(self, tmp_path):
        command = [sys.executable, "-m", "sparseviz", "study", "none"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 2, done.stderr
        assert "no study and no TOML file 'none'" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    @pytest.mark.parametrize("name", paths.studies())
    def test_that_the_small_version_takes_less_than_two_minutes(self, name, tmp_path):
        command = [sys.executable, "-m", "sparseviz", "study", name, "--small", "--jobs", "2", "--out", str(tmp_path)]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        assert time.monotonic() - began < 120
        assert {row["status"] for row in rows_of(tmp_path / "runs.csv")} == {"finished"}
