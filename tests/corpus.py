"""Small labelled corpora, written from word lists: real enough to learn from, made anew in milliseconds."""

import random

SPAM = (
    "free prize claim winner cash urgent call now text stop reply offer txt mobile bonus guaranteed".split()
)
HAM = "lunch tomorrow meeting home dinner thanks love sorry later bus train mum weekend happy sleep".split()
POSITIVE = "wonderful moving brilliant superb delightful charming gripping funny fresh masterful".split()
NEGATIVE = "dull boring awful clumsy tedious lifeless predictable weak shallow painful".split()
NEUTRAL = "the a we you it is was with and for this that when at from about some very".split()
ODD = [
    "naïve café",
    "Ünïcode ſtraße",
    "日本語 テスト",
    "мама мыла раму",
    "👩‍👩‍👧 ok",
    "İstanbul ǅ",
    "x\u0000y",
    "e\u0301clair",
    "שלום עולם",
]


def sentences(words: list[str], count: int, seed: int, noise: list[str]) -> list[str]:
    """Return distinct-looking sentences of a label's words among neutral ones and a little noise."""
    chosen = random.Random(seed)
    made = []
    for number in range(count):
        length = chosen.randint(5, 18)
        picked = [chosen.choice(words if chosen.random() < 0.35 else NEUTRAL) for _ in range(length)]
        if chosen.random() < 0.15:
            picked.append(chosen.choice(noise))
        if number % 17 == 0:
            picked.append(chosen.choice(ODD))
        made.append(" ".join(picked) + chosen.choice([".", "!", "?", " :)", ""]) + f" {number}")
    return made


def labelled(groups: dict[str, list[str]], count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return texts and labels, ``count`` rows a label, in a shuffled order."""
    rows = []
    for number, (label, words) in enumerate(groups.items()):
        noise = [word for other, others in groups.items() if other != label for word in others]
        rows += [(text, label) for text in sentences(words, count, seed + number, noise)]
    random.Random(seed).shuffle(rows)
    return [text for text, _ in rows], [label for _, label in rows]


SPAM_GROUPS = {"ham": HAM, "spam": SPAM}
SENTIMENT_GROUPS = {"negative": NEGATIVE, "positive": POSITIVE}
ABUSE_GROUPS = {"neither": HAM, "offensive_language": NEGATIVE, "hate_speech": SPAM}
