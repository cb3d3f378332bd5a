import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.datasets import near_duplicates, near_repeats
from assay.datasets.resemblance import CHUNK, RESEMBLANCE, SHINGLE

WORDS = [f"{start}{end}" for start in ("ba", "ce", "di", "ko", "gu") for end in ("nk", "rt", "lm", "st", "p")]
SENTENCE = "please collect the parcel that waits for you at the counter of the station, number 4711"
PLAIN = st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join)


def resemblance(one: str, other: str) -> float:
    """Return the share of shingles that two texts of plain words have in common, counted one by one."""
    first, second = (
        {text.ljust(SHINGLE)[at : at + SHINGLE] for at in range(max(len(text) - SHINGLE, 0) + 1)}
        for text in (one, other)
    )
    return len(first & second) / len(first | second)


def edited(text: str, words: int, chance: random.Random) -> str:
    """Return a text with some of its words replaced by others."""
    parts = text.split()
    for at in chance.sample(range(len(parts)), min(words, len(parts))):
        parts[at] = chance.choice(WORDS)
    return " ".join(parts)


@given(st.lists(PLAIN, max_size=6), st.lists(PLAIN, max_size=6))
def test_what_is_called_near_shares_half_of_its_shingles(texts: list[str], among: list[str]) -> None:
    for text, near in zip(texts, near_duplicates(texts, among), strict=True):
        if near:
            assert max(resemblance(text, other) for other in among) >= RESEMBLANCE


def test_almost_all_that_resemble_another_are_found() -> None:
    chance = random.Random(5)
    among = [" ".join(chance.choices(WORDS, k=chance.randint(3, 40))) for _ in range(1500)]
    texts = [edited(text, chance.randint(1, 4), chance) for text in among]
    close = np.array([resemblance(*pair) for pair in zip(texts, among, strict=True)])
    near = near_duplicates(texts, among)
    clear, barely = close >= 0.6, (close >= RESEMBLANCE) & (close < 0.6)
    assert clear.sum() > 300
    assert barely.sum() > 100
    assert near[clear].mean() > 0.99
    assert near[barely].mean() > 0.9


def test_what_resembles_another_less_is_not_near() -> None:
    chance = random.Random(6)
    among = [" ".join(chance.choices(WORDS, k=chance.randint(10, 30))) for _ in range(150)]
    texts = [edited(text, chance.randint(2, 6), chance) for text in among]
    close = np.array([max(resemblance(text, other) for other in among) for text in texts])
    less = (close >= RESEMBLANCE - 0.2) & (close < RESEMBLANCE)
    assert less.sum() > 20
    assert not near_duplicates(texts, among)[less].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30), max_size=8), st.text(min_size=1))
def test_a_text_resembles_itself_in_any_company(others: list[str], text: str) -> None:
    assert near_duplicates([text, *others], [*others, text]).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(PLAIN | st.text(max_size=12), max_size=8), st.lists(PLAIN | st.text(max_size=12), max_size=8))
def test_what_else_is_asked_for_changes_nothing(texts: list[str], among: list[str]) -> None:
    alone = [bool(near_duplicates([text], among)[0]) for text in texts]
    assert near_duplicates(texts, among).tolist() == alone


@pytest.mark.parametrize(
    "other",
    [
        SENTENCE.upper(),
        SENTENCE.replace("4711", "0815"),
        SENTENCE.replace(" ", "  ").replace(",", " -- ") + "!!!",
        f"Reminder: {SENTENCE}",
        SENTENCE.replace("parcel", "letter"),
        SENTENCE.replace("station", "statoin"),
    ],
    ids=["case", "number", "signs", "more", "word", "typo"],
)
def test_a_template_with_a_few_changes_is_near(other: str) -> None:
    assert near_duplicates([other], ["lunch?", SENTENCE]).tolist() == [True]


@pytest.mark.parametrize(
    "other",
    [
        "",
        "please",
        SENTENCE[:30],
        "the station has a counter where parcels can be collected",
        " ".join(reversed(SENTENCE.split())),
    ],
)
def test_a_shared_phrase_is_not_near(other: str) -> None:
    assert near_duplicates([other], [SENTENCE]).tolist() == [False]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("ok", "OK...", True),
        ("see you_at noon…", "See you; at noon.", True),
        ("ok", "ok lor", False),
        ("😀", "😀", True),
        ("😀", "😡", False),
        ("?!", "!?", False),
        ("?!", "lunch", False),
        ("\ud800", "\ud800", True),
        ("\0", "\0", True),
        ("", "", True),
        ("今天晚上一起去看电影好吗", "今天晚上一起去看电影好吗？", True),
        ("今天晚上一起去看电影好吗", "明天早上我要去公司开会", False),
        ("Встретимся сегодня вечером у входа", "встретимся сегодня вечером у выхода", True),
    ],
)
def test_short_and_odd_texts_are_compared_as_well(one: str, other: str, near: bool) -> None:
    assert near_duplicates([one], [other]).tolist() == [near]


@pytest.mark.parametrize(("texts", "among"), [([], []), ([], ["a"]), (["a"], [])])
def test_without_texts_nothing_is_near(texts: list[str], among: list[str]) -> None:
    found = near_duplicates(texts, among)
    assert (found.dtype, found.tolist()) == (np.bool_, [False] * len(texts))


def test_texts_longer_than_a_chunk_are_compared() -> None:
    chance = random.Random(1)
    long = " ".join(str(chance.random()) for _ in range(CHUNK // 15))
    assert len(long) > CHUNK
    changed = long[: len(long) // 2] + "another end"
    texts, among = [long, changed[:9000], "x" * CHUNK, long], ["lunch?", changed + long[-5000:]]
    assert near_duplicates(texts, among).tolist() == [True, False, False, True]


def test_a_text_is_found_among_many_that_share_a_long_passage() -> None:
    chance = random.Random(2)
    passage = " ".join(chance.choices(WORDS, k=60)) + " is private and for its addressee alone"
    mails = [" ".join(str(chance.random()) for _ in range(12)) + " " + passage for _ in range(3000)]
    near = near_duplicates([mails[2900], "0.1 0.2 0.3 0.4 " + mails[17], passage[:80]], mails)
    assert near.tolist() == [True, True, False]


def test_of_texts_that_nearly_repeat_each_other_the_first_stays() -> None:
    template = "You have won a prize of 1,000 pounds, call {} now to claim it before Friday"
    texts = [
        "lunch at two?",
        *(template.format(n) for n in range(100, 160)),
        "see you there",
        "lunch at two!",
    ]
    assert near_repeats(texts).tolist() == [False, False, *[True] * 59, False, True]
    assert near_repeats([]).tolist() == []
    assert near_repeats(["alone"]).tolist() == [False]


def test_what_nearly_repeats_a_text_that_was_left_out_is_compared_with_those_that_stay() -> None:
    words = [f"word{n}" for n in range(40)]
    chain = [" ".join(words[start : start + 20]) for start in range(0, 20, 4)]
    out = near_repeats(chain)
    kept = [text for text, gone in zip(chain, out, strict=True) if not gone]
    assert not near_repeats(kept).any()
    assert 1 < len(kept) < len(chain)
