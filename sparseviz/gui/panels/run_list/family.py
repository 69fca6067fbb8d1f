"""Ancestry of runs: which of a list was branched from which."""

from collections.abc import Sequence

from sparseviz.store.header import RunHeader


def parents_of(runs: Sequence[RunHeader]) -> list[int]:
    """For every run the place of its parent in the list; -1 where it has none there, or only itself."""
    by_id: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        if run.id:
            by_id.setdefault(run.id, []).append(place)
    above = [_parent_of(run, runs, by_id) for run in runs]
    for place in range(len(above)):
        if _leads_back(above, place):
            above[place] = -1
    return above


def _parent_of(run: RunHeader, runs: Sequence[RunHeader], by_id: dict[str, list[int]]) -> int:
    """Of several files of the parent, as a resume makes them, the one that bears its name, or else the first."""
    parent = run.parent
    if parent is None or parent.id == run.id:
        return -1
    files = by_id.get(parent.id, [])
    return next((place for place in files if runs[place].path.stem == parent.name), files[0] if files else -1)


def _leads_back(above: Sequence[int], place: int) -> bool:
    """Whether a run is its own forebear, as only damaged files say."""
    at = above[place]
    for _ in above:
        if at in (-1, place):
            break
        at = above[at]
    return at == place
