"""The commands. Each exits 0 when it did what was asked, 2 when the gate blocked, 1 on an error."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from assay import __version__
from assay.exceptions import AssayError

if TYPE_CHECKING:
    from assay.config import Settings, Task

OK, ERROR, BLOCKED = 0, 1, 2

TASK = "a task's name, or the path of its file"
VERSION = "a number, an alias (production, staging, previous) or latest"


class Parser(argparse.ArgumentParser):
    """A parser whose errors exit with 1: 2 means that the gate blocked."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the fault, then exit."""
        self.print_usage(sys.stderr)
        self.exit(ERROR, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except AssayError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return ERROR
    except BrokenPipeError:
        # The reader of our output has gone (assay score ... | head): nothing is left to tell it.
        # Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"error: {where}{error.strerror or error}\n")
        return ERROR
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return ERROR


def build_parser() -> Parser:
    """Return the parser of every command."""
    parser = Parser(prog="assay", description="Train, gate, register, serve and watch text classifiers.")
    parser.add_argument("--version", action="version", version=f"assay {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_data, _add_train, _add_evaluate, _add_gate, _add_promote, _add_versions, _add_score,
                _add_import, _add_serve, _add_quickstart, _add_doctor):  # fmt: skip
        add(commands)
    return parser


def _command(
    commands: "argparse._SubParsersAction[Parser]", name: str, summary: str, run: Callable[..., int]
) -> Parser:
    command = commands.add_parser(name, help=summary, description=summary)
    command.set_defaults(run=run)
    return command


def _add_rows(command: Parser) -> None:
    """Add the options that name a file of labelled rows and its columns."""
    command.add_argument(
        "--data", metavar="FILE", help="a file or folder of labelled rows, or a name of the catalogue"
    )
    _add_columns(command)


def _add_columns(command: Parser) -> None:
    command.add_argument("--text", metavar="COLUMN", help="the column that holds the texts")
    command.add_argument("--label", metavar="COLUMN", help="the column that holds the labels")


def _add_data(commands: "argparse._SubParsersAction[Parser]") -> None:
    data = commands.add_parser("data", help="List, fetch and check labelled data.").add_subparsers(
        metavar="ACTION", required=True
    )
    _command(data, "list", "List the named sets.", _data_list)
    fetch = _command(data, "fetch", "Fetch a named set into the cache.", _data_fetch)
    fetch.add_argument("name", help="a name of the catalogue")
    check = _command(data, "check", "Read labelled rows and say what is wrong with them.", _data_check)
    check.add_argument("source", help="a file, a folder, or a name of the catalogue")
    _add_columns(check)
    check.add_argument("--task", metavar="NAME", help="split the rows as training this task does")


def _add_train(commands: "argparse._SubParsersAction[Parser]") -> None:
    train = _command(commands, "train", "Train, evaluate, gate and register a candidate.", _train)
    train.add_argument("task", help="a name in the folder of tasks, or a path; with --data any name will do")
    _add_rows(train)
    train.add_argument("--positive", metavar="LABEL", help="the label that is looked for (else the rarer)")
    train.add_argument("--min-f1", type=float, metavar="F1", help="the gate's floor (else that of the task)")
    train.add_argument("--promote", action="store_true", help="make it production if the gate passes")


def _add_evaluate(commands: "argparse._SubParsersAction[Parser]") -> None:
    evaluate = _command(commands, "evaluate", "Measure a version on held-out rows.", _evaluate)
    evaluate.add_argument("task", help=TASK)
    evaluate.add_argument("version", nargs="?", default="production", help=VERSION + " (%(default)s)")
    _add_rows(evaluate)
    evaluate.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write report, model card and plots there"
    )


def _add_gate(commands: "argparse._SubParsersAction[Parser]") -> None:
    gate = _command(commands, "gate", "Compare a version with production on the same rows.", _gate)
    gate.add_argument("task", help=TASK)
    gate.add_argument("version", nargs="?", default="latest", help=VERSION + " (%(default)s)")
    _add_rows(gate)


def _add_promote(commands: "argparse._SubParsersAction[Parser]") -> None:
    promote = _command(
        commands, "promote", "Make a version that passed its gate staging or production.", _promote
    )
    promote.add_argument("task", help=TASK)
    promote.add_argument("version", help=VERSION)
    promote.add_argument("--to", choices=("staging", "production"), default="production")
    promote.add_argument("--override", metavar="REASON", help="promote without a passing gate; recorded")


