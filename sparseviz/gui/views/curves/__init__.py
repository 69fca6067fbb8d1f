"""The curves view: scalars over time."""
