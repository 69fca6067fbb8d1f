"""`python -m tests.shape [FOLDER]`: the figures of the house, of this checkout or of another one.

A room is what lies at the package's root, a folder or a loose module.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import grimp

RUN = 6  # lines that are the same make a duplicated block
_LISTS = ("containers", "layers", "ancestors", "modules", "source_modules", "forbidden_modules", "ignore_imports")
_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = ast.Module | ast.ClassDef | _Definition


def figures(root: Path) -> dict[str, str]:
    """All of them in words, by name; `root` holds pyproject.toml, which names the package, and tests/."""
    linter = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    package = root / linter["root_package"]
    texts, tests = _texts(package), _texts(root / "tests")
    trees = {path: ast.parse(text) for path, text in texts.items()}
    files = Counter(path.parent for path in texts if path.name != "__init__.py")
    [(fullest, most)] = files.most_common(1)
    lines = [sum(text.count("\n") for text in found.values()) for found in (texts, tests)]
    pairs, lengths = _imports(package), _lengths(trees)
    told = [ast.get_docstring(node) is not None for tree in trees.values() for node in _public(tree)]
    p50, p90 = (round(quantiles(lengths.values(), n=10, method="inclusive")[at]) for at in (4, 8))
    longest = max(lengths, key=lambda name: lengths[name])
    contracts = linter["contracts"]
    return {
        "files at the root": f"{files[package]}",
        "files in the fullest folder": f"{most} ({fullest.relative_to(root).as_posix()})",
        "floors": f"{_floors(pairs)}",
        "arrows between rooms": f"{len(pairs)} ({pairs.total()} imports)",
        "lines": f"{lines[0]:,} in {package.name}, {lines[1]:,} in tests",
        "lines a function": f"p50 {p50}, p90 {p90}, max {lengths[longest]} ({longest})",
        "public docstrings": f"{100 * sum(told) / max(len(told), 1):.1f} % of {len(told):,}",
        "duplicated blocks": f"{_repeats(texts)} in {package.name}, {_repeats(tests)} in tests",
        "contracts": f"{len(contracts)}, holding {sum(_names(contract) for contract in contracts)} names",
    }


def _texts(folder: Path) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}


def _imports(package: Path) -> Counter[tuple[str, str]]:
    """How many modules of one room import one of another; imports for type checking alone do not count."""
    sys.path.insert(0, str(package.parent))
    try:
        graph = grimp.build_graph(package.name, exclude_type_checking_imports=True, cache_dir=None)
    finally:
        sys.path.pop(0)
    pairs: Counter[tuple[str, str]] = Counter()
    for module in graph.modules - {package.name}:
        for found in graph.find_modules_directly_imported_by(module) - {package.name}:
            pair = module.split(".")[1], found.split(".")[1]
            pairs[pair] += pair[0] != pair[1]
    return +pairs  # without zeros


def _floors(pairs: Counter[tuple[str, str]]) -> int:
    """The longest chain of rooms; those of a circle stand on one floor."""
    below = {room: {room} | {to for start, to in pairs if start == room} for pair in pairs for room in pair}
    for middle, reached in below.items():
        for found in below.values():
            found.update(reached if middle in found else ())
    floor: dict[str, int] = {}
    for room in sorted(below, key=lambda room: len(below[room])):
        floor[room] = 1 + max((floor[lower] for lower in below[room] if room not in below[lower]), default=0)
    return max(floor.values(), default=1)


def _lengths(trees: dict[Path, ast.Module]) -> dict[str, int]:
    return {
        f"{path.stem}.{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, _Definition)
    }


def _public(node: _Documented) -> Iterator[_Documented]:
    """Modules, classes, functions and methods whose names are for others."""
    yield node
    for child in node.body if isinstance(node, ast.Module | ast.ClassDef) else ():
        if isinstance(child, ast.ClassDef | _Definition) and not child.name.startswith("_"):
            yield from _public(child)


def _repeats(texts: dict[Path, str]) -> int:
    """Runs of at least RUN lines, blank ones aside, that stood before; the longest run counts once."""
    first: dict[tuple[str, ...], tuple[Path, int]] = {}
    found = 0
    for path, text in texts.items():
        lines, was_seen = [re.sub(r"\s+", " ", line.strip()) for line in text.splitlines() if line.strip()], False
        for at in range(len(lines) - RUN + 1):
            where, place = first.setdefault(tuple(lines[at : at + RUN]), (path, at))
            is_seen = where != path or at - place >= RUN
            found += is_seen and not was_seen
            was_seen = is_seen
    return found


def _names(contract: dict[str, Any]) -> int:
    return sum(len(re.split(r"[|:]|->", entry)) for key in _LISTS for entry in contract.get(key, ()))


if __name__ == "__main__":
    for name, value in figures(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()).items():
        print(f"{name:<28} {value}")
