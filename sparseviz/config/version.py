"""The program's version, for its files, its messages and its wheel."""

__version__ = "0.1.0"
