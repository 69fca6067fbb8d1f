"""The figures of the house, on a house that was counted by hand."""

from tests.shape import figures

PROJECT = """
[tool.importlinter]
root_package = "small_house"
[[tool.importlinter.contracts]]
name = "floors"
type = "layers"
containers = ["small_house"]
layers = ["roof", "left | right", "ground"]
"""
REPEATED = "\n".join(f"{letter} = '{letter}'" for letter in "abcdef") + "\n"
FILES = {
    "pyproject.toml": PROJECT,
    "small_house/__init__.py": "",
    "small_house/ground.py": f'"""Doc."""\n{REPEATED}',
    "small_house/left/__init__.py": "",
    "small_house/left/one.py": f"from small_house import ground\nfrom small_house.right import deep\n\n{REPEATED}",
    "small_house/left/two.py": "from small_house.ground import a\n\n\ndef add():\n    b = 1\n    return a + b\n",
    "small_house/left/three.py": "from small_house.left import two\n",
    "small_house/right/__init__.py": "",
    "small_house/right/deep.py": "import small_house.left.two\n\n\ndef _hidden():\n    return 1\n",
    "small_house/roof.py": 'from small_house.left import one\n\n\nclass Roof:\n    """Doc."""\n\n    def leak(self):\n'
    "        return one\n",
    "tests/test_it.py": "def test_it():\n    pass\n",
}


def test_that_a_small_house_has_the_figures_that_are_counted_by_hand(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert figures(tmp_path) == {
        "files at the root": "2",
        "files in the fullest folder": "3 (small_house/left)",
        "floors": "3",  # left and right are a circle, and one floor
        "arrows between rooms": "4 (5 imports)",
        "lines": "36 in small_house, 2 in tests",
        "lines a function": "p50 2, p90 3, max 3 (two.add:4)",
        "public docstrings": "16.7 % of 12",
        "duplicated blocks": "1 in small_house, 0 in tests",
        "contracts": "1, holding 5 names",
    }
