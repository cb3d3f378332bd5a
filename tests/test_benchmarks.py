"""The programs that measure: their arithmetic, and that the documentation quotes their results."""

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp
from sklearn.metrics import f1_score

from assay.datasets import Rows
from benchmarks import abuse, asking, cascade, comparison, disguises, figures, rules, streams, tables
from benchmarks.intervals import mean_over_seeds, share
from benchmarks.sets import task_named
from tests.contracts.sources import ROOT
from tests.telemetry.drift.profiles import profile, spammy
from tests.telemetry.drift.profiles import usual as usual_records

SPEED = ["memory", "profile", "score", "serve", "start", "train"]
PROGRAMS = ["abuse", "cascade", "decision_log", "drift", "rules", "sentiment", "swaps", *SPEED]
"""Those that need shared data."""


def test_a_share_holds_its_counts() -> None:
    assert share(1, 4) | {"low": 0, "high": 0} == {"hits": 1, "of": 4, "share": 0.25, "low": 0, "high": 0}


def test_the_interval_of_a_mean_is_that_of_a_t_test() -> None:
    values = [0.74, 0.75, 0.73, 0.745, 0.76]
    found, expected = mean_over_seeds(values), ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert (found["values"], found["mean"]) == (values, pytest.approx(0.745))


def flags(text: str) -> comparison.Flags:
    """Return ``x`` as true, anything else as false."""
    return np.array([character == "x" for character in text])


def test_f1_is_that_of_the_rows_together() -> None:
    truth, given = flags("xxxx....x"), flags("xx..x...x")
    found = comparison.f1_with_interval(truth, given, list("abcdefghi"))
    assert found["value"] == pytest.approx(f1_score(truth, given))
    assert 0 <= found["low"] < found["value"] < found["high"] <= 1


