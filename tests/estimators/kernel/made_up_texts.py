"""Texts of any Unicode, such as people and attackers write."""

from hypothesis import strategies as st

ODD = (
    *("\0", "\t", "\n", "\x1c", "\x85", "\xa0", "\u2028", "\u3000", "  ", " ", "_", "'", "-", "!", "?!"),
    *("a", "I", "Z", "9", "é", "É", "ß", "İ", "ı", "Σ", "σ", "ΟΔΟΣ", "ΑΣ ", "Ⱥ", "ǅ", "ﬁ", "½", "²", "٣"),
    *("e\u0301", "\u0301", "a\u0308\u0323", "日本", "한국", "שלום", "مرحبا", "\u202e", "\u200d", "\u200b"),
    *("😀", "👩\u200d👩\u200d👧", "🇩🇪", "𝒜", "\ud800", "\udfff", "\uffff", "\U0010ffff", "ſ", "K", "ﷺ"),
)
WORDS = ("free", "Prize", "NOW", "call", "the", "it's", "e-mail", "naïve", "x", "co_op", "2nd")


def texts(*, valid: bool = False) -> st.SearchStrategy[str]:
    """Return texts of words, odd characters and any others; without lone surrogates where valid."""
    surrogates = ("Cs",) if valid else ()
    character = st.characters(exclude_categories=surrogates)
    odd = [part for part in ODD if not (valid and part in ("\ud800", "\udfff"))]
    part = st.sampled_from(WORDS).map(lambda word: f"{word} ") | st.sampled_from(odd) | character
    return st.lists(part, max_size=40).map("".join)
