"""What can be typed to back up and to restore."""

import argparse
from pathlib import Path

from assay.parsing import Commands, Parser, add_command

PLACE = "a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"
PARTS = ("registry", "artifacts", "people", "log", "settings")


def _add_backup(commands: Commands) -> None:
    backup = add_command(
        commands, "backup", "Back up registry, artifacts, people's database, logs, settings."
    )
    backup.add_argument("--to", required=True, metavar="PLACE", help=PLACE)
    backup.add_argument("--keep", type=_count, metavar="COUNT", help="delete all but so many of the newest")
    backup.add_argument("--verify", action="store_true", help="read it to its end again, as a restore would")
    backup.add_argument(
        "--without", action="append", choices=PARTS, default=[], help="leave a part out; may be repeated"
    )
    backup.add_argument(
        "--with-key", action="store_true", help="keep decision.key, the key of the decision log's hashes, too"
    )
    _add_artifacts(backup)


def _add_restore(commands: Commands) -> None:
    restore = add_command(commands, "restore", "Bring a backup to this machine, and prove it.")
    restore.add_argument("origin", metavar="PLACE", help=PLACE)
    restore.add_argument("--backup", default="", metavar="NAME", help="how its name begins; else the newest")
    restore.add_argument("--home", type=Path, metavar="FOLDER", help="else ASSAY_HOME")
    restore.add_argument(
        "--replace", action="store_true", help="move aside what is there already; nothing is deleted"
    )
    restore.add_argument("--check", action="store_true", help="read it to its end, and bring nothing back")
    _add_artifacts(restore)


def _add_artifacts(command: Parser) -> None:
    command.add_argument(
        "--artifacts", type=Path, metavar="FOLDER", help="the --artifacts-destination of an MLflow server"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of backups; keep 1 at least")
    return int(text)


ADD = {"backup": _add_backup, "restore": _add_restore}
