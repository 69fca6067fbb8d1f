"""The configuration: from TOML and text, over every setting, to the lambdas and rates of a step."""

import json
import tomllib
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from sparseviz.config import EMBEDDED, ConfigError, RunConfig, parse_assignments, paths, settings
from sparseviz.config.changes import LIVE, check_live, check_steered
from sparseviz.config.parts import ScheduleConfig as Schedule
from sparseviz.training.phases import Phases
from sparseviz.training.steering import Steering
from sparseviz.values.snapshot import Event

PARTS = ("data", "method", "gate", "penalty", "schedule", "optimizer", "record")
LIVE_SETTINGS = {"epochs", "penalty.lambda1", "penalty.lambda2", "optimizer.rate", "optimizer.gate_rate"}


def leaves(tree: dict[str, Any], prefix="") -> dict[str, Any]:
    """The slow, obvious twin of settings(): every value of a configuration by its dotted name."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if prefix + name in (
            "gate.start_by_layer",
            "gate.top_share",
            "method.deviations_by_layer",
        ):  # tables of their own
            found[prefix + name] = value
            continue
        found |= leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def assert_refused(values, *words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig().changed(values)
    message = str(caught.value)
    assert [word for word in words if word not in message] == []


class TestDefaults:
    def test_that_no_field_of_any_part_can_be_set(self):
        for name in settings():
            *parts, field = name.split(".")
            part = RunConfig().value(".".join(parts)) if parts else RunConfig()
            with pytest.raises(ValidationError, match="frozen"):
                setattr(part, field, getattr(part, field))

    @pytest.mark.parametrize("part", ["", *PARTS])
    def test_that_no_part_takes_a_field_that_it_does_not_have(self, part):
        values = {part: {"surplus": 1}} if part else {"surplus": 1}
        with pytest.raises(ConfigError, match=r"surplus: no such setting"):
            RunConfig.parse(values)

    def test_that_a_new_run_has_no_schedule_and_constant_rates(self):
        config = RunConfig()
        assert Phases.of(config.schedule, 100) == Phases(ramp=0, train=0, decide=100, frozen=100)
        assert (config.optimizer.rate_schedule, config.optimizer.weight_decay) == ("constant", 0)

    def test_that_defaults_obey_their_own_limits(self):
        assert RunConfig.parse(RunConfig().model_dump()) == RunConfig()


class TestSettings:
    def test_that_every_leaf_of_the_configuration_is_one_and_no_more(self):
        assert list(settings()) == list(leaves(RunConfig().model_dump()))

    def test_that_each_has_its_own_name_and_a_description(self):
        for name, setting in settings().items():
            assert setting.name == name
            assert len(setting.description.split()) > 2, name

    def test_that_the_lambdas_the_rates_and_the_length_alone_are_live(self):
        assert {name for name, setting in settings().items() if setting.live} == LIVE_SETTINGS
        assert set(LIVE) == LIVE_SETTINGS

    def test_that_value_finds_each_by_its_dotted_name(self):
        config = RunConfig.load(EMBEDDED)
        assert {name: config.value(name) for name in settings()} == leaves(config.model_dump())


class TestLoad:
    @pytest.mark.parametrize("name", sorted(paths.presets()))
    def test_that_every_preset_loads_and_says_something_else_than_the_defaults(self, name):
        assert RunConfig.load(name) != RunConfig()

    def test_that_the_embedded_preset_is_among_them_and_needs_no_files(self):
        assert EMBEDDED in paths.presets()
        assert RunConfig.load(EMBEDDED).data.name == "digits"

    @pytest.mark.parametrize("kind", [str, Path])
    def test_that_a_toml_file_changes_what_it_names_and_nothing_else(self, tmp_path, kind):
        (tmp_path / "mine.toml").write_bytes('[data]\nfolder = "Bücher"\n[penalty]\nlambda2 = 3e-4\n'.encode())
        loaded = leaves(RunConfig.load(kind(tmp_path / "mine.toml")).model_dump())
        assert loaded == leaves(RunConfig().model_dump()) | {"data.folder": "Bücher", "penalty.lambda2": 3e-4}

    @pytest.mark.parametrize("name", ["nowhere", "nowhere.toml", "."])
    def test_that_an_unknown_name_is_told_with_the_presets(self, name):
        with pytest.raises(ConfigError) as caught:
            RunConfig.load(name)
        assert f"'{name}'" in str(caught.value)
        assert ", ".join(paths.presets()) in str(caught.value)

    @pytest.mark.parametrize("content", [b"epochs = ", b"[penalty\n", b"epochs = 1\nepochs = 2\n", b"\xff\xfe"])
    def test_that_invalid_toml_is_told_with_the_name_of_the_file(self, tmp_path, content):
        path = tmp_path / "broken.toml"
        path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            RunConfig.load(path)
        assert f"{path} is not valid TOML" in str(caught.value)

    def test_that_a_bad_value_is_told_with_file_and_setting(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text("[penalty]\nlambda3 = 1\n")
        with pytest.raises(ConfigError) as caught:
            RunConfig.load(path)
        assert f"{path}: penalty.lambda3: no such setting" in str(caught.value)


class TestAssignments:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1e-4", 1e-4),
            ("3", 3),
            ("true", True),
            ('"3"', "3"),
            ("lenet300", "lenet300"),
            ("package.module:function", "package.module:function"),
            ("/data/with=sign", "/data/with=sign"),
            (" spaced out ", "spaced out"),
            ("", ""),
        ],
    )
    def test_that_a_value_is_toml_or_else_text(self, text, value):
        found = parse_assignments([f"some.name={text}"])["some.name"]
        assert (found, type(found)) == (value, type(value))

    def test_that_the_last_of_several_counts(self):
        assert parse_assignments(["epochs=1", "seed=2", " epochs =3"]) == {"epochs": 3, "seed": 2}

    @pytest.mark.parametrize("pair", ["epochs", "=1", " =1", ""])
    def test_that_one_without_name_or_sign_is_told_with_an_example(self, pair):
        with pytest.raises(ConfigError) as caught:
            parse_assignments([pair])
        assert str(caught.value) == f"'{pair}': write NAME=VALUE, as in penalty.lambda2=1e-4"


class TestChanged:
    def test_that_dotted_names_change_what_they_name_and_nothing_else(self):
        values = {"epochs": 3, "penalty.lambda2": 1e-4, "method.draw": "bernoulli", "data.folder": "here"}
        before = RunConfig.load(EMBEDDED)
        after = before.changed(values)
        assert leaves(after.model_dump()) == leaves(before.model_dump()) | values
        assert before == RunConfig.load(EMBEDDED)

    @pytest.mark.parametrize("name", ["epoch", "penalty", "penalty.lambda3", "lambda2", "epochs.x", "data.name.x", ""])
    def test_that_an_unknown_name_is_told_with_all_settings(self, name):
        assert_refused({name: 1}, f"{name}: no such setting", *settings())

    def test_that_an_unknown_nested_field_is_told_with_the_settings_of_its_part_alone(self):
        with pytest.raises(ConfigError) as caught:
            RunConfig.parse({"penalty": {"lambda3": 1}}, source="here")
        known = ", ".join(name for name in settings() if name.startswith("penalty."))
        assert str(caught.value) == f"here: penalty.lambda3: no such setting; settings: {known}"

    @pytest.mark.parametrize("name", ["method.draw", "method.estimator", "penalty.scale", "optimizer.rate_schedule"])
    def test_that_an_unknown_choice_is_told_with_those_that_there_are(self, name):
        assert_refused({name: "none of them"}, name, "none of them", *map(repr, settings()[name].annotation.__args__))

    @pytest.mark.parametrize(
        "name",
        ["epochs", "batch_size", "seed", "threads", *sorted(LIVE_SETTINGS), "gate.start", "optimizer.weight_decay"],
    )
    def test_that_a_negative_number_is_told_with_its_setting(self, name):
        assert_refused({name: -1}, f"{name}: ", "greater than", "(it is -1)")

    @pytest.mark.parametrize("name", ["epochs", "batch_size", "optimizer.rate", "record.snapshots", "method.keep"])
    def test_that_a_nought_is_told_where_there_must_be_more(self, name):
        assert_refused({name: 0}, f"{name}: ", "greater than", "(it is 0)")

    @pytest.mark.parametrize("value", ["much", "", None, [1], float("nan"), float("inf"), True])
    @pytest.mark.parametrize("name", ["epochs", "penalty.lambda2"])
    def test_that_what_is_no_number_is_told_with_its_setting(self, name, value):
        assert_refused({name: value}, f"{name}: ", f"(it is {value!r})")

    @pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", ""])
    def test_that_a_device_of_no_known_form_is_told_with_the_forms(self, device):
        assert_refused({"device": device}, "device: ", f"'{device}'", "auto", "cpu", "cuda", "mps")

    def test_that_phases_out_of_order_are_told_with_the_order_and_the_values(self):
        values = {"schedule.ramp_until": 0.7, "schedule.decide_from": 0.6}
        order = "warm_up_until <= ramp_until <= decide_from <= freeze_from"
        assert_refused(values, "schedule: ", order, "0, 0.7, 0.6, 1")

    def test_that_several_faults_are_told_at_once(self):
        assert_refused({"epochs": 0, "method.rounds": 0}, "epochs: ", "; method.rounds: ")


class TestJson:
    @pytest.mark.parametrize("name", sorted(paths.presets()))
    def test_that_a_preset_comes_back_equal(self, name):
        config = RunConfig.load(name)
        assert RunConfig.parse(json.loads(config.model_dump_json())) == config

    def test_that_awkward_values_come_back_equal(self):
        values = {"seed": 2**63 - 1, "penalty.lambda1": 1 / 3, "data.folder": 'ü "quoted" \\ \n', "threads": 4}
        config = RunConfig().changed(values)
        assert RunConfig.parse(json.loads(config.model_dump_json())) == config


def tree_of(part):
    """Nested values, of which many are of the right type and some within their limits."""
    texts, shares = st.text(max_size=8), st.floats(0, 1)
    numbers = st.one_of(st.integers(0, 2**63 - 1), st.floats(0, 1e300), shares, texts, st.booleans())
    more = st.one_of(numbers, st.lists(texts, max_size=3), st.dictionaries(texts, shares, max_size=3))
    return st.fixed_dictionaries(
        {}, optional={name: field_of(field, more) for name, field in part.model_fields.items()}
    )


def field_of(field, more):
    """A value for a field: by its type where hypothesis knows it, else any."""
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return tree_of(kind)
    return st.one_of(st.from_type(kind), more)


def valid_only(tree):
    """The values that the configuration takes one by one; those beyond their limits stay at their defaults."""
    config = RunConfig()
    for name, value in leaves(tree).items():
        with suppress(ConfigError):
            config = config.changed({name: value})
    return config


class TestToml:
    @pytest.mark.parametrize("name", sorted(paths.presets()))
    def test_that_a_preset_comes_back_equal(self, tmp_path, name):
        config = RunConfig.load(name)
        (tmp_path / "mine.toml").write_text(config.as_toml(), encoding="utf-8")
        assert RunConfig.load(tmp_path / "mine.toml") == config

    @examples(max_examples=150)
    @given(tree_of(RunConfig))
    def test_that_whatever_can_be_set_comes_back_to_the_last_digit(self, tree):
        config = valid_only(tree)
        assert RunConfig.parse(tomllib.loads(config.as_toml())) == config

    def test_that_every_setting_but_those_that_are_none_is_in_it(self):
        written = leaves(tomllib.loads(RunConfig().as_toml()))
        assert set(written) == {name for name in settings() if RunConfig().value(name) is not None}

    def test_that_awkward_values_come_back_equal(self):
        awkward = 'ü "quoted" \\ \n\t\x7f\x00 😀'
        values = {
            "seed": 2**63 - 1,
            "penalty.lambda1": 1 / 3,
            "penalty.lambda2": 5e-324,
            "data.folder": awkward,
            "gate.start_by_layer": {awkward: 0.1, "fc*": 1.0},
            "gate.layers": (awkward, "conv1"),
        }
        config = RunConfig().changed(values)
        assert RunConfig.parse(tomllib.loads(config.as_toml())) == config


ENDS = ("warm_up_until", "ramp_until", "decide_from", "freeze_from")
WHOLE = Schedule(warm_up_until=0.1, ramp_until=0.4, decide_from=0.6, freeze_from=0.8)
PHASES = ("warm-up", "ramp", "train", "decide", "frozen")


class TestPhases:
    def test_that_shares_become_absolute_steps(self):
        assert Phases.of(WHOLE, 100) == Phases(ramp=10, train=40, decide=60, frozen=80)

    def test_that_a_run_goes_through_all_of_them_in_order(self):
        names = [(name, len(list(steps))) for name, steps in groupby(map(Phases.of(WHOLE, 100).name, range(100)))]
        assert names == list(zip(PHASES, (10, 30, 20, 20, 20), strict=True))

    def test_that_one_that_begins_where_the_next_does_is_left_out(self):
        phases = Phases(ramp=10, train=10, decide=60, frozen=60)
        assert [name for name, _ in groupby(map(phases.name, range(100)))] == ["warm-up", "train", "frozen"]
        assert [phases.penalty_share(step) for step in (9, 10, 59, 60)] == [0, 1, 1, 0]

    def test_that_the_penalties_rise_in_a_line_from_nothing_to_all_and_end_when_frozen(self):
        acting = [Phases.of(WHOLE, 100).penalty_share(step) for step in range(100)]
        ramp = [(step - 9) / 30 for step in range(10, 40)]
        assert acting == pytest.approx([0.0] * 10 + ramp + [1.0] * 40 + [0.0] * 20)

    @examples(derandomize=True, max_examples=60, deadline=None)
    @given(st.lists(st.floats(0, 1), min_size=4, max_size=4).map(sorted), st.integers(1, 300))
    def test_that_whatever_the_shares_phases_keep_their_order_and_penalties_only_rise(self, ends, steps):
        phases = Phases.of(Schedule(**dict(zip(ENDS, ends, strict=True))), steps)
        places = [PHASES.index(phases.name(step)) for step in range(steps)]
        assert places == sorted(places)
        acting = [phases.penalty_share(step) for step in range(min(steps, phases.frozen))]
        assert acting == sorted(acting)
        assert all(0 <= share <= 1 for share in acting)


def steering(**values) -> Steering:
    """Over 100 steps, with the phases of WHOLE."""
    given_values = {f"schedule.{name}": value for name, value in WHOLE.model_dump().items()}
    given_values |= {"penalty.lambda1": 1e-3, "penalty.lambda2": 5e-2, "optimizer.rate": 0.1, "optimizer.gate_rate": 2}
    return Steering(RunConfig().changed(given_values | {"penalty.decide_ratio": 4} | values), 100)


class TestSteering:
    def test_that_the_lambdas_rest_rise_in_a_line_decide_and_end(self):
        lambda1, lambda2 = zip(*map(steering().lambdas, range(100)), strict=True)
        ramp = [(step - 9) / 30 for step in range(10, 40)]
        assert lambda1 == pytest.approx([0] * 10 + [1e-3 * s for s in ramp] + [1e-3] * 20 + [0.2] * 20 + [0] * 20)
        assert lambda2 == pytest.approx([0] * 10 + [5e-2 * s for s in ramp] + [5e-2] * 40 + [0] * 20)

    def test_that_deciding_never_lowers_lambda1(self):
        assert steering(**{"penalty.lambda1": 3.0}).lambdas(60) == (3.0, 5e-2)

    def test_that_constant_rates_stay(self):
        assert set(map(steering().rates, range(100))) == {(0.1, 2.0)}

    @pytest.mark.parametrize(("kind", "begin"), [("cosine", 0), ("frozen", 80)])
    def test_that_a_cosine_leaves_all_then_half_then_next_to_nothing_of_both_rates(self, kind, begin):
        rates = [steering(**{"optimizer.rate_schedule": kind}).rates(step) for step in range(100)]
        assert set(rates[: begin + 1]) == {(0.1, 2.0)}
        assert rates[(begin + 100) // 2] == pytest.approx((0.05, 1.0))
        assert rates[begin:] == sorted(set(rates), reverse=True)
        assert 0 < rates[-1][0] < 0.1 * 0.01

    def test_that_a_change_acts_from_then_on_and_is_told_once(self):
        run = steering()
        run.change(50, {"penalty.lambda2": 0.5, "optimizer.rate": 0.2})
        assert (run.lambdas(50), run.lambdas(60), run.rates(50)) == ((1e-3, 0.5), (2.0, 0.5), (0.2, 2.0))
        events = (Event(50, "penalty.lambda2", 5e-2, 0.5), Event(50, "optimizer.rate", 0.1, 0.2))
        assert (run.take_events(), run.take_events()) == (events, ())

    @pytest.mark.parametrize("kind", ["frozen", "cosine"])
    def test_that_more_epochs_lengthen_the_last_phase_and_its_fall_to_0(self, kind):
        run = steering(**{"optimizer.rate_schedule": kind})
        run.change(90, {"epochs": 40})
        assert run.steps == 200
        assert [run.phases.name(step) for step in (59, 60, 80, 199)] == ["train", "decide", "frozen", "frozen"]
        assert run.lambdas(60) == (0.2, 5e-2)
        assert 0 < run.rates(199)[0] < 0.1 * 0.01
        assert run.take_events() == (Event(90, "epochs", 20, 40),)

    def test_that_a_phase_that_would_have_begun_at_the_end_never_does(self):
        run = Steering(RunConfig(), 100)
        run.change(50, {"epochs": 40})
        assert {run.phases.name(step) for step in range(200)} == {"train"}

    def test_that_a_run_is_not_made_shorter(self):
        with pytest.raises(ConfigError, match=r"epochs: .* can be made longer than 20, not shorter"):
            check_live(RunConfig(), {"epochs": 19})

    def test_that_values_of_a_validated_configuration_are_checked_for_the_moment_alone(self):
        config = RunConfig()
        check_steered(config, config.taking({"penalty.lambda2": 0.25, "epochs": 21}))
        with pytest.raises(ConfigError, match=r"epochs: .* can be made longer than 20, not shorter"):
            check_steered(config, config.taking({"epochs": 19}))
        with pytest.raises(ConfigError, match="seed: cannot change while a run trains"):
            check_steered(config, config.taking({"seed": 1}))

    def test_that_taking_validated_values_gives_what_changing_them_gives(self):
        values = {"penalty.lambda1": 0.5, "epochs": 21, "seed": 3, "penalty.lambda2": 0.25}
        config = RunConfig()
        assert config.taking(values) == config.changed(values)
        assert config == RunConfig()

    @pytest.mark.parametrize("name", ["batch_size", "penalty.scale", "nothing"])
    def test_that_what_cannot_change_now_is_told_with_what_can(self, name):
        with pytest.raises(ConfigError) as caught:
            check_live(RunConfig(), {name: 1})
        assert str(caught.value) == f"{name}: cannot change while a run trains; these can: {', '.join(LIVE)}"

    def test_that_live_values_are_numbers_within_their_limits(self):
        assert check_live(RunConfig(), {"penalty.lambda1": 1, "optimizer.rate": 0.5})["penalty.lambda1"] == 1.0
        with pytest.raises(ConfigError, match=r"optimizer\.rate: .*greater than 0"):
            check_live(RunConfig(), {"optimizer.rate": 0})
