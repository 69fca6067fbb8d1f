"""That a file computes what the network does, and how fast."""
