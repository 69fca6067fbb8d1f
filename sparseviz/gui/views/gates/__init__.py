"""The gates view: distributions of the decisive quantity, now and over time."""
