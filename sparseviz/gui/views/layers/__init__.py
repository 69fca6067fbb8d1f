"""The layers view: a table."""
