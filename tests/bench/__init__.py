"""How fast, measured side by side with what a person would pick instead: `python -m tests.bench`."""
