"""Real decisions counted against a real profile: what is found, what is said, and what is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.estimators import Cascade, Profile, Reference, load_artifact, read_profile
from assay.telemetry import Gathered, Look, Record, block_edges, look_at, look_lines, traffic_of
from assay.telemetry.drift.comparing import holm
from assay.telemetry.drift.examples import excerpt_of
from assay.telemetry.drift.gathering import OF_A_BIN, SAMPLE
from tests.corpus import ABUSE_GROUPS, SPAM, SPAM_GROUPS, sentences
from tests.live import HOUR, START, odd, records_of, usual, watched

UNTIL = START + 20 * HOUR


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact with a profile of 300 rows."""
    return watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="module")
def cascade(artifact: Path) -> Cascade:
    """Its cascade."""
    return load_artifact(artifact)


@pytest.fixture(scope="module")
def profile(artifact: Path) -> Profile:
    """Its profile."""
    found = read_profile(artifact)
    assert found is not None
    return found


def gathered_of(records: list[Record], profile: Profile) -> Gathered:
    traffic = traffic_of(records, START, UNTIL)
    [(_, chosen)] = traffic.items()
    gathered = Gathered(block_edges(chosen, START, UNTIL), profile.statistics)
    gathered.take(records)
    return gathered


def look_of(records: list[Record], profile: Profile, **facts: object) -> Look:
    given = {
        **{"model": "SpamClassifier", "version": "3", "since": START, "until": UNTIL, "others": {}},
        **{"source": "profile", "swaps": (), "held_out": [], "unread": "nobody has them.", "notes": ()},
        **facts,
    }
    return look_at(gathered_of(records, profile), profile, positive="spam", **given)


def said_of(look: Look) -> str:
    return "\n".join(look_lines(look))


def test_usual_traffic_raises_no_alarm(cascade: Cascade, profile: Profile) -> None:
    look = look_of(records_of(cascade, usual(2_000)), profile)
    assert look.alarms == ()
    assert (look.logged, look.decided, look.rows) == (2_000, 2_000, 300)
    first, second, *rest = look_lines(look)
    assert first.startswith("SpamClassifier version 3: no alarm, ")
    assert first.endswith(" statistics as on the rows held out when it was trained.")
    assert second == "2,000 decisions, from 2025-11-24 16:00 UTC to 2025-11-25 11:59 UTC, against 300 rows."
    assert any(line.startswith("As it was: ") for line in rest)


def test_false_alarms_keep_to_their_level(cascade: Cascade, profile: Profile) -> None:
    """Windows drawn from the profile itself: what differs, differs by chance."""
    rng, alarms = np.random.default_rng(7), 0
    for _ in range(150):
        gathered = Gathered(np.linspace(START, UNTIL, 11), profile.statistics)
        for at, reference in enumerate(profile.statistics):
            shares = np.array(reference.counts) + 0.5
            gathered.counts[at] += rng.multinomial(30, shares / shares.sum(), size=10)
            gathered.weights[at] += gathered.counts[at]
        gathered.records = gathered.total = gathered.squares = 300
        alarms += bool(look_of_counts(gathered, profile))
    assert alarms <= 3


def look_of_counts(gathered: Gathered, profile: Profile) -> tuple[object, ...]:
    from assay.telemetry.drift.comparing import findings_of

    return tuple(each for each in findings_of(gathered, positive="spam") if each.alarm)


def test_another_kind_of_text_is_found_dated_and_shown(cascade: Cascade, profile: Profile) -> None:
    texts = usual(1_400) + [text for pair in zip(usual(300, 8), odd(300), strict=True) for text in pair]
    look = look_of(records_of(cascade, texts), profile, held_out=usual(400, seed=33))
    alarms = {each.name: each for each in look.alarms}
    assert "characters" in alarms
    since = alarms["characters"].since
    assert since is not None
    assert since.kind == "began"
    assert since.low.timestamp() <= START + 14 * HOUR <= since.high.timestamp()
    assert abs(since.at.timestamp() - (START + 14 * HOUR)) < 0.75 * HOUR
    told = alarms["characters"].told
    assert told.low < told.now < told.high
    assert told.then < 0.2 < 0.4 < told.now < 0.65
    [line] = [line for line in look_lines(look) if line.startswith("ALARM Length: ")]
    assert "characters or more; it was " in line
    assert "since 2025-11-25 0" in line
    shown = [line for line in look_lines(look) if line.startswith("  see ")]
    assert any("thermodynamics" in line for line in shown)
    examples = look.examples["characters"]
    assert len(examples) == 3
    assert all(each.at >= since.at and "thermodynamics" in str(each.excerpt) for each in examples)
    assert look.domain.since == alarms[look.alarms[0].name].since.at
    assert "zymurgy" in {each.word for each in look.domain.came}
    assert "Words that came: " in said_of(look)


