"""Panels: where a person edits, the settings of a run and the list of runs."""
