"""More rows to train on, from elsewhere, without a touch of those that are held out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from assay.config import DataConfig
from assay.datasets.resemblance import near_duplicates
from assay.datasets.rows import Dataset, Rows
from assay.datasets.splitting import digest_of, side_of_digest
from assay.exceptions import DataError

ELSEWHERE = "feedback"
"""What added rows have in the columns that reports are sliced by."""
HELD_OUT = "a held-out row has their text"
SIDE = "their text belongs to the held-out side of the split"
KNOWN = "a training row has their text and label"
CONTRARY = "a training row has their text under another label"
NEAR = "they nearly repeat a test row"


def add_training(dataset: Dataset, more: Rows, data: DataConfig, *, name: str) -> tuple[Dataset, list[str]]:
    """Return a dataset with more training rows, and the account of those that were left out.

    Held-out rows stay as they are, so that versions stay comparable on them. Left out is a text that one
    of them has, or nearly has, one whose hash would put it among them, and one that is trained on already.
    Raises DataError when none is left.
    """
    fates = list(_fates(dataset, more, data, data.salt or name))
    candidates = [at for at, fate in enumerate(fates) if not fate]
    near = near_duplicates([more.texts[at] for at in candidates], dataset.test.texts)
    for at, found in zip(candidates, near.tolist(), strict=True):
        fates[at] = NEAR if found else ""
    kept = [at for at, fate in enumerate(fates) if not fate]
    account = [f"{count:,} rows of feedback left out: {fate}" for fate, count in _counted(fates)]
    if not kept:
        raise DataError(
            "\n".join([f"None of the {len(more):,} rows of feedback can be trained on.", *account])
        )
    columns = {column: [ELSEWHERE] * len(kept) for column in dataset.train.columns}
    added = Rows([more.texts[at] for at in kept], [more.labels[at] for at in kept], columns)
    said = f"{len(added):,} training rows labelled by feedback (fingerprint {added.fingerprint[:12]})"
    account.append(f"with {said}")
    grown = replace(dataset, train=dataset.train + added, added=added, source=f"{dataset.source}; {said}")
    return grown, account


def _fates(dataset: Dataset, more: Rows, data: DataConfig, salt: str) -> Iterator[str]:
    """Yield for each row why it is left out; empty where it is not."""
    held = {digest_of(text, salt) for side in (dataset.test, dataset.validation) for text in side.texts}
    known = {
        digest_of(text, salt): label
        for text, label in zip(dataset.train.texts, dataset.train.labels, strict=True)
    }
    for text, label in zip(more.texts, more.labels, strict=True):
        digest = digest_of(text, salt)
        if digest in held:
            yield HELD_OUT
        elif digest in known:
            yield KNOWN if known[digest] == label else CONTRARY
        elif side_of_digest(digest, data.test, data.validation) != "train":
            yield SIDE
        else:
            yield ""


def _counted(fates: list[str]) -> list[tuple[str, int]]:
    counts = Counter(fate for fate in fates if fate)
    return [(fate, counts[fate]) for fate in (HELD_OUT, SIDE, KNOWN, CONTRARY, NEAR) if counts[fate]]