def test_what_began_late_is_compared_from_there(cascade: Cascade, profile: Profile) -> None:
    """An hour of another kind in a day: over the whole span it would drown."""
    look = look_of(records_of(cascade, usual(2_850) + odd(150)), profile)
    [length] = [each for each in look.alarms if each.name == "characters"]
    assert 100 <= length.decisions <= 250
    assert sum(each.decisions for each in length.points) == 3_000


def test_a_change_of_shares_is_told_by_the_positive_label(cascade: Cascade, profile: Profile) -> None:
    spam = sentences(SPAM, 800, 77, SPAM)
    look = look_of(records_of(cascade, [*usual(400), *spam]), profile)
    [label] = [each for each in look.alarms if each.name == "label"]
    assert label.labels[label.told.first] == "spam"
    [line] = [line for line in look_lines(look) if line.startswith("ALARM Labels: ")]
    assert "are decided as 'spam'; it was " in line
    assert "assay thresholds spam --compare LOW HIGH" in said_of(look)


def test_a_change_that_ended_is_told_so(cascade: Cascade, profile: Profile) -> None:
    look = look_of(records_of(cascade, odd(600) + usual(1_400)), profile)
    [length] = [each for each in look.alarms if each.name == "characters"]
    assert length.since.kind == "ended"
    assert length.decisions == 2_000
    said = said_of(look)
    assert "Until about 2025-11-24 2" in said
    assert "it is over; find out what it was" in said
    assert all("zymurgy" in str(each.excerpt) for each in look.examples["characters"])


def test_all_through_the_span_says_to_look_further_back(cascade: Cascade, profile: Profile) -> None:
    look = look_of(records_of(cascade, odd(1_000)), profile)
    assert {each.since.kind for each in look.alarms if each.name == "characters"} == {"whole"}
    assert "All through, from 2025-11-24 16:00 UTC on: look further back with an earlier --since." in said_of(
        look
    )


def test_a_change_with_a_swap_names_the_version(cascade: Cascade, profile: Profile) -> None:
    records = records_of(cascade, usual(1_000) + odd(600))
    at = START + 20 * HOUR * 1_000 / 1_600
    look = look_of(records, profile, swaps=({"at": at, "after": "3", "before": "2"},))
    said = said_of(look)
    assert "In that range version 3 took over from version 2 at 2025-11-25 04:30 UTC." in said
    assert "if the texts are as ever, it is the version: assay rollback spam. Else " in said
    whole = look_of(
        records_of(cascade, odd(800)), profile, swaps=({"at": START - 60, "after": "3", "before": None},)
    )
    assert "With its first decision: version 3 took over at 2025-11-24 15:59 UTC." in said_of(whole)
    assert "assay rollback spam" in said_of(whole)


def test_logged_shares_weigh_and_tests_count_what_was_logged(cascade: Cascade, profile: Profile) -> None:
    """A tenth was logged while another kind came: a share is of what was decided."""
    half = records_of(cascade, usual(1_000))
    other = [replace(each, share=0.1) for each in records_of(cascade, odd(100), start=START + 10 * HOUR)]
    look = look_of([*half, *other], profile)
    assert (look.logged, look.decided) == (1_100, 2_000)
    assert "2,000 decisions, of which 1,100 were logged" in said_of(look)
    gathered = gathered_of([*half, *other], profile)
    [at] = [at for at, each in enumerate(profile.statistics) if each.name == "characters"]
    assert gathered.counts[at].sum() == 1_100
    assert gathered.weights[at].sum() == pytest.approx(2_000)
    assert gathered.effective() == pytest.approx(2_000**2 / (1_000 + 100 * 100) / 1_100)


def test_without_texts_the_setting_is_named(cascade: Cascade, profile: Profile) -> None:
    records = records_of(cascade, usual(700) + odd(700), keep=False)
    look = look_of(records, profile, held_out=usual(400, seed=33))
    assert look.domain is None
    said = said_of(look)
    assert "The log has no texts of these decisions: ASSAY_DECISION_TEXT is 'hash'" in said
    assert all(each.excerpt is None for each in look.examples["characters"])
    assert look.examples["characters"][0].id in said


