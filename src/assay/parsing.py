"""What the parsers of commands have in common."""

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

from assay.terminal import ERROR

TASK = "a task's name, or the path of its file"
VERSION = "a number, an alias (production, staging, previous) or latest"


class Parser(argparse.ArgumentParser):
    """A parser whose errors exit with 1: 2 means that the gate blocked."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the fault, then exit."""
        self.print_usage(sys.stderr)
        self.exit(ERROR, f"{self.prog}: error: {message}\n")


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]
else:
    Commands = argparse._SubParsersAction


def add_command(commands: Commands, name: str, summary: str) -> Parser:
    """Add a command; its full name, like ``data list``, becomes the option ``command``."""
    command = commands.add_parser(name, help=summary, description=summary)
    command.set_defaults(command=command.prog.partition(" ")[2])
    return command


def add_group(commands: Commands, name: str, summary: str) -> Commands:
    """Add a group of commands."""
    group: Parser = commands.add_parser(name, help=summary)
    return group.add_subparsers(metavar="ACTION", required=True)
