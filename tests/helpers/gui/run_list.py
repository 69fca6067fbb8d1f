"""The run list's cells, and the notes that it keeps."""

import json

from sparseviz.gui.panels.run_list.model import NAME

WAIT_MS = 20_000


def column(panel, number):
    return [panel.sorted.index(row, number).data() for row in range(panel.sorted.rowCount())]


def edit(panel, name, number, text):
    panel.sorted.setData(panel.sorted.index(column(panel, NAME).index(name), number), text)


def kept(folder):
    """Notes and tags as they stand in their file."""
    entries = json.loads((folder / "notes.json").read_text(encoding="utf-8"))
    return {name: (entry["note"], entry["tags"]) for name, entry in entries.items()}
