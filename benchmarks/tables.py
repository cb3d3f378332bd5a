"""What the documentation shows of the results, as Markdown; ``TABLES`` has each by its name on the page."""

from collections.abc import Mapping
from typing import Any

from benchmarks.drift_tables import DRIFT
from benchmarks.encoder_tables import ENCODER
from benchmarks.finetune_tables import FINETUNE
from benchmarks.gate_tables import GATE
from benchmarks.log_tables import LOG
from benchmarks.markdown import cell, micro, table, value
from benchmarks.serve_encoder_tables import SERVE_ENCODER
from benchmarks.serve_tables import SERVE
from benchmarks.service_tables import SERVICE
from benchmarks.speed_tables import SPEED
from benchmarks.swap_tables import SWAPS

Results = Mapping[str, Any]

WAYS = {
    "rules": "rules alone: what none decides is ham",
    "model": "model alone",
    "cascade": "cascade",
    "model_without_false_alarm": "model alone, no false alarm on training rows",
    "cascade_without_false_alarm": "cascade, no false alarm on training rows",
}
"""The ways of telling spam, in the order of the table."""


def imdb(results: Results) -> str:
    """Return the accuracies on IMDB."""
    rows = []
    for result in results["sentiment"]["imdb"]:
        estimator, accuracy = result["estimator"], result["accuracy"]
        rows.append(
            [
                estimator["weighting"],
                " to ".join(map(str, estimator["word_ngrams"])),
                estimator["tokens"],
                f"{accuracy['value']:.4f} ({accuracy['low']:.4f} to {accuracy['high']:.4f})",
                f"{result['train_rows']:,}",
                f"{result['train_seconds']:.0f} s",
            ]
        )
    head = ["weighting", "n-grams", "tokens", "accuracy (95 % interval)", "rows trained on", "training"]
    return table(head, rows)


def sms(results: Results) -> str:
    """Return spam caught, ham blocked and F1 of each way."""
    found = results["cascade"]["ways"]
    rows = [
        [name, cell(found[way]["spam_caught"]), cell(found[way]["ham_blocked"]), value(found[way]["f1"])]
        for way, name in WAYS.items()
    ]
    rows.append(["published (Almeida et al., 2011)", "83.1 %", "0.18 %", ""])
    return table(["way", "spam caught", "ham blocked", "F1"], rows)


def sms_rules(results: Results) -> str:
    """Return what share of spam the rules decide, and how often they are right."""
    found = results["cascade"]
    read, rows = found["written_from"], found["rows"]
    return (
        f"The rules, written from {read['messages']:,} messages ({read['spam']:,} of them spam), decide "
        f"{cell(found['rules']['spam_decided'])} of the spam that they were not written from, and "
        f"{cell(found['rules']['precision'])} of what they decide is spam. "
        f"There are {rows['tested']:,} test rows of {rows['messages']:,} messages; "
        f"the goal of the task is `{found['goal']}`.\n"
    )


def sms_difference(results: Results) -> str:
    """Return how far the cascade leads the model alone."""
    rows = []
    names = {"goal": "the task's goal", "no_false_alarm": "no false alarm on training rows"}
    for key, name in names.items():
        found = results["cascade"]["cascade_less_model"][key]
        test, errors = found["mcnemar"], found["errors"]
        rows.append(
            [
                name,
                value(found["f1"], "+.4f"),
                value(errors, "+.0f"),
                f"{test['only_first_right']} v {test['only_second_right']}, p = {test['p']:.2g}",
            ]
        )
    return table(["operating point", "F1", "errors", "only one is right: cascade v model (McNemar)"], rows)


def abuse(results: Results) -> str:
    """Return macro F1 and the hate class, at the operating point and at the likeliest label."""
    three = results["abuse"]["three"]
    names = {"served": f"thresholds by `{three['goal']}`", "likeliest": "the likeliest label"}
    rows = []
    for key, name in names.items():
        found = three[key]
        seeds = ", ".join(f"{one:.3f}" for one in found["macro_f1"]["values"])
        macro = {**found["macro_f1"], "value": found["macro_f1"]["mean"]}
        rows.append([name, value(macro), seeds, cell(found["precision"]), cell(found["recall"])])
    return table(["label given", "macro F1", "by seed", "hate: precision", "hate: recall"], rows)


def abuse_binary(results: Results) -> str:
    """Return what the binary view finds."""
    found = results["abuse"]["binary"]
    row = [f"`{found['goal']}`", cell(found["recall"]), cell(found["precision"])]
    return table(["goal", "abusive posts found", "of those found, abusive"], [row])


def rules(results: Results) -> str:
    """Return the microseconds of fifty rules on one text."""
    found = results["rules"]
    names = {"raw": "all on the raw view", "folded": "words on the folded view, with all of the folding"}
    rows = [
        [
            f"{found[key]['number']} rules, {name}",
            micro(found[key]["rules"]),
            micro(found[key]["re"]),
            f"{found[key]['ratio']:.0f}",
        ]
        for key, name in names.items()
    ]
    rows.append(["folding alone", micro(found["folding"]), "", ""])
    return table(["", "Assay", "Python's `re`", "ratio"], rows)


def backtracking(results: Results) -> str:
    """Return what a pattern costs that makes other engines backtrack."""
    found = results["rules"]["backtracking"]
    took, limit = found["re"]["seconds"], found["re"]["limit"]
    long, short = found["characters"]
    theirs = f"{took:.1f} s" if took is not None else f"more than {limit} s, when it was stopped"
    return (
        f"The rule `^(a+)+$` takes {found['rules']['median']:.0f} us on {long:,} characters that it does not "
        f"match ({found['rules']['worst']:.0f} us at worst); `re` takes {theirs} on {short}.\n"
    )


def machine(results: Results) -> str:
    """Return what the figures were measured with: one line for all, or one each where they differ."""
    lines: dict[str, list[str]] = {}
    for name, result in sorted(results.items()):
        machine = dict(result["machine"])
        cores = machine.pop("cores")
        line = f"{cores} cores with " + ", ".join(f"{library} {is_}" for library, is_ in machine.items())
        lines.setdefault(line, []).append(name)
    if len(lines) == 1:
        return f"Measured on {next(iter(lines))}.\n"
    return "\n".join(f"- {', '.join(names)}: measured on {line}." for line, names in lines.items()) + "\n"


TABLES = {
    "imdb": imdb,
    "sms": sms,
    "sms_rules": sms_rules,
    "sms_difference": sms_difference,
    "abuse": abuse,
    "abuse_binary": abuse_binary,
    "rules": rules,
    "backtracking": backtracking,
    **DRIFT,
    **ENCODER,
    **FINETUNE,
    **GATE,
    **LOG,
    **SERVE,
    **SERVE_ENCODER,
    **SERVICE,
    **SPEED,
    **SWAPS,
    "machine": machine,
}
