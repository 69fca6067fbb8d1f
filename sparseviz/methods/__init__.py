"""One way to become sparse a file. A new one is a subclass of `base.Method` and a line here."""

from sparseviz.methods.base import Method
from sparseviz.methods.collins_kohli import CollinsKohli
from sparseviz.methods.data_free import DataFree
from sparseviz.methods.dense import Dense
from sparseviz.methods.dns import NetworkSurgery
from sparseviz.methods.gated import Gated
from sparseviz.methods.hard_concrete import HardConcrete
from sparseviz.methods.l1 import Lasso
from sparseviz.methods.magnitude import Magnitude
from sparseviz.methods.obd import OptimalBrainDamage
from sparseviz.methods.obs import OptimalBrainSurgeon

METHODS: dict[str, type[Method]] = {
    "gated": Gated,
    "magnitude": Magnitude,
    "dense": Dense,
    "l1": Lasso,
    "collins-kohli": CollinsKohli,
    "obd": OptimalBrainDamage,
    "obs": OptimalBrainSurgeon,
    "data-free": DataFree,
    "hard-concrete": HardConcrete,
    "dns": NetworkSurgery,
}

__all__ = ["METHODS", "Method"]
