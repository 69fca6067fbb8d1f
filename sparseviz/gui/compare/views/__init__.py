"""Views of several runs at once: each takes the runs as `Subject`s, and knows nothing of files or of the others."""
