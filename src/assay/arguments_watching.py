"""What can be typed to look at live traffic: the decision log, one decision, drift, feedback."""

import argparse
from collections.abc import Callable
from pathlib import Path

from assay.parsing import TASK, Commands, Parser, add_command, add_group

MOMENT = "a span back from now like 24h or 7d, or a moment like 2026-11-17T14:00 (UTC, or with +01:00)"


def _add_span(command: Parser, *, since: str) -> None:
    command.add_argument("--since", default=since, metavar="WHEN", help=f"{MOMENT} (%(default)s)")
    command.add_argument("--until", default="", metavar="WHEN", help="the same; else now")


def _add_filters(command: Parser, *, since: str) -> None:
    command.add_argument("task", nargs="?", help="name of a task; else all of them")
    _add_span(command, since=since)
    for option, metavar, meaning in (
        ("--label", "LABEL", "the label given"),
        ("--version", "NUMBER", "the version that decided"),
        ("--decided-by", "TIER", "rule or model"),
        ("--rule", "ID", "the rule that decided"),
        ("--key", "NAME", "the key that asked"),
        ("--subject", "SUBJECT", "whom the text is from, as the request said it"),
        ("--contains", "WORDS", "words of the text; asks for ASSAY_DECISION_TEXT=redacted or full"),
    ):
        command.add_argument(option, metavar=metavar, help=meaning)
    command.add_argument("--min-score", type=float, metavar="SCORE", help="the lowest score")
    command.add_argument("--max-score", type=float, metavar="SCORE", help="the highest score")
    command.add_argument("--review", action="store_true", help="only what is marked for review")


def _add_log(commands: Commands) -> None:
    log = add_group(commands, "log", "Count, find, export and erase logged decisions.")
    stats = add_command(log, "stats", "Count decisions by version, label, tier and rule.")
    stats.add_argument("task", nargs="?", help="name of a task; else all of them")
    _add_span(stats, since="24h")
    stats.add_argument("--json", action="store_true", help="as JSON")
    query = add_command(log, "query", "Show decisions, the newest first.")
    _add_filters(query, since="24h")
    query.add_argument("--limit", type=int, default=20, metavar="COUNT", help="how many (%(default)s)")
    query.add_argument("--json", action="store_true", help="as JSON Lines")
    export = add_command(log, "export", "Write decisions to a file, the oldest first.")
    _add_filters(export, since="30d")
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="ends in .csv, .jsonl or .parquet"
    )
    erase = add_command(log, "erase", "Remove all decisions about one subject's texts, and their feedback.")
    erase.add_argument("--subject", required=True, help="whom the texts are from, as the requests said it")
    erase.add_argument("--reason", default="", help="why, for the audit log")
    add_command(log, "compact", "Put the closed files of each day that is over together as Parquet.")


def _add_why(commands: Commands) -> None:
    why = add_command(commands, "why", "Tell everything about one decision.")
    why.add_argument("id", help="the decision's id, 32 hexadecimal digits")
    why.add_argument("--json", action="store_true", help="as JSON")


def _add_drift(commands: Commands) -> None:
    drift = add_command(commands, "drift", "Say whether what is decided now is like what was trained on.")
    drift.add_argument("task", help=TASK)
    _add_span(drift, since="24h")
    drift.add_argument("--version", metavar="NUMBER", help="a version; else the one that decided most")
    drift.add_argument("--output", type=Path, metavar="FOLDER", help="write the report and its plots there")
    drift.add_argument("--check", action="store_true", help="exit with 2 when there is an alarm")


def _add_feedback(commands: Commands) -> None:
    feedback = add_group(commands, "feedback", "What people said of decisions.")
    stats = add_command(feedback, "stats", "Estimate precision and recall of live decisions by version.")
    stats.add_argument("task", help=TASK)
    _add_span(stats, since="30d")
    stats.add_argument("--json", action="store_true", help="as JSON")
    export = add_command(feedback, "export", "Write what was labelled as a file of labelled rows.")
    export.add_argument("task", help=TASK)
    _add_span(export, since="90d")
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="ends in .csv or .jsonl"
    )
    _add_guards(export)


def _add_guards(command: Parser) -> None:
    share = _number(0.0, 1.0)
    command.add_argument(
        "--key-share", type=share, default=0.2, metavar="SHARE",
        help="rows of one client's key, at most (%(default)s of those that stay; 20 rows always)",
    )  # fmt: skip
    command.add_argument(
        "--subject-share", type=share, default=0.2, metavar="SHARE",
        help="rows of one subject's texts, at most (%(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--balance", type=_number(1.0, 1e6), default=5.0, metavar="TIMES",
        help="rows of a label, at most so many times those of the rarest (%(default)s)",
    )  # fmt: skip
    command.add_argument("--keep-near", action="store_true", help="keep texts that nearly repeat another")


def _number(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number


def _add_retrain(commands: Commands) -> None:
    retrain = add_command(commands, "retrain", "Train on the task's rows and what feedback labelled.")
    retrain.add_argument("task", help=TASK)
    _add_span(retrain, since="90d")
    _add_guards(retrain)
    retrain.add_argument("--promote", action="store_true", help="make it production if the gate passes")


ADD = {
    "log": _add_log,
    "why": _add_why,
    "drift": _add_drift,
    "feedback": _add_feedback,
    "retrain": _add_retrain,
}