def test_the_rows_of_a_text_are_drawn_together() -> None:
    truth, given = flags("xx.." * 10), flags("x..x" * 10)
    alone = comparison.f1_with_interval(truth, given, [str(row) for row in range(40)])
    together = comparison.f1_with_interval(truth, given, [str(row // 4) for row in range(40)])
    assert together["low"] == together["value"] == together["high"] == alone["value"]
    assert alone["low"] < alone["value"]


def test_a_way_does_not_differ_from_itself() -> None:
    truth, given = flags("xx..x"), flags("x..xx")
    found = comparison.difference(truth, given, given, list("abcde"))
    assert found["f1"] == found["errors"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["mcnemar"] == {"only_first_right": 0, "only_second_right": 0, "p": 1.0}


def test_the_better_way_has_fewer_errors_and_more_f1() -> None:
    truth = flags("x" * 10 + "." * 10)
    second = flags("x" * 4 + "." * 15 + "x")
    found = comparison.difference(truth, truth, second, [str(row) for row in range(20)])
    assert found["errors"]["value"] == -7
    assert found["errors"]["low"] < -7 < found["errors"]["high"] < 0 < found["f1"]["low"]
    assert found["f1"]["value"] == pytest.approx(1 - f1_score(truth, second))


def test_a_text_counts_once_in_the_test_of_pairs() -> None:
    found = comparison.mcnemar(np.array([-3.0, -1.0, -1.0, 2.0, 0.0]))
    assert (found["only_first_right"], found["only_second_right"]) == (3, 1)
    assert found["p"] == pytest.approx(binomtest(3, 4).pvalue)


def test_no_rows_of_a_label_make_an_f1_of_nought() -> None:
    assert comparison.f1(np.zeros(3)) == 0


def test_messages_are_read_by_the_author_of_rules_or_measured_on() -> None:
    texts = [f"an invented message, number {number}" for number in range(2000)]
    kept = cascade.unread(Rows(texts, ["ham"] * 2000)).texts
    read = {text for text in texts if cascade.written_from(text)}
    assert not read & set(kept)
    assert 900 < len(kept) < 1100
    assert 720 < len(read) < 880


def test_test_rows_of_the_spam_task_were_not_read() -> None:
    texts = [f"an invented message, number {number}" for number in range(2000)]
    own = [text for text in texts if cascade.side_of(text, "spam", 0.2, 0.1) == "test"]
    assert own
    assert not any(map(cascade.written_from, own))


def test_rows_of_all_salts_are_counted_together() -> None:
    ways = ("rules", *cascade.WAYS)
    one = cascade.Split(["a", "b"], flags("x."), dict.fromkeys(ways, flags("xx")), {})
    two = cascade.Split(["a", "c"], flags("xx"), dict.fromkeys(ways, flags(".x")), {})
    texts, truth, given = cascade.pooled([one, two])
    worth = cascade.worth(truth, given["cascade"], texts)
    assert (worth["spam_caught"]["hits"], worth["spam_caught"]["of"]) == (2, 3)
    assert (worth["ham_blocked"]["hits"], worth["ham_blocked"]["of"]) == (1, 1)


def test_macro_f1_is_the_plain_mean_of_the_labels() -> None:
    task = task_named("abuse")
    rows = Rows(
        list("abcdef"), ["neither", "neither", "hate_speech", "hate_speech", *["offensive_language"] * 2]
    )
    given = [
        "neither",
        "hate_speech",
        "hate_speech",
        "offensive_language",
        "hate_speech",
        "offensive_language",
    ]
    found = abuse.cells(task, rows, given)
    assert abuse.macro_f1(found) == pytest.approx(f1_score(rows.labels, given, average="macro"))
    hate = abuse.of_label(abuse.sum_of([found, found]), task.labels.index("hate_speech"))
    assert (hate["precision"]["hits"], hate["precision"]["of"], hate["recall"]["of"]) == (2, 6, 4)


def test_fifty_rules_are_timed_on_each_view() -> None:
    raw, folded = rules.fifty("raw"), rules.fifty("folded")
    assert len(raw.active) == len(folded.active) == 50
    assert {rule.view for rule in raw.active} == {"raw"}
    assert {rule.view for rule in folded.active} == {"raw", "folded"}


def test_both_engines_find_the_same() -> None:
    values = [
        rules.made("edges", r"\<fr[ée]e\>", "free"),
        rules.made("words", r"(?i)\bcash\b", "cash", "folded"),
    ]
    parsed = rules.parsed(values)
    for text in ("free", "freed", "a frée CASH", "c a s h", "cashier", "free cash", "unfree"):
        assert parsed.hits([text])[0].tolist() == rules.searcher(parsed)(text), text


def test_a_figure_is_spread_over_texts() -> None:
    found = rules.spread([str(number) for number in range(30)], lambda text: sum(range(200)))
    assert 0 < found["p5"] <= found["p25"] <= found["median"] <= found["p75"] <= found["p95"]


def test_patterns_that_are_timed_find_their_examples() -> None:
    for each in tomllib.loads(rules.PATTERNS.read_text(encoding="utf-8"))["pattern"]:
        assert re.search(each["finds"], each["example"]), each


def test_the_machine_is_told_once_unless_programs_ran_on_several() -> None:
    here, there = {"cores": 2, "python": "3.11.7"}, {"cores": 8, "python": "3.12.1"}
    assert (
        tables.machine({"a": {"machine": here}, "b": {"machine": here}})
        == "Measured on 2 cores with python 3.11.7.\n"
    )
    apart = tables.machine({"a": {"machine": here}, "b": {"machine": there}}).splitlines()
    assert apart == [
        "- a: measured on 2 cores with python 3.11.7.",
        "- b: measured on 8 cores with python 3.12.1.",
    ]


def test_an_engine_that_was_stopped_is_told_as_such() -> None:
    found = {"rules": {"median": 500.0, "worst": 700.0}, "characters": [100_000, 28]}
    for took, said in (
        (5.84, "`re` takes 5.8 s on 28"),
        (None, "takes more than 120 s, when it was stopped on 28"),
    ):
        result = {"rules": {"backtracking": {**found, "re": {"seconds": took, "limit": 120}}}}
        assert said in tables.backtracking(result)


def test_the_page_says_what_the_results_say() -> None:
    pages = [page.read_text(encoding="utf-8") for page in figures.PAGES]
    assert [figures.filled(page, figures.read_results()) for page in pages] == pages
    shown = [name for page in pages for _, name, _ in figures.MARKED.findall(page)]
    assert sorted(shown) == sorted(tables.TABLES)


def test_a_figure_changed_by_hand_is_put_right() -> None:
    results = figures.read_results()
    page = figures.PAGES[0].read_text(encoding="utf-8")
    value = f"{results['sentiment']['imdb'][0]['accuracy']['value']:.4f}"
    assert figures.filled(page.replace(value, "0.9999"), results) == page


def test_every_program_has_its_results() -> None:
    assert sorted(figures.read_results()) == sorted(
        [*PROGRAMS, "encoder", "finetune", "gate", "overload", "serve_encoder", "soak"]
    )


def test_the_models_reach_what_the_documentation_promises() -> None:
    measured = figures.read_results()["sentiment"]["imdb"]
    accuracies = {result["estimator"]["weighting"]: result["accuracy"]["value"] for result in measured}
    assert accuracies["idf"] >= 0.906
    assert accuracies["nb"] >= 0.918


def test_a_fine_tuned_encoder_reaches_what_the_documentation_promises() -> None:
    tuned, frozen = (result["accuracy"] for result in figures.read_results()["finetune"]["imdb"])
    assert tuned["low"] >= 0.9 > frozen["high"]


def test_twice_too_many_requests_are_all_answered_and_those_accepted_soon() -> None:
    measured = figures.read_results()["overload"]
    twice, after = measured["phases"]["twice"], measured["phases"]["half again"]["first_second"]
    assert (set(twice["codes"]), set(after["codes"]), twice["wrong"]) == ({"200", "503"}, {"200"}, 0)
    assert sum(twice["codes"].values()) == twice["sent"]
    assert twice["accepted_ms"]["p99"] < 100
    assert all(probe["answered"] == probe["asked"] for probe in twice["probes"].values())


def test_a_long_run_with_swaps_lost_nothing() -> None:
    measured = figures.read_results()["soak"]
    assert set(measured["codes"]) <= {"200", "503"}
    assert measured["codes"].get("503", 0) < 0.001 * sum(measured["codes"].values())
    assert measured.get("wrong", 0) == 0
    assert measured["swaps"] >= 5.5 * measured["minutes"]


def test_swaps_failed_no_request_and_mixed_no_answer() -> None:
    measured = figures.read_results()["swaps"]["swaps"]
    assert (measured["failed"], measured["mixed"]) == ({}, 0)
    assert measured["swaps"] >= 100


def test_a_version_is_swapped_in_as_fast_as_is_promised() -> None:
    measured = figures.read_results()["swaps"]
    for store in ("sqlite", "server"):
        for move in ("promotion", "rollback"):
            assert measured[store][f"{move}_told"]["median"] < 1
            assert measured[store][f"{move}_polled"]["max"] < 5


def test_an_answer_of_two_versions_or_with_another_ones_score_is_seen() -> None:
    scores = {"1": [0.1, 0.2], "2": [0.3, 0.4]}
    answers = {
        "one": [("1", 0.1), ("1", 0.2)],
        "two": [("1", 0.1), ("2", 0.4)],
        "another's score": [("2", 0.1), ("2", 0.4)],
    }
    seen = asking.Seen()
    for answer in answers.values():
        decisions = [{"version": version, "score": score} for version, score in answer]
        asking._note(seen, 200, decisions, range(2), scores, 2)
    asking._note(seen, 503, {}, range(2), scores, 2)
    assert (seen.mixed, seen.failures, seen.versions.total()) == (2, {"503": 1}, 3)


def test_the_cascade_is_no_worse_than_the_model_alone() -> None:
    measured = figures.read_results()["cascade"]
    assert measured["rules"]["spam_decided"]["share"] >= 0.5
    assert measured["rules"]["precision"]["share"] >= 0.99
    assert all(found["f1"]["value"] >= 0 for found in measured["cascade_less_model"].values())


def test_posts_are_told_apart_as_well_as_promised() -> None:
    assert figures.read_results()["abuse"]["three"]["served"]["macro_f1"]["mean"] >= 0.74


def test_fifty_rules_are_as_fast_as_promised() -> None:
    measured = figures.read_results()["rules"]
    assert measured["raw"]["rules"]["median"] <= 10
    assert measured["folded"]["rules"]["median"] <= 300
    assert measured["backtracking"]["rules"]["median"] < 1000
    assert measured["raw"]["fallbacks"] == measured["folded"]["fallbacks"] == 0


def test_the_bound_of_a_rate_is_that_of_a_poisson_count() -> None:
    none, two = (streams.rate(Counter(label=count), 2_000_000, 4) for count in (0, 2))
    assert (none["a_million"], none["upper"]) == (0, pytest.approx(-np.log(0.05) / 2))
    # Two alarms or fewer come in one case of twenty where 2 x 3.148 are expected.
    assert (two["alarms"], two["upper"]) == (2, pytest.approx(3.148, abs=1e-3))


def test_a_disguise_changes_letters_and_not_what_is_read() -> None:
    drawn = {disguises.disguised("call prize now", np.random.default_rng(seed)) for seed in range(20)}
    assert drawn == {
        "c a l l p r i z e now",
        "c4ll pr1z3 n0w",
        "\u0441\u0430ll \u0440r\u0456z\u0435 n\u043ew",
    }


def test_delays_are_counted_from_the_change() -> None:
    usual, other = (
        streams.Population(profile(scale=20), seen) for seen in (usual_records(5_000), spammy(50))
    )
    rng = np.random.default_rng(0)
    found = streams.delays(streams.Change("spam", 1.0, usual, [(1.0, other)]), 3, rng)
    assert (found["within"]["hits"], found["median"], found["p95"]) == (3, 100, 100)
    assert found["first"]["above"] == 3
    none = streams.delays(streams.Change("none", 1.0, usual, [(0.5, usual), (0.5, usual)]), 2, rng)
    assert (none["found"]["hits"], none["median"], none["false_before"]) == (0, None, 0)
    assert streams.alarms_without_change([usual, other], 2_000, rng)["label"] == 1


def test_false_alarms_are_as_rare_and_changes_found_as_soon_as_promised() -> None:
    measured = figures.read_results()["drift"]
    for without in measured["no_change"]:
        assert without["decisions"] >= 2_500_000
        assert without["upper"] <= 3
    [tenth] = [
        each for each in measured["changes"] if each["what"].startswith("SMS") and each["share"] == 0.1
    ]
    assert tenth["within"]["hits"] == tenth["within"]["of"] == tenth["runs"] >= 200


def test_counting_for_drift_takes_microseconds() -> None:
    measured = figures.read_results()["drift"]["cost"]
    assert measured["observe"]["100"]["median"] <= 10
    assert measured["look"]["median"] <= 20


@pytest.mark.parametrize("program", [*PROGRAMS, "finetune", "serve_encoder"])
def test_without_shared_data_nothing_is_measured(program: str, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [
        sys.executable,
        "-m",
        f"benchmarks.{program}",
        "--data",
        str(tmp_path),
        "--results",
        str(results),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"Nothing was measured: shared data is absent (there is no {tmp_path})." in done.stderr
    assert not results.exists()
