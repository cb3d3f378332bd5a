"""The text of a drafted task file: what it says, and that any labels and columns come back from it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import GOALS, DataConfig, Task, parse_goal, read_task
from assay.datasets import Dataset, Rows
from assay.datasets.validation import Audit
from assay.draft import GOALS_IN_WORDS, Draft, quoted
from assay.exceptions import ConfigError

ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def drafted(counts: dict[str, int], *, text: str = "a few words", **parts: object) -> Draft:
    """Return the draft of a task whose rows have these labels and one text."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    rows, none = Rows([text] * len(labels), labels), Rows([], [])
    dataset = Dataset("rows.csv", "rows.csv", rows, none, none, Audit(len(labels), len(labels), ()))
    values = {
        "name": "mine",
        "data": DataConfig(source="rows.csv"),
        "positive": min(counts, key=counts.__getitem__),
        "why": "the rarest; else say --positive",
        **parts,
    }
    return Draft(dataset=dataset, **values)  # type: ignore[arg-type]


def read_back(draft: Draft, folder: Path) -> Task:
    """Return the task that is read from a draft's file."""
    path = folder / "mine.toml"
    path.write_text(draft.to_toml(), encoding="utf-8")
    return read_task(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of every example."""
    return tmp_path_factory.mktemp("drafts")


@given(labels=st.lists(ANY, min_size=2, max_size=5, unique=True), columns=st.tuples(ANY, ANY), source=ANY)
def test_any_labels_columns_and_source_come_back_from_the_file(
    labels: list[str], columns: tuple[str, str], source: str, folder: Path
) -> None:
    data = DataConfig(source=source, text=columns[0], label=columns[1])
    task = read_back(drafted(dict.fromkeys(labels, 3), positive=labels[-1], data=data), folder)
    assert (list(task.labels), task.positive) == (sorted(labels), labels[-1])
    assert task.data == data


@given(ANY)
def test_a_quoted_text_is_one_visible_line(text: str) -> None:
    assert quoted(text).isprintable()
    assert tomllib.loads(f"a = {quoted(text)}") == {"a": text}


def test_a_text_that_toml_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'caf\\udce9' is not valid Unicode"):
        quoted("caf\udce9")


def test_every_label_stands_with_its_rows() -> None:
    lines = drafted({"spam": 1, "ham": 3}).to_toml().splitlines()
    assert '    "ham",  # 3 rows, 75.0%' in lines
    assert '    "spam",  # 1 row, 25.0%' in lines
    assert 'positive = "spam"  # the label that is looked for: the rarest' in lines


def test_short_texts_are_cut_into_pieces_of_words_and_long_ones_are_not(tmp_path: Path) -> None:
    counts = {"ham": 300, "spam": 30}
    assert read_back(drafted(counts, text="x" * 299), tmp_path).estimator.char_ngrams == (2, 5)
    assert read_back(drafted(counts, text="x" * 300), tmp_path).estimator.char_ngrams is None


def test_few_rows_keep_what_occurs_once(tmp_path: Path) -> None:
    assert read_back(drafted({"ham": 200, "spam": 49}), tmp_path).estimator.min_df == 1
    assert read_back(drafted({"ham": 200, "spam": 50}), tmp_path).estimator.min_df == 2


def test_more_than_two_labels_are_balanced_and_fitted_less_closely(tmp_path: Path) -> None:
    two = read_back(drafted({"ham": 300, "spam": 3}), tmp_path).estimator
    assert (two.class_weight, two.C) == ("none", 10.0)
    assert "The rarer label has 1.0% of the rows" in drafted({"ham": 300, "spam": 3}).to_toml()
    assert "about as many rows" in drafted({"ham": 6, "spam": 4}).to_toml()
    three = read_back(drafted({"ham": 300, "spam": 30, "scam": 30}), tmp_path).estimator
    assert (three.class_weight, three.C) == ("balanced", 3.0)


@pytest.mark.parametrize(
    ("counts", "positive", "floor"),
    [
        ({"ham": 88, "spam": 12}, "spam", 0.55),
        ({"ham": 88, "spam": 12}, "ham", 0.9),
        ({"bad": 50, "good": 50}, "bad", 0.75),
        ({"one": 90, "two": 5, "three": 5}, "two", 0.65),
    ],
)
def test_the_floor_is_half_way_from_a_guess_to_the_best(
    tmp_path: Path, counts: dict[str, int], positive: str, floor: float
) -> None:
    task = read_back(drafted(counts, positive=positive), tmp_path)
    assert task.gate.min_f1 == floor
    assert task.threshold.goal == "max f1"


def test_every_goal_that_exists_is_shown_ready_to_be_used(tmp_path: Path) -> None:
    assert set(GOALS_IN_WORDS) == set(GOALS)
    text = drafted({"ham": 3, "spam": 2}).to_toml()
    for goal in GOALS:
        assert f'goal = "{goal}"' in text
        assert parse_goal(goal, value=0.5)
    others = text.replace('\ngoal = "max f1"', "").replace('# goal = "recall', 'goal = "recall')
    (tmp_path / "other.toml").write_text(others, encoding="utf-8")
    assert read_task(tmp_path / "other.toml").threshold.parsed.kind == "recall"


def test_rules_are_one_mark_away(tmp_path: Path) -> None:
    text = drafted({"ham": 3, "spam": 2}).to_toml()
    (tmp_path / "mine.toml").write_text(text.replace("# rules =", "rules ="), encoding="utf-8")
    assert read_task(tmp_path / "mine.toml").rules == str(tmp_path / "mine.rules.toml")


def test_a_source_below_the_current_folder_is_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sources = {
        str(tmp_path / "data" / "rows.csv"): "data/rows.csv",
        str(tmp_path.parent / "rows.csv"): str(tmp_path.parent / "rows.csv"),
        str(tmp_path / "imdb"): "./imdb",
        "imdb": "imdb",
        "data/x_*.csv": "data/x_*.csv",
    }
    for source, written in sources.items():
        draft = drafted({"ham": 3, "spam": 2}, data=DataConfig(source=source))
        assert read_back(draft, tmp_path).data.source == written
        relative = written not in ("imdb", source) or "*" in written
        assert ("Seen from the folder" in draft.to_toml()) == relative


def test_what_was_seen_is_told() -> None:
    assert drafted({"spam": 1, "ham": 3}).lines() == [
        "4 rows read, 4 kept, 0 dropped",
        "labels: ham 3 (75.0%), spam 1 (25.0%)",
        "characters: half of the texts have 11 or fewer, 9 of 10 have 11 or fewer, the longest has 11",
        "looked for: 'spam' (the rarest; else say --positive)",
    ]
