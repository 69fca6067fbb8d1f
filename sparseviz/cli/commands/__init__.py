"""Commands of the command line, one a file; `main.COMMANDS` names them."""
