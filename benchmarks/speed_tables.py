"""What the documentation shows of speed but over HTTP, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.contenders import CONSTANT
from benchmarks.markdown import spread, table
from benchmarks.serve_tables import SERVERS

Results = Mapping[str, Any]

WAYS = {
    "assay": "50 rules and the model",
    "no_rules": "the model alone",
    "sentiment": "the shipped sentiment task, to 3 words",
    "scikit-learn": "scikit-learn",
}
MODELS = {"tfidf": "TF-IDF, 1 to 2 words", "nb": "NB-weighted, 1 to 3 words"}


def score_single(results: Results) -> str:
    """Return the microseconds of single texts."""
    found, rows = results["score"]["single"], []
    for name, called in (("long", "IMDB"), ("short", "SMS")):
        for way, told in found[name]["ways"].items():
            ratio = found[name]["ratios"].get(way)
            rows.append(
                [
                    f"{called}: {WAYS[way]}",
                    f"{spread(told['median'], '.1f')} us",
                    f"{spread(told['p99'], ',.0f')} us",
                    f"{told['quickest']['median']:.1f} and {told['quickest']['p99']:,.0f} us",
                    spread(ratio, ".1f") if ratio else "",
                ]
            )
    head = ["one text", "median", "p99", "each text's quickest call: median, p99", "scikit-learn takes times"]
    return table(head, rows)


def score_batch(results: Results) -> str:
    """Return texts a second of batches."""
    found = results["score"]["batch"]
    rows = [
        [
            WAYS[way],
            *(spread(told[str(count)]) for count in (1, 2)),
            spread(told["gain"], ".2f"),
        ]
        for way, told in found["ways"].items()
    ]
    head = [
        f"{found['at_once']:,} texts at once (IMDB)",
        "texts a second, one thread",
        "two threads",
        "times",
    ]
    return table(head, rows)


def score_files(results: Results) -> str:
    """Return the seconds and the memory of a file."""
    found = results["score"]["files"]
    names = {"assay": "`assay score`", "pandas": "pandas + scikit-learn"}
    rows = [
        [
            names[way],
            f"{spread(told['seconds'], '.2f')} s",
            f"{spread(told['start'], '.2f')} s",
            f"{spread(told['memory'], ',.0f', 1e6)} MB",
        ]
        for way, told in found["ways"].items()
    ]
    more = found["more"]
    head = [f"{found['rows']:,} reviews, CSV to CSV", "after the start", "start (one row)", "largest memory"]
    return (
        table(head, rows)
        + f"\nWith {more['rows']:,} rows `assay score` takes {more['memory'] / 1e6:,.0f} MB at most.\n"
    )


def train(results: Results) -> str:
    """Return the seconds of one fit."""
    rows = []
    for model, found in results["train"]["models"].items():
        for library, told in found["libraries"].items():
            accuracy = told["accuracy"]
            rows.append(
                [
                    MODELS[model],
                    "Assay" if library == "assay" else library,
                    f"{spread(told['seconds'], '.1f')} s",
                    f"{spread(told['processor'], '.1f')} s",
                    spread(found["ratio"], ".2f") if library == "assay" else "",
                    f"{accuracy['share']:.4f} ({accuracy['low']:.4f} to {accuracy['high']:.4f})",
                    f"{spread(told['memory'], ',.0f', 1e6)} MB",
                ]
            )
    head = [
        "model",
        "fitted by",
        "one fit",
        "of processor",
        "times as fast",
        "accuracy (95 % interval)",
        "largest memory",
    ]
    return table(head, rows)


def memory(results: Results) -> str:
    """Return the memory of the first worker and of each further one."""
    names = {"assay": "Assay", "plain": "FastAPI + scikit-learn"}
    found = results["memory"]
    rows = [
        [
            names[name],
            f"{spread(told['first'], '.0f', 1e6)} MB",
            f"{spread(told['further'], '.0f', 1e6)} MB",
            f"{spread(told['parent'], '.0f', 1e6)} MB",
            ", ".join(f"{told['total'][str(count)]['median'] / 1e6:.0f}" for count in found["workers"])
            + " MB",
        ]
        for name, told in found["servers"].items()
    ]
    workers = ", ".join(map(str, found["workers"]))
    totals = f"all processes with {workers} workers"
    return table(["server", "first worker", "each further", "parent of several", totals], rows)


def start(results: Results) -> str:
    """Return the seconds to the first answer."""
    found, rows = results["start"], []
    for name, told in found["servers"].items():
        ratio, spent = (found[key].get(name) for key in ("ratios", "processor_ratios"))
        rows.append(
            [
                "an empty FastAPI" if name == CONSTANT else SERVERS[name],
                f"{spread(told, '.2f')} s",
                f"{spread(found['processor'][name], '.2f')} s",
                spread(ratio, ".2f") if ratio else "",
                spread(spent, ".2f") if spent else "",
            ]
        )
    head = [
        "server",
        "exec to first answer",
        "of processor",
        "Assay's is times this",
        "Assay's processor is times",
    ]
    return table(head, rows)


def profile(results: Results) -> str:
    """Return where a request's time goes."""
    sets = results["profile"]["sets"]
    found = {part for each in sets.values() for part in each["parts"]}
    # Two parts may take equally long: their names decide then, and not the order of a set.
    parts = sorted(found, key=lambda part: (-longest(sets, part), part))
    rows = [[part, *(f"{each['parts'].get(part, 0.0):.1f}" for each in sets.values())] for part in parts]
    for key, name in (("main_thread", "all of it"), ("other_threads", "threads beside it")):
        rows.append([name, *(f"{each[key]:.1f}" for each in sets.values())])
    return table(["us of processor a request", "IMDB", "SMS"], rows)


def longest(sets: Mapping[str, Any], part: str) -> float:
    """Return the most that a part takes with the texts of any set."""
    return max(float(each["parts"].get(part, 0.0)) for each in sets.values())


def profile_costs(results: Results) -> str:
    """Return what a request takes of the processor with one thing after another turned off."""
    rows = [
        ["everything on" if name == "assay" else name, spread(told)]
        for name, told in results["profile"]["costs"].items()
    ]
    return table(["IMDB, 16 connections", "us of processor a request, all threads"], rows)


SPEED: Mapping[str, Callable[[Results], str]] = {
    "score_single": score_single,
    "score_batch": score_batch,
    "score_files": score_files,
    "train": train,
    "memory": memory,
    "start": start,
    "profile": profile,
    "profile_costs": profile_costs,
}
"""Each table by its name on the page."""