def _add_versions(commands: "argparse._SubParsersAction[Parser]") -> None:
    versions = _command(commands, "versions", "List the versions of a task.", _versions)
    versions.add_argument("task", help=TASK)


def _add_score(commands: "argparse._SubParsersAction[Parser]") -> None:
    score = _command(commands, "score", "Write the rows of a file with their decisions.", _score)
    score.add_argument("task", help="a task with a production version, or an artifact folder")
    score.add_argument(
        "file", nargs="?", default="-", help="CSV, TSV, JSON Lines or Parquet; - is standard input"
    )
    score.add_argument("-o", "--output", type=Path, metavar="FILE", help="else standard output")
    score.add_argument("--text", metavar="COLUMN", help="the column that holds the texts")
    score.add_argument("--format", choices=("csv", "tsv", "jsonl", "parquet"), help="of standard input (csv)")
    score.add_argument("--version", default="production", help=VERSION + " (%(default)s)")


def _add_import(commands: "argparse._SubParsersAction[Parser]") -> None:
    bring = _command(commands, "import", "Register a fitted scikit-learn pipeline as a version.", _import)
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


def _add_serve(commands: "argparse._SubParsersAction[Parser]") -> None:
    serve = _command(commands, "serve", "Serve the production version of every task over HTTP.", _serve)
    serve.add_argument("--host", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (8000); 0 takes a free one")
    serve.add_argument("--models", metavar="FOLDER,...", help="artifact folders instead of the registry")


def _add_quickstart(commands: "argparse._SubParsersAction[Parser]") -> None:
    quick = _command(
        commands, "quickstart", "Train, gate, promote and serve two tasks on real text.", _quickstart
    )
    quick.add_argument("--no-serve", action="store_true", help="end after a self-check over HTTP")


def _add_doctor(commands: "argparse._SubParsersAction[Parser]") -> None:
    _command(commands, "doctor", "Say what is installed, reachable and configured.", _doctor)


def class_names(text: str) -> dict[str, str]:
    """Return the names that ``0=ham,1=spam`` gives to a model's classes."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(own.strip() and name.strip() for own, _, name in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} must name classes one by one, like 0=ham,1=spam")
    return {own.strip(): name.strip() for own, _, name in pairs}


def _settings(**given: object) -> "Settings":
    """Return the settings of the environment, those of the command line over them."""
    from assay.config import read_settings

    options = {f"ASSAY_{key.upper()}": str(value) for key, value in given.items() if value is not None}
    return read_settings(os.environ | options)


def _columns(options: argparse.Namespace) -> dict[str, str]:
    """Return what the options say of the rows: source and columns, those that were given."""
    given = {"source": options.data, "text": options.text, "label": options.label}
    return {key: value for key, value in given.items() if value is not None}


def _task(options: argparse.Namespace, settings: "Settings") -> "Task":
    from assay.taskfiles import task_of

    return task_of(options.task, settings, columns=_columns(options))


def _model(name: str, settings: "Settings") -> str:
    from assay.loading import registered_name

    return registered_name(name, settings)


def _data_list(_: argparse.Namespace) -> int:
    from assay.datasets import CATALOG

    for name, entry in CATALOG.items():
        size = f"{entry.size / 1e6:.1f} MB" if entry.size else "size not known"
        say(f"{name:16} {entry.rows:>6,} rows  {', '.join(entry.labels)}")
        say(f"{'':16} {entry.title}")
        say(f"{'':16} {entry.source} ({size}); licence: {entry.licence}")
        say(f"{'':16} {entry.citation}\n")
    return OK


def _data_fetch(options: argparse.Namespace) -> int:
    from assay.datasets import CATALOG, fetch
    from assay.exceptions import DataError
    from assay.progress import Progress

    if options.name not in CATALOG:
        raise DataError(f"There is no set {options.name!r}; there are {sorted(CATALOG)}.")
    for path in fetch(CATALOG[options.name], _settings().home, Progress()).values():
        say(str(path))
    return OK


def _data_check(options: argparse.Namespace) -> int:
    from assay.progress import Progress
    from assay.taskfiles import rows_to_check

    options.data = options.source
    dataset = rows_to_check(_columns(options), options.task, _settings(), progress=Progress())
    for line in dataset.audit.lines():
        say(line)
    for side, counts in dataset.counts().items():
        labels = ", ".join(f"{label} {count:,}" for label, count in counts.items())
        say(f"{side:10} {sum(counts.values()):>8,} rows  {labels}")
    say(f"fingerprint {dataset.fingerprint}")
    return OK


def _train(options: argparse.Namespace) -> int:
    from assay.pipeline import run_pipeline
    from assay.progress import Progress
    from assay.taskfiles import task_to_train

    settings, progress = _settings(), Progress()
    task = task_to_train(
        options.task,
        settings,
        columns=_columns(options),
        positive=options.positive,
        min_f1=options.min_f1,
        progress=progress,
    )
    outcome = run_pipeline(task, settings, progress=progress, promote=options.promote)
    for line in outcome.lines():
        say(line)
    return OK if outcome.gate.passed else BLOCKED


def _evaluate(options: argparse.Namespace) -> int:
    from assay.evaluation import write_report
    from assay.pipeline import evaluate_version
    from assay.progress import Progress

    settings = _settings()
    report = evaluate_version(_task(options, settings), options.version, settings, progress=Progress())
    for line in report.lines():
        say(line)
    if options.output:
        write_report(report, options.output)
        say(f"Report, model card and plots are in {options.output}.")
    return OK


def _gate(options: argparse.Namespace) -> int:
    from assay.pipeline import gate_version
    from assay.progress import Progress

    settings = _settings()
    version, gate = gate_version(_task(options, settings), options.version, settings, progress=Progress())
    say(f"{version.model} version {version.number}")
    for line in gate.lines():
        say(line)
    return OK if gate.passed else BLOCKED


def _promote(options: argparse.Namespace) -> int:
    from assay.registry import Registry

    settings = _settings()
    registry = Registry(settings.store, settings.home)
    model = _model(options.task, settings)
    version = registry.promote(model, options.version, to=options.to, override=options.override)
    say(f"{version.model} version {version.number} is now {options.to}.")
    return OK


def _versions(options: argparse.Namespace) -> int:
    from assay.registry import Registry

    settings = _settings()
    model = _model(options.task, settings)
    versions = Registry(settings.store, settings.home).versions(model)
    empty = f"{model} has no versions yet. Train one: assay train {options.task}"
    say("   #  stage       gate     digest        registered        aliases" if versions else empty)
    for each in versions:
        aliases = ", ".join(each.aliases) or "-"
        state = f"{each.stage:10}  {each.gate:7}  {each.digest[:12]}  {each.created_at:%Y-%m-%d %H:%M}"
        say(f"{each.number:>4}  {state}  {aliases}")
    return OK


def _score(options: argparse.Namespace) -> int:
    from assay.exceptions import DataError
    from assay.loading import load
    from assay.scoring import check_output, open_input, replacing, score_table

    cascade = load(options.task, version=options.version, settings=_settings())
    with open_input(options.file, options.format) as table:
        if options.output is None and table.format == "parquet":
            raise DataError("Parquet cannot go to a terminal or a pipe; name a file: -o FILE.parquet")
        if options.output is None:
            tally = score_table(cascade, table, options.text, sys.stdout.buffer)
        else:
            check_output(options.output, table)
            with replacing(options.output) as stream:
                tally = score_table(cascade, table, options.text, stream)
    labels = ", ".join(f"{label} {count:,}" for label, count in sorted(tally.labels.items()))
    sys.stderr.write(f"{tally.rows:,} rows: {labels or 'none decided'}; {tally.errors:,} with an error\n")
    return OK


def _import(options: argparse.Namespace) -> int:
    from assay.importing import import_model
    from assay.progress import Progress

    version, lines = import_model(
        options.file,
        options.task,
        _settings(),
        trust=options.trust,
        names=options.labels,
        positive=options.positive,
        columns=_columns(options),
        promote=options.promote,
        progress=Progress(),
    )
    for line in lines:
        say(line)
    return BLOCKED if version.gate == "blocked" else OK


def _serve(options: argparse.Namespace) -> int:
    from assay.serving import serve

    serve(_settings(host=options.host, port=options.port, models=options.models))
    return OK


def _quickstart(options: argparse.Namespace) -> int:
    from assay.quickstart import quickstart

    return quickstart(_settings(), serve=not options.no_serve)


def _doctor(_: argparse.Namespace) -> int:
    from assay.doctor import examine

    return OK if examine(_settings(), say) else ERROR


def say(line: str) -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
