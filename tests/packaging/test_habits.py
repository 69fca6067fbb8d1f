"""The files by which people and their services work on the project: they agree with it."""

import os
import re
import tomllib

from sparseviz import __version__
from tests.__main__ import STATIC
from tests.helpers.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_that_the_hooks_are_the_checks_that_take_seconds_by_programs_of_the_environment():
    config = text_of(".pre-commit-config.yaml")
    entries = re.findall(r"^ +entry: (.+)$", config, re.MULTILINE)
    assert entries == [" ".join(check) for check in STATIC]
    assert config.count("language: system") == config.count("pass_filenames: false") == len(entries)
    assert re.findall(r"- repo: (.+)", config) == ["local"]


def test_that_every_change_runs_the_command_that_a_person_runs():
    assert re.search(r"run: .+ \.ci/run$", text_of(".github/workflows/ci.yml"), re.MULTILINE)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "-m tests" in text_of(".ci/run").splitlines()[-1]


def test_that_the_citation_names_the_program_and_the_paper_as_the_project_does():
    citation = text_of("CITATION.cff")
    told = dict(re.findall(r"^([\w-]+): (.+)$", citation, re.MULTILINE))
    dated = re.findall(r"^## \[([\d.]+)\] - (\S+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert (told["version"], told["date-released"]) == dated[0]
    assert (told["title"], told["license"]) == (PROJECT["project"]["name"], PROJECT["project"]["license"])
    assert "title: Training Sparse Neural Networks" in citation
    assert citation.count("family-names") == 3
    assert "1611.06694" in citation
    assert dated[0][0] <= __version__


def test_that_a_source_distribution_has_all_texts():
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    texts = {path.name for path in ROOT.glob("*.md")} | {"LICENSE", "CITATION.cff"}
    assert texts <= set(included)
