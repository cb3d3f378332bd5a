"""Hashes that only whoever has the key can make, and the key beside the log."""

import multiprocessing
import os
import stat
from hashlib import blake2b
from pathlib import Path

import pytest

from assay.exceptions import ConfigError
from assay.telemetry.decisions.hashing import (
    KEY_FILE,
    PIECE,
    PIECES_UP_TO,
    Hashes,
    keep_key,
    make_key,
    read_key,
)


def made_by(
    folder: str, ready: "multiprocessing.synchronize.Barrier", keys: "multiprocessing.Queue[bytes]"
) -> None:
    """Make or read a key at the same moment as others; run by a process of its own."""
    ready.wait()
    keys.put(make_key(Path(folder)))


def test_equal_texts_have_equal_hashes_under_one_key_alone() -> None:
    one, other = Hashes(b"a" * 32), Hashes(b"b" * 32)
    assert one.text("free") == Hashes(b"a" * 32).text("free") != one.text("free ")
    assert len({one.text("free"), other.text("free"), one.subject("free"), other.subject("free")}) == 4
    assert len(one.text("")) == 32
    assert one.text("a") == one.text("a"), "a hash leaves nothing behind for the next"


def test_a_key_may_be_long_and_a_text_odd() -> None:
    assert Hashes(b"k" * 65).text("x") != Hashes(b"k" * 66).text("x")
    assert len(Hashes(b"").subject("\ud800")) == 32


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("", "d09694304f6b450f3cc7dedbb3398aeb"),
        ("lunch tomorrow?", "e728aad79c2aa309c69aaa7c1026b28f"),
        ("é" * 1_500, "cb89cf9c1ced0b1beb5040966e40dc27"),
        ("x" * 2_047, "8d000b0f864c173a4d8d460fbc057d64"),
        ("x" * 2_048, "9cc7ad2077ccff47ea179cfae2bd01c5"),
        ("y" * 100_000, "2e0fd23915f64a65df15886cc63e9f1d"),
        ("\ud800", "4bfe41c73bc0696a5849fedaa91aaeb0"),
    ],
)
def test_a_hash_is_that_of_versions_before(text: str, hashed: str) -> None:
    assert Hashes(b"k" * 32).text(text) == hashed


@pytest.mark.parametrize("length", [PIECE, PIECE + 1, 2 * PIECE, PIECES_UP_TO, PIECES_UP_TO + 1])
def test_a_hash_made_in_pieces_is_that_of_the_whole(length: int) -> None:
    text = ("pieces " * length)[:length]
    whole = blake2b(b"k" * 32, digest_size=64).digest()
    made = blake2b(text.encode(), digest_size=16, key=whole, person=b"assay text").hexdigest()
    assert Hashes(b"k" * 32).text(text) == made


def test_the_setting_goes_before_the_file(tmp_path: Path) -> None:
    keep_key(tmp_path, b"x" * 32)
    assert read_key(tmp_path, "mine") == b"mine"
    assert read_key(tmp_path) == b"x" * 32


def test_there_is_no_key_where_nobody_made_one(tmp_path: Path) -> None:
    assert read_key(tmp_path) is None
    assert read_key(tmp_path / "none") is None


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    assert (len(key), make_key(tmp_path), read_key(tmp_path)) == (32, key, key)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [KEY_FILE]  # noqa: PTH208


def test_a_key_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    keep_key(tmp_path, b"y" * 32)
    assert read_key(tmp_path) == key


def test_workers_that_start_together_have_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready, keys = context.Barrier(8), context.Queue()
    workers = [context.Process(target=made_by, args=(str(tmp_path), ready, keys)) for _ in range(8)]
    for worker in workers:
        worker.start()
    found = {keys.get(timeout=30) for _ in workers}
    for worker in workers:
        worker.join()
    assert found == {read_key(tmp_path)}


def test_a_key_that_is_taken_away_while_it_is_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", lambda *_: None)
    with pytest.raises(FileNotFoundError):
        make_key(tmp_path)


@pytest.mark.parametrize("content", [b"", b"0" * 63, b"0" * 65, b"g" * 64, b"\xff" * 64, b"0" * 64 + b"\nx"])
def test_a_damaged_key_is_an_error_that_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    for read in (read_key, make_key):
        with pytest.raises(
            ConfigError, match=r"is damaged.*Restore the file; or set ASSAY_DECISION_KEY; or move"
        ):
            read(tmp_path)


def test_a_key_that_cannot_be_read_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory\. Let this account read it"):
        read_key(tmp_path)
