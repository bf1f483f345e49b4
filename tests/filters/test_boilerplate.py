import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.filters.boilerplate import trim
from brewslm.filters.mend import mend
from brewslm.filters.preset import LinesPreset, cleaning_preset

PRESET = cleaning_preset()
WEB = PRESET.rules["web"].lines


def pages(*bodies: str) -> tuple[str, tuple[int, ...]]:
    """A text of pages, and where they begin."""
    starts = tuple(sum(len(one) + 1 for one in bodies[:number]) for number in range(len(bodies)))
    return "\n".join(bodies), starts


@pytest.mark.parametrize(
    "line",
    ["Page 3 of 10", "3/10", "- 7 -", "© Example Ltd 2021", "All rights reserved.", "Sent from my phone", "We use cookies"],
)
def test_a_boilerplate_line_is_trimmed_and_counted(line):
    trimmed = trim(mend(f"First.\n{line}\nLast."), (), PRESET)
    assert (trimmed.text, trimmed.kinds, trimmed.lines) == ("First.\nLast.", {"pattern": 1}, 3)
    assert trimmed.share == pytest.approx(1 / 3)


@pytest.mark.parametrize("line", ["See page 3 of the guide", "Copyright law is old", "1/2 cup of sugar", "42"])
def test_a_line_that_only_resembles_boilerplate_stays(line):
    assert trim(mend(line), (), PRESET).text == line


def test_headers_and_footers_that_repeat_are_trimmed_whatever_their_page_number():
    text, starts = pages(*(f"ACME Handbook\n\nText {name} is its own.\n\nrev. 7, sheet {n}" for n, name in enumerate("abcd", 1)))
    trimmed = trim(mend(text), starts, PRESET)
    assert trimmed.text == "\n\n".join(f"Text {name} is its own." for name in "abcd")
    assert trimmed.kinds == {"header": 4, "footer": 4}


def test_a_line_on_half_of_the_pages_or_inside_them_stays():
    body = [f"Start {name}\nx{name}\ny{name}\nNote well.\nu{name}\nv{name}\nEnd {name}" for name in "abcd"]
    for number in (0, 1):
        body[number] = f"Draft\n{body[number]}"
    text, starts = pages(*body)
    trimmed = trim(mend(text), starts, PRESET)
    assert (trimmed.text, trimmed.kinds) == (text, {})


def test_two_pages_prove_nothing_and_no_pages_have_no_edges():
    text, starts = pages("Head\nOne", "Head\nTwo")
    assert trim(mend(text), starts, PRESET).text == text
    assert trim(mend("Head\nOne\nHead\nTwo\nHead\nThree"), (), PRESET).kinds == {}


def test_page_starts_are_those_of_the_raw_text():
    text, starts = pages(*(f"caf\u00c3\u00a9 &amp; bar\nText {name} is its own." for name in "abc"))
    assert trim(mend(text), starts, PRESET).kinds == {"header": 3}


def test_c4_trims_lines_that_are_no_sentences_and_says_which():
    lines = [
        "This sentence is one that stays.",
        "Home About Contact",
        "Read more of this...",
        "Go now.",
        "Please enable JavaScript in your browser.",
        "x" * 1001 + " is long.",
    ]
    trimmed = trim(mend("\n".join(lines)), (), PRESET, WEB)
    assert trimmed.text == lines[0]
    assert trimmed.kinds == {"no_end_mark": 2, "few_words": 1, "phrase": 1, "long_word": 1}


def test_without_an_end_mark_asked_for_a_heading_stays():
    lines = LinesPreset(end_mark=False, minimum_words=1, longest_word=50, phrases=())
    assert trim(mend("A heading\n\nText."), (), PRESET, lines).text == "A heading\n\nText."


@given(st.lists(st.sampled_from(["", " ", "a ", "\tb", "Page 1 of 2", "c"]), max_size=20))
def test_every_line_is_kept_or_counted_and_blank_lines_never_pile_up(lines):
    trimmed = trim(mend("\n".join(lines)), (), PRESET)
    kept = [line for line in trimmed.text.split("\n") if line]
    assert len(kept) + sum(trimmed.kinds.values()) == sum(1 for line in lines if line.strip())
    assert "\n\n\n" not in trimmed.text and trimmed.text == trimmed.text.strip("\n")


def test_without_patterns_nothing_matches_them():
    assert trim(mend("All rights reserved."), (), PRESET.model_copy(update={"boilerplate": ()})).kinds == {}
