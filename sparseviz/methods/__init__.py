"""One way to become sparse a file. A new one is a subclass of `base.Method` and a line here."""

from sparseviz.methods.base import Method
from sparseviz.methods.dense import Dense
from sparseviz.methods.gated import Gated
from sparseviz.methods.magnitude import Magnitude

METHODS: dict[str, type[Method]] = {"gated": Gated, "magnitude": Magnitude, "dense": Dense}

__all__ = ["METHODS", "Method"]
