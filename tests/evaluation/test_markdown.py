import re

from hypothesis import given
from hypothesis import strategies as st

from assay.evaluation.markdown import code, fence, plain, table

texts = st.text(
    st.sampled_from("ab |`<>&\\*[]\n\r_$") | st.characters(codec="utf-8"), min_size=1, max_size=20
)


@given(texts, texts)
def test_no_text_breaks_a_table(label: str, other: str) -> None:
    lines = list(table((code(label), code(other)), [(plain(label), plain(other))], "lr"))
    assert len("\n".join(lines).splitlines()) == 3
    assert {line.count("|") for line in lines} == {3}


@given(texts)
def test_no_text_opens_markup(text: str) -> None:
    assert not re.search(r"[`*<>\[\]\\|]", plain(text))
    assert not re.search(r"<(?!/?code>)", code(text))


def test_ordinary_texts_stay_readable() -> None:
    assert code("offensive_language") == "`offensive_language`"
    assert plain("rows_read: 5, not-json") == "rows_read: 5, not-json"


def test_a_fence_cannot_be_closed_from_within() -> None:
    assert [line for line in fence(["a", "```", "b"]) if "```" in line] == ["```text", "```"]
