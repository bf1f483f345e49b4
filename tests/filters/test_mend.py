import pytest
from ftfy import TextFixerConfig, fix_text
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.filters.mend import mend

# What ftfy's fixers look for, and plain text around it.
PIECES = ["a", "b c", "é", "ü", "’", "“", "–", "日本", "#1", " ", "\n", "\n\n", "\r", "\r\n", "\t", "\x0c", "\xa0", "\xad"]
BROKEN = [
    "&amp;",
    "&#10;",
    "&lt;",
    "&",
    "<",
    "â€œ",
    "Ã¼",
    "Â ",
    "\x85",
    "\u2028",
    "ﬁ",
    "Ａ",
    "e\u0301",
    "\x00",
    "\x1b[1m",
    "\ufeff",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(BROKEN), st.characters()), max_size=40).map("".join)


def test_mojibake_is_mended_and_curly_quotes_stay():
    mended = mend("It\u00e2\u20ac\u2122s a caf\u00c3\u00a9.\r\n“Yes”\x00\n")
    assert mended.text == "It’s a café.\n“Yes”\n"
    assert mended.changed_lines == 2


def test_entities_stay_from_the_first_line_with_markup_on():
    assert mend("a &amp; b\n<p>\na &amp; b").text == "a & b\n<p>\na &amp; b"


@settings(max_examples=500)
@given(TEXTS)
def test_the_text_is_what_ftfy_makes_of_all_of_it(raw):
    lines = raw.replace("\r\n", "\n").replace("\r", "\n")
    assert mend(raw).text == fix_text(lines, TextFixerConfig(uncurl_quotes=False))


@settings(max_examples=300)
@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_is_what_ftfy_makes_of_it(raw):
    lines = raw.replace("\r\n", "\n").replace("\r", "\n")
    assert mend(raw).text == fix_text(lines, TextFixerConfig(uncurl_quotes=False))


@settings(max_examples=300)
@given(TEXTS)
def test_each_line_knows_the_source_line_that_it_came_from(raw):
    mended = mend(raw)
    lines, origins = mended.text.split("\n"), mended.origins
    assert len(lines) == len(origins.starts) == len(origins.raw_starts) == len(origins.raw_ends) == len(origins.unaltered)
    for number, line in enumerate(lines):
        assert mended.text[origins.starts[number] :].startswith(line)
        if origins.unaltered[number]:
            assert raw[origins.raw_starts[number] : origins.raw_ends[number]] == line
    assert all(raw[end] in "\r\n" for end in origins.raw_ends if end < len(raw)) and origins.raw_ends[-1] == len(raw)


@pytest.mark.parametrize("raw", ["", "\n", "\r\n", "é"])
def test_the_smallest_texts_have_lines_too(raw):
    assert len(mend(raw).origins.starts) == mend(raw).text.count("\n") + 1