def test_the_classifier_says_why_it_cannot_run(cascade: Cascade, profile: Profile) -> None:
    few = look_of(records_of(cascade, usual(150) * 2), profile, held_out=usual(50, seed=33))
    assert "Words that came and went: not looked for, because it takes 100 distinct texts" in said_of(few)
    unread = look_of(records_of(cascade, usual(300)), profile)
    assert "not looked for, because nobody has them." in said_of(unread)


def test_too_few_decisions_or_rows_are_not_compared(
    cascade: Cascade, profile: Profile, tmp_path: Path
) -> None:
    look = look_of(records_of(cascade, odd(60)), profile)
    assert look.alarms == ()
    assert next(look_lines(look)) == (
        "SpamClassifier version 3: NOT COMPARED, there is nothing to compare its decisions with."
    )
    assert "Not compared: length; 60 decisions and 300 rows have it, and it takes 100 and 100." in said_of(
        look
    )


def test_labels_that_the_profile_does_not_know_are_told(cascade: Cascade, profile: Profile) -> None:
    records = records_of(cascade, usual(400))
    records[:30] = [replace(each, label="maybe") for each in records[:30]]
    look = look_of(records, profile)
    [note] = look.notes
    assert note == (
        "30 decisions have labels that the profile does not know ('maybe'): they count under no label."
    )
    [label] = [each for each in look.findings if each.name == "label"]
    assert label.decisions == 370


def test_samples_are_bounded_and_keep_rare_bins(cascade: Cascade, profile: Profile) -> None:
    records = records_of(cascade, usual(300) + odd(3))
    many = [replace(each, id=f"{number:032x}") for number in range(20) for each in records]
    gathered = gathered_of(many, profile)
    assert len(gathered.sample()) == min(SAMPLE, len(many))
    bins = sum(len(each.counts) + 1 for each in profile.statistics)
    assert len(gathered.kept()) <= SAMPLE + OF_A_BIN * bins
    assert any("zymurgy" in str(each.record.text) for each in gathered.kept())


def test_long_texts_are_kept_short(cascade: Cascade, profile: Profile) -> None:
    [record] = records_of(cascade, ["free prize " * 2_000])
    gathered = gathered_of([record], profile)
    assert [len(each.record.text or "") for each in gathered.sample()] == [4_000]


def test_numbers_without_edges_and_rows_without_values_are_borne() -> None:
    one = Reference(name="unknown", kind="numbers", counts=(200,))
    none = Reference(name="score", kind="numbers", edges=(0.5,), counts=(0, 0))
    gathered = Gathered(np.array([START, UNTIL]), (one, none))
    fields = {"task": "spam", "model": "m", "version": "3", "label": "ham", "confidence": 0.9, "unknown": 0.1}
    gathered.take(Record(at=START + n, id=f"{n:032x}", **fields) for n in range(150))
    profile = Profile(task="spam", rows=200, statistics=(one, none))
    facts = {"model": "m", "version": "3", "since": START, "until": UNTIL, "others": {}, "source": "profile"}
    look = look_at(gathered, profile, positive="spam", held_out=[], unread="", notes=(), **facts)
    assert [each.told is None for each in look.findings] == [False, True]
    assert "Not compared: scores; 0 decisions and 0 rows have it" in said_of(look)


@pytest.mark.parametrize("groups", [SPAM_GROUPS, ABUSE_GROUPS], ids=["two labels", "three labels"])
def test_every_statistic_of_a_cascade_has_words(tmp_path: Path, groups: dict[str, list[str]]) -> None:
    artifact = watched(tmp_path, groups=groups)
    profile = read_profile(artifact)
    assert profile is not None
    look = look_of(records_of(load_artifact(artifact), odd(400)), profile)
    for finding in look.findings:
        forced = look.model_copy(update={"findings": (finding.model_copy(update={"alarm": True}),)})
        if finding.told:
            assert " of the " in said_of(forced)
            assert "  do       " in said_of(forced)


def test_corrected_p_values_follow_holm() -> None:
    assert holm([]) == []
    assert holm([0.2, 0.001, 0.6]) == pytest.approx([0.4, 0.003, 0.6])


def test_an_excerpt_cannot_move_a_terminal() -> None:
    assert excerpt_of("red \x1b[31m text\nand\u202e more") == "red [31m text and more"
    assert excerpt_of("a" * 200) == "a" * 79 + "…"
