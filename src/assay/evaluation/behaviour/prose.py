"""What people wrote of a text, as opposed to links, addresses, handles, entities and tags within it."""

import re
from collections.abc import Callable, Iterator

# Every repetition is bounded or cannot be entered twice, so that no text takes more than linear time.
_APART = r"(?:https?://|www\.)\S+|[\w.+-]{1,64}@\S+|[@#]\w+|&#?\w{1,32};|<[^<>]{1,200}>"
_apart = re.compile(rf"({_APART})", re.IGNORECASE)
_word = re.compile(rf"{_APART}|(?<!\w)(?P<word>[^\W\d_]{{4,40}}+)(?!\w)", re.IGNORECASE)


def map_prose(change: Callable[[str], str], text: str) -> str:
    """Return a text with everything changed but links, addresses, handles, entities and tags."""
    pieces = _apart.split(text)
    pieces[::2] = map(change, pieces[::2])
    return "".join(pieces)


def long_words(text: str) -> Iterator[tuple[int, int]]:
    """Yield the place of each word of 4 to 40 letters, all of which have a lower and an upper case."""
    for found in _word.finditer(text):
        word = found["word"]
        if word and all(letter.lower() != letter.upper() for letter in word):
            yield found.span("word")


def ends_apart(text: str) -> bool:
    """Return whether the last word of a text that is not blank holds a link, an address or the like."""
    return _apart.search(text.split()[-1]) is not None
