"""Where what is shown comes from: a live run, a file, a model."""
