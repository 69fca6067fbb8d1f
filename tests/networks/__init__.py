"""Networks; and `small` by the name that the run files of older formats have for it."""

from tests.helpers.networks import small

__all__ = ["small"]
