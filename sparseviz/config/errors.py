"""Errors that a person can mend, told in words that name the file, field or layer."""


class InputError(Exception):
    """Something given to the program cannot be used; the message names it and says what to do."""

    status = 1  # with which the command line ends: a failed job


class ConfigError(InputError):
    """A setting, a preset or a configuration file is wrong."""

    status = 2  # wrong use
