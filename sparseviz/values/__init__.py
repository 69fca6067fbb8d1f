"""Plain, frozen numpy: all that a view knows of a run."""
