"""The window in which runs are compared."""
