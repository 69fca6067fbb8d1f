"""Compaction: units, filters and inputs that change no output go, and nothing else changes."""

from sparseviz.export.graph.compact.removal import Compaction, Removed, compact

__all__ = ["Compaction", "Removed", "compact"]
