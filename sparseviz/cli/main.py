"""The command line: its commands, and what it does with their errors.

Wrong use ends with status 2, a failed job with 1, and a traceback is shown only with --debug. Only
`gui` imports Qt.
"""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from sparseviz.cli.commands.branch import branch
from sparseviz.cli.commands.convert import convert
from sparseviz.cli.commands.export import export
from sparseviz.cli.commands.info import info
from sparseviz.cli.commands.manual import manual
from sparseviz.cli.commands.resume import resume
from sparseviz.cli.commands.study import study
from sparseviz.cli.commands.train import train
from sparseviz.cli.options import debug
from sparseviz.config import InputError, own_code
from sparseviz.config.version import __version__
from sparseviz.training import launch

COMMANDS = (train, resume, branch, study, export, info, convert, manual)


class _Launcher(click.Group):
    """Without a command's name the window opens, on the files that are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `gui` in front of whatever is not a command or an option."""
        if not args or (args[0] not in self.commands and not args[0].startswith("-")):
            args = ["gui", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Launcher, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sparseviz")
@debug
@click.pass_context
def _cli(context: click.Context) -> None:
    """Watch a neural network decide which of its weights it needs; ship what is left.

    `sparseviz [FILE ...]` opens the window, with these runs or model files.
    """
    command, together = str(context.invoked_subcommand), ("train", "resume", "branch")
    if launch.processes() > 1 and command not in together:
        raise click.UsageError(f"'{command}' is for one process; torchrun is for {', '.join(together)}")


@_cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@debug
def gui(files: tuple[Path, ...]) -> None:
    """Open the window, with these runs or model files (ONNX, safetensors, PyTorch state_dict)."""
    for path in files:
        if not path.is_file():
            known = ", ".join(_cli.commands)
            raise click.UsageError(f"'{path}' is no file and no command; commands: {known}")
    from sparseviz.gui.app import start  # noqa: PLC0415  # the other commands do not import Qt

    sys.exit(start(files))


for _command in COMMANDS:
    _cli.add_command(_command)


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: errors are turned into words here, once."""
    args = sys.argv[1:] if args is None else args
    if "--debug" in args:
        logging.basicConfig(level=logging.INFO)
        sys.exit(_cli.main(args, prog_name="sparseviz", standalone_mode=False))
    sys.exit(_guarded(lambda: _cli.main(args, prog_name="sparseviz", standalone_mode=False)))


def _guarded(job: Callable[[], Any]) -> int:
    try:
        return job() or 0
    except click.ClickException as error:
        if launch.is_first_to_tell():
            error.show()
        return error.exit_code
    except InputError as error:
        return _complain(error, error.status)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", 130)
    except Exception as error:  # noqa: BLE001  # the last place where it can be put in words
        return _complain(f"unexpected {type(error).__name__}: {error}; --debug shows where{own_code.where(error)}", 1)


def _complain(error: object, status: int) -> int:
    if launch.is_first_to_tell():
        click.echo(f"sparseviz: {error}", err=True)
    return status
