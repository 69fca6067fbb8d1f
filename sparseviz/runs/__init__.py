"""Runs, whole: recorded, resumed, branched, and studies of many."""
