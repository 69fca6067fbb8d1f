"""The measurements: each row can be taken, and says what it is; the figures themselves need an idle machine."""

import json

import pytest

from tests.bench.__main__ import ROWS, main, rows_of
from tests.bench.child import environment
from tests.bench.grows import Growth, measure_growth
from tests.bench.table import Row, as_markdown, cost, gain
from tests.bench.timing import Spread, in_turns, ratios


def test_that_all_that_a_measurement_leaves_is_in_the_folder_that_goes_with_it(tmp_path):
    places = environment(str(tmp_path))
    assert {places[name] for name in ("SPARSEVIZ_SETTINGS", "XDG_DATA_HOME", "TMPDIR")} == {str(tmp_path)}


def test_that_a_spread_is_the_median_with_its_quartiles():
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(2, 3, 4)
    assert Spread.of([7.0]) == Spread(7, 7, 7)


def test_that_works_take_turns_and_the_first_round_does_not_count():
    done: list[str] = []
    times = in_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2)
    assert "".join(done) == "ababab"
    assert [len(each) for each in times.values()] == [2, 2]


def test_that_ratios_are_taken_turn_by_turn():
    assert ratios([2.0, 20.0, 6.0], [1.0, 10.0, 3.0]) == Spread(2, 2, 2)


def test_that_a_cost_must_stay_below_its_bound_and_a_gain_above():
    times = {"ours": [0.001, 0.001], "theirs": [0.004, 0.004]}
    assert cost("a", "b", times, bound=1.1).is_reached()
    assert not cost("a", "b", times, bound=0.2).is_reached()
    assert gain("a", "b", times, bound=3).is_reached()
    assert not gain("a", "b", times, bound=5).is_reached()


def test_that_a_row_without_a_figure_is_told_with_its_reason():
    text = as_markdown({"cores": "2"}, [Row("step", "NNCF", "ms", bound=1.0, note="no module nncf")])
    assert "| step | NNCF |  |  | not measured | at most 1 |  |" in text
    assert "- step, NNCF: no module nncf" in text


def test_that_rows_are_measured_printed_and_saved(tmp_path, capsys):
    assert main(["feeding", "--repeats", "2", "--out", str(tmp_path / "found")]) == 0
    printed = capsys.readouterr().out
    assert "DataLoader over a TensorDataset" in printed
    assert "cores" in printed
    assert (tmp_path / "found.md").read_text(encoding="utf-8").strip() == printed.strip()
    saved = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert saved["machine"]["torch"]
    assert Row.read({name: value for name, value in saved["rows"][0].items() if name != "reached"}).bound == 3


def test_that_an_unknown_row_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["feedign"])
    assert ended.value.code == 2
    assert "snapshot-vgg" in capsys.readouterr().err


def test_that_a_row_that_breaks_off_says_why(monkeypatch):
    monkeypatch.setitem(ROWS, "broken", ("feeding:nothing", 1))
    (row,) = rows_of("broken", None)
    assert "broke off" in row.note
    assert "nothing" in row.note


def test_that_the_exponent_is_fitted_where_costs_are_large():
    linear = Growth("gates", "step, ms", {10: 5.0, 100: 10.0, 1000: 100.0, 10_000: 1000.0})
    assert linear.exponent() == pytest.approx(1)
    assert Growth("gates", "step, ms", {10: 5.0}).exponent() is None


def test_that_growth_is_measured_tabled_and_drawn(tmp_path, capsys):
    found = measure_growth({"cores": "2"}, tmp_path / "grown", {"runs": ("growth_points:runs", (2, 4))})
    assert [one.cost for one in found] == ["opening, ms"]
    assert "| runs | 2 | 4 | exponent |" in capsys.readouterr().out
    assert (tmp_path / "grown.png").read_bytes().startswith(b"\x89PNG")
    assert set(json.loads((tmp_path / "grown.json").read_text())["growth"][0]["points"]) == {"2", "4"}


@pytest.mark.slow
def test_that_every_row_can_be_measured(tmp_path, capsys):
    assert main(["--repeats", "2", "--out", str(tmp_path / "all")]) == 0
    assert "broke off" not in capsys.readouterr().out
