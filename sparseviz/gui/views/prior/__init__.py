"""The prior view: what the penalties say of a gate before any data."""
