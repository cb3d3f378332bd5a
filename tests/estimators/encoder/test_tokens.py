import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators.encoder import Tokens
from assay.exceptions import ArtifactError
from tests.encoders import tiny_tokenizer

WITHOUT_A = {"type": "Replace", "pattern": {"String": "a"}, "content": ""}
FIRST, LAST = 2, 3
"""The ids of [CLS] and [SEP]."""
PIECES = st.sampled_from(
    (
        *("the", " movie", " ", "  ", "\n", "\t", "a,b", "é", "e\u0301", "\u0301", "Σ", "σς ", "一", "\x01"),
        *("\x00", "[SEP]", " [MASK] ", "'", "wonderful ", "zzz", "\u200d", "\u00a0", "\u3000", "\U0001f9ff"),
    )
)
TEXTS = st.lists(PIECES, max_size=200).map("".join)


@functools.cache
def tokens(max_tokens: int = 16, truncation: Any = "head+tail", tokenizer: bytes | None = None) -> Tokens:
    return Tokens(
        tiny_tokenizer() if tokenizer is None else tokenizer, max_tokens=max_tokens, truncation=truncation
    )


def changed(change: Callable[[Any], object]) -> bytes:
    """Return a tokenizer with a part of its file changed."""
    settings = json.loads(tiny_tokenizer())
    change(settings)
    return json.dumps(settings).encode()


@given(TEXTS, st.sampled_from(["head", "head+tail"]), st.integers(3, 40))
def test_a_cut_text_has_the_first_and_last_of_all_its_ids(text: str, truncation: str, most: int) -> None:
    [whole] = tokens(100_000, truncation).ids([text])
    [cut] = tokens(most, truncation).ids([text])
    room = most - 2
    if len(whole) <= most:
        assert cut == whole
    else:
        head = room if truncation == "head" else max(1, room // 4)
        tail = whole[1:-1][len(whole) - 2 - (room - head) :]
        assert cut == [FIRST, *whole[1 : 1 + head], *tail, LAST]


def test_a_very_long_text_is_cut_without_reading_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    cutter, read = tokens(), []
    every = Tokens._all
    monkeypatch.setattr(Tokens, "_all", lambda self, text: read.append(len(text)) or every(self, text))
    text = "the movie was wonderful " * 2_000
    [cut] = cutter.ids([text])
    assert sum(read) < 1_000
    assert cut == [FIRST, *every(cutter, text)[:3], *every(cutter, text)[-11:], LAST]


@pytest.mark.parametrize(
    "text", ["free prize " * 500 + " " * 400 + "now", "now" + " " * 400 + "free prize " * 500]
)
def test_an_end_with_few_words_is_read_further(text: str) -> None:
    cutter = tokens()
    ids = cutter._all(text)
    assert cutter.ids([text]) == [[FIRST, *ids[:3], *ids[-11:], LAST]]


@pytest.mark.parametrize("text", ["x" * 60_000, "一" * 20_000, " " * 60_000 + "free", "free" + " " * 60_000])
def test_a_text_that_cannot_be_cut_at_spaces_is_read_whole(text: str) -> None:
    cutter = tokens()
    ids = cutter._all(text)
    kept = ids if len(ids) <= 14 else [*ids[:3], *ids[-11:]]
    assert cutter.ids([text]) == [[FIRST, *kept, LAST]]


def test_a_tokenizer_that_looks_across_spaces_reads_texts_whole() -> None:
    added = {"id": 300, "content": "movie was", "special": False}
    fixed = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    cutter = tokens(tokenizer=changed(lambda s: s["added_tokens"].append(added | fixed)))
    text = "movie was " * 1_000
    assert cutter.ids([text]) == [[FIRST, *[cutter.size - 1] * 14, LAST]]


@pytest.mark.parametrize("text", ["", "\x01\x02", "\u0301"])
def test_a_text_of_nothing_has_the_special_tokens_alone(text: str) -> None:
    assert tokens().ids([text]) == [[FIRST, LAST]]


def test_what_reads_like_a_special_token_is_text() -> None:
    [ids] = tokens(64).ids(["[SEP] [PAD] [MASK] [CLS]"])
    assert not {FIRST, LAST, 0, 4} & set(ids[1:-1])


def test_padding_and_truncation_of_the_file_do_not_act() -> None:
    short, long = tokens(64).ids(["free prize", "free prize " * 15])
    assert (len(short), len(long)) == (4, 32)


def test_ids_name_padding_and_the_size_of_the_vocabulary() -> None:
    cutter = tokens()
    vocabulary = json.loads(tiny_tokenizer())["model"]["vocab"]
    assert (cutter.pad, cutter.unknown, cutter.size) == (0, 1, len(vocabulary))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "cannot be used"),
        (b"{}", "cannot be used"),
        (b"\xff\x00", "cannot be used"),
        (tiny_tokenizer()[:1000], "cannot be used"),
        (changed(lambda s: s["model"]["vocab"].pop("[UNK]")), "cannot be used"),
        (changed(lambda s: s["post_processor"]["special_tokens"].clear()), "cannot be used"),
        (changed(lambda s: s.update(normalizer=WITHOUT_A)), "no token of the letter 'a'"),
    ],
)
def test_a_broken_tokenizer_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(ArtifactError, match=fault):
        tokens(tokenizer=data)


@given(st.data())
def test_damaged_bytes_are_refused_or_give_ids(data: st.DataObject) -> None:
    damaged = bytearray(tiny_tokenizer())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        cutter = tokens(tokenizer=bytes(damaged))
    except ArtifactError:
        return
    [ids] = cutter.ids(["free prize, call now"])
    assert len(ids) <= 16
    assert max(ids) < cutter.size


def test_the_special_tokens_need_room() -> None:
    with pytest.raises(ArtifactError, match="adds 2 special tokens: there is no room"):
        tokens(2)


@given(TEXTS, st.sampled_from(["head", "head+tail"]))
def test_seen_tokens_are_those_of_the_ids(text: str, truncation: str) -> None:
    cutter = tokens(16, truncation)
    seen = cutter.seen(text)
    assert [cutter.framed([token.id for token in seen])] == cutter.ids([text])
    assert all(0 <= token.begin <= token.end <= len(text) for token in seen)
