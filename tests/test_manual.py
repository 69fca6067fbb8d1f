"""The manual and the other texts: all that they name is there, and the examples that take seconds are run."""

import ast
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import click
import pytest

from sparseviz.cli.main import _cli, main
from sparseviz.config import RunConfig, manual, parse_assignments, paths, settings
from sparseviz.data import DATASETS
from sparseviz.methods import METHODS
from sparseviz.networks import MODELS
from tests.bench.__main__ import parsed
from tests.helpers.manual_pages import Text
from tests.helpers.places import ROOT

NAMES = [entry.name for entry in manual.entries()]
PAGES = {name: Text(manual.folder() / f"{name}.md") for name in NAMES}
OTHERS = {name: Text(ROOT / name) for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
TEXTS = PAGES | OTHERS
OUTSIDE = ("https://", "http://")
GROUPS = {name.split(".")[0] for name in settings() if "." in name}
FOLDERS = ("sparseviz/", "tests/", "resources/", "packaging/", ".ci/", ".github/")
WIDEST = 90  # characters of a line of code that the window shows unbroken

every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
every_page = pytest.mark.parametrize("name", NAMES)


def words_of(names: Iterable[str]) -> set[str]:
    """What stands in backticks on these pages, in single words."""
    return {word for name in names for code in PAGES[name].codes() for word in code.split()}


class TestPages:
    def test_that_the_contents_name_every_page_once_by_its_own_title(self):
        assert sorted(NAMES) == sorted(path.stem for path in manual.folder().glob("*.md"))
        assert {entry.name: entry.title for entry in manual.entries()} == {
            name: text.headings()[0][1] for name, text in PAGES.items()
        }

    @every_page
    def test_that_a_page_begins_with_its_title_and_the_question_that_it_answers(self, name):
        text = PAGES[name]
        assert [tag for tag, _ in text.headings()].count("h1") == 1
        assert text.headings()[0][0] == "h1"
        assert text.first_paragraph().endswith("?")
        assert len(text.first_paragraph()) < 140

    @every_page
    def test_that_a_page_leads_on_to_others(self, name):
        assert [link for link in PAGES[name].links() if not link.startswith((*OUTSIDE, "#"))]

    def test_that_the_readme_is_short(self):
        assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150

    @every_page
    def test_that_the_headings_of_a_page_are_found_without_a_parser_too(self, name):
        assert manual.headings(manual.read(name))[: len(PAGES[name].headings())] == [
            text.replace("`", "") for _, text in PAGES[name].headings()
        ]


class TestLinks:
    @every_text
    def test_that_every_link_leads_somewhere(self, text):
        lost = [link for link in text.links() if not link.startswith(OUTSIDE) and not leads(text, link)]
        assert lost == []

    @every_page
    def test_that_a_page_links_only_what_the_window_can_show(self, name):
        inner = [link for link in PAGES[name].links() if not link.startswith(OUTSIDE)]
        assert [link for link in inner if not re.fullmatch(r"([\w-]+\.md)?(#[\w-]+)?", link)] == []

    @every_text
    def test_that_every_picture_is_there_with_words_for_those_who_do_not_see_it(self, text):
        for source, words in text.pictures():
            assert (text.path.parent / source).is_file(), source
            assert len(words) > 20

    def test_that_every_picture_is_used(self):
        used = {source for text in PAGES.values() for source, _ in text.pictures()}
        assert used == {f"pictures/{path.name}" for path in (manual.folder() / "pictures").iterdir()}


def leads(text: Text, link: str) -> bool:
    """Whether a link within the repository has an end."""
    name, _, anchor = link.partition("#")
    end = (text.path.parent / name).resolve() if name else text.path
    return end.exists() and (not anchor or anchor in Text(end).anchors())


class TestCommands:
    @every_text
    def test_that_every_command_of_the_program_is_one_with_its_options_and_settings(self, text):
        for words in text.commands():
            arguments = after(words, "sparseviz")
            if arguments and not is_file(arguments[0]):
                check(arguments)

    @every_text
    def test_that_every_test_and_module_that_is_run_is_there(self, text):
        for words in text.commands():
            for place in (word for word in words if word.startswith("tests/")):
                assert (ROOT / place).exists(), place
            if words[:4] == ["pytest", "-m", "slow", "-s"] or words[:3] == ["pytest", "-m", "slow"]:
                found = [(ROOT / word).read_text(encoding="utf-8") for word in words if word.startswith("tests/")]
                assert found
                assert all("mark" in code and "slow" in code for code in found)
            for module in re.findall(r"-m (tests[\w.]*)", " ".join(words)):
                assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists() or (
                    ROOT / module.replace(".", "/") / "__main__.py"
                ).exists()
            if (rows := after(words, "tests.bench")) is not None:
                parsed(rows)

    def test_that_every_command_and_option_of_export_has_a_place(self):
        assert set(_cli.commands) - words_of(["commands"]) - block_words("commands") == {"gui"}
        options = {option for parameter in _cli.commands["export"].params for option in parameter.opts}
        usual = {"run", "--out", "--debug", "--trust-code", "--data-dir", "--licence", "--test-set"}
        assert options - words_of(["export"]) == usual


def after(words: list[str], program: str) -> list[str] | None:
    """The arguments of a program in a command line; None where it is another's."""
    for at, word in enumerate(words):
        if Path(word).name == program and (at == 0 or words[at - 1] == "-m"):
            return words[at + 1 :]
    return None


def is_file(argument: str) -> bool:
    """Whether the window is to open a file, and no command is named."""
    return argument.startswith("[") or argument == "FILE" or bool(Path(argument).suffix)


def check(arguments: list[str]) -> None:
    """Let click read a command line, and the configuration its settings; nothing is run."""
    name, rest = arguments[0], ["csv" if word == "FORM" else word for word in arguments[1:]]
    if name.startswith("-"):
        return
    command = _cli.commands[name]
    if not rest or rest == ["..."] or "--help" in rest:
        return
    try:
        given = command.make_context(name, [word for word in rest if word != "..."]).params
    except click.MissingParameter:  # a sentence names the option alone
        return
    values = parse_assignments(given.get("pairs", ()))
    RunConfig().changed(values)
    for setting, registry in (("method.name", METHODS), ("network", MODELS), ("data.name", DATASETS)):
        assert values.get(setting, "NAME") in {"NAME", *registry} or ":" in values[setting]
    named = {"train": ("config", paths.presets()), "study": ("name", paths.studies()), "manual": ("page", NAMES)}
    if name in named:
        parameter, known = named[name]
        word = given[parameter]
        assert word in known or word.isupper() or (word.endswith(".toml") and name != "manual")


def block_words(name: str) -> set[str]:
    return {word for block in PAGES[name].blocks() for word in block.code.split()}


class TestNames:
    @every_text
    def test_that_every_setting_that_is_named_is_one(self, text):
        named = [code.split(" = ")[0] for code in text.codes()]
        dotted = [name for name in named if re.fullmatch(r"\w+\.[\w*]+", name) and name.split(".")[0] in GROUPS]
        own = {"data.Data", "method.md"}
        assert [name for name in dotted if name not in settings() and not name.endswith(".*") and name not in own] == []

    def test_that_every_setting_is_told_with_its_default_and_help(self):
        page = " ".join(manual.read("settings").split())
        for name, setting in settings().items():
            assert re.search(
                rf"- `{re.escape(name)}` \(.+?\): {re.escape(' '.join(setting.description.split()))}", page
            )
        assert "`penalty.lambda2` (`0.05`; live)" in page
        assert "`data.download` (`false`)" in page
        assert "`weights` (empty)" in page

    def test_that_every_method_network_data_set_preset_and_study_is_on_its_page(self):
        assert set(METHODS) <= words_of(["methods"])
        assert set(MODELS) <= {word.strip(",") for word in words_of(["networks"])}
        assert set(DATASETS) <= words_of(["data"])
        assert set(paths.presets()) <= words_of(["settings"])
        assert set(paths.studies()) <= words_of(["studies"])

    @every_text
    def test_that_every_path_of_the_code_is_there(self, text):
        places = [word.rstrip(".,:") for code in text.codes() for word in code.split() if word.startswith(FOLDERS)]
        gone = [place for place in places if not (ROOT / place).exists()]
        assert [place for place in gone if not place.endswith("NAME.md")] == []

    @pytest.mark.parametrize("text", [text for name, text in TEXTS.items() if name != "CHANGELOG.md"])  # of old names
    def test_that_every_name_of_the_package_is_there(self, text):
        for code in text.codes():
            if (name := re.match(r"sparseviz(\.\w+)+", code)) and not code.endswith(".exe"):
                assert found(name[0]), code

    @every_text
    def test_that_the_code_of_examples_is_python_that_imports_what_there_is(self, text):
        for block in (block for block in text.blocks() if block.words[:1] == ("python",)):
            for node in ast.walk(ast.parse(block.code)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sparseviz"):
                    assert all(hasattr(import_module(str(node.module)), name.name) for name in node.names)

    @every_page
    def test_that_no_line_of_code_is_too_wide_for_the_window(self, name):
        lines = [line for block in PAGES[name].blocks() for line in block.code.splitlines()]
        assert [line for line in lines if len(line) > WIDEST] == []


def found(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    module, _, last = name.rpartition(".")
    try:
        import_module(name)
    except ImportError:
        return hasattr(import_module(module), last)
    return True


RUN = [name for name in NAMES if any("run" in block.mark for block in PAGES[name].blocks())]


class TestExamples:
    def test_that_the_pages_on_which_a_person_types_along_are_run(self):
        assert set(RUN) >= {"first-run", "commands", "networks", "settings", "memory", "resume", "export"}

    @pytest.mark.parametrize("name", RUN)
    def test_that_the_examples_of_a_page_end_well(self, name, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        for variable in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SPARSEVIZ_SETTINGS"):
            monkeypatch.setenv(variable, str(tmp_path))
        for block in PAGES[name].blocks():
            if file := block.mark.get("file"):
                Path(file).write_text(block.code, encoding="utf-8")
            elif "run" in block.mark and block.words[0] == "python":
                exec(compile(block.code, name, "exec"), {})
            elif "run" in block.mark:
                run(block.code)
        assert "Traceback" not in capsys.readouterr().err


def run(code: str) -> None:
    """Run the program's command lines, in this process: it has imported torch."""
    for line in code.replace("\\\n", " ").splitlines():
        program, *arguments = line.split()
        assert program == "sparseviz"
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0, line


def test_that_click_itself_refuses_what_is_not_there():
    with pytest.raises(click.UsageError):
        check(["train", "--colour", "blue"])
    with pytest.raises(KeyError):
        check(["trian"])
