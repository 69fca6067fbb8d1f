"""`python -m sparseviz` is `sparseviz`."""

from sparseviz.cli.main import main

main()
