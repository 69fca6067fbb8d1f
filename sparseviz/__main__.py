"""`python -m sparseviz` is `sparseviz`."""

from sparseviz.cli import main

main()
