"""Keyed hashes of texts and subjects, and the key that lies beside the log."""

import os
import re
import secrets
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from assay.exceptions import ConfigError, LogError

KEY_FILE = "decision.key"
KEY_BYTES = 32
DIGEST_BYTES = 16
PIECE, PIECES_UP_TO = 2_047, 65_536
"""The library lets go of the interpreter for more bytes than the first, and to get it back takes longer than
to hash them while requests are answered: what is not long is hashed in such pieces."""
_KEY = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}\n?")


class Hashes:
    """Hashes with one key: equal for equal texts, and telling nothing to whoever has not the key.

    BLAKE2b (RFC 7693), keyed, 16 bytes, with a different personalisation for texts and for subjects, so
    that a subject's hash cannot be taken for a text's.

    >>> hashes = Hashes(b"key")
    >>> hashes.text("hello") == hashes.text("hello"), hashes.text("hello") == hashes.subject("hello")
    (True, False)
    """

    def __init__(self, key: bytes) -> None:
        self.key = key
        # Any length of key, where BLAKE2b takes 64 bytes.
        whole = blake2b(key, digest_size=64).digest()
        self._text = blake2b(digest_size=DIGEST_BYTES, key=whole, person=b"assay text")
        self._subject = blake2b(digest_size=DIGEST_BYTES, key=whole, person=b"assay subject")

    def text(self, text: str) -> str:
        """Return the hash of a text, 32 hexadecimal digits."""
        state, data = self._text.copy(), text.encode("utf-8", "surrogatepass")
        if len(data) <= PIECE or len(data) > PIECES_UP_TO:
            state.update(data)
        else:
            for start in range(0, len(data), PIECE):
                state.update(data[start : start + PIECE])
        return state.hexdigest()

    def subject(self, subject: str) -> str:
        """Return the hash of a request's subject, 32 hexadecimal digits."""
        state = self._subject.copy()
        state.update(subject.encode("utf-8", "surrogatepass"))
        return state.hexdigest()


def read_key(folder: Path, setting: str = "") -> bytes | None:
    """Return the key of the hashes: the setting, else what the folder's file holds; None without either.

    Raises ConfigError when the file cannot be read or is damaged.
    """
    if setting:
        return setting.encode()
    path = folder / KEY_FILE
    try:
        held = path.read_text(encoding="ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        held = ""
    except OSError as error:
        raise ConfigError(
            f"The key of the decision log {str(path)!r} cannot be read: {error.strerror}. Let this account "
            "read it, or set ASSAY_DECISION_KEY.",
            path=path,
        ) from error
    if not _KEY.fullmatch(held):
        raise ConfigError(
            f"The key of the decision log {str(path)!r} is damaged: it has to be {2 * KEY_BYTES} "
            "hexadecimal digits. Restore the file; or set ASSAY_DECISION_KEY; or move the file away, and a "
            "new key is made: hashes made from then on do not match those that are there.",
            path=path,
        )
    return bytes.fromhex(held.strip())


def hashes_of(folder: Path, setting: str = "") -> Hashes:
    """Return the hashes of a log that is there.

    Raises LogError without a key: a new one would find nothing; ConfigError as ``read_key``.
    """
    key = read_key(folder, setting)
    if key is None:
        raise LogError(
            f"The key of the decision log's hashes is not there: {str(folder / KEY_FILE)!r}. Without it a "
            "subject is not found. Name the log's folder in ASSAY_DECISION_FOLDER, or set "
            "ASSAY_DECISION_KEY as the service has it.",
            folder=folder,
        )
    return Hashes(key)


def make_key(folder: Path) -> bytes:
    """Return the key in a folder; one is made when there is none, by one of all that try at once.

    Raises ConfigError as ``read_key`` does, OSError when none can be written.
    """
    held = read_key(folder)
    if held is not None:
        return held
    keep_key(folder, secrets.token_bytes(KEY_BYTES))
    held = read_key(folder)
    if held is None:
        raise FileNotFoundError(2, "the key was removed while it was made", str(folder / KEY_FILE))
    return held


def keep_key(folder: Path, key: bytes) -> None:
    """Write a key into a folder that has none; one that is there stays. Raises OSError."""
    draft = folder / f".{KEY_FILE}.{secrets.token_hex(8)}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        # Whole from its first moment, and the first one wins: a rename would replace another's.
        with suppress(FileExistsError):
            os.link(draft, folder / KEY_FILE)
    finally:
        draft.unlink(missing_ok=True)
