import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.filters.base import CleanedText, first_reason
from brewslm.filters.chunks import chunks
from brewslm.filters.keep import GoodEnough, HasText, NoPersonalData, NotSeen
from brewslm.filters.outliers import outliers
from brewslm.filters.pii import Finding
from brewslm.filters.preset import ChunkPreset, cleaning_preset
from brewslm.filters.quality import Quality, quality
from brewslm.filters.tokens import Tokens
from brewslm.filters.words import WordStatistics
from brewslm.rows import RowReason


@pytest.fixture(scope="module")
def tokens(tiny_base):
    return Tokens(tiny_base / "tokenizer.json")


PROSE = (
    "The garden lay behind the old house. Every morning a gardener came through the gate, looked at the roses, and sighed. "
    "Rain had fallen for weeks; nothing would dry. Still, the apples grew, and by autumn there were baskets full of them. "
    "Children from the village climbed over the wall to take what they could carry, while nobody seemed to mind very much. "
    "When winter arrived at last, snow covered the paths, and only birds left their marks between the empty trees outside."
)


def scored(text: str, trimmed_share: float = 0.0) -> Quality:
    return quality(WordStatistics(text), trimmed_share)


def test_quality_ranks_prose_above_repetition_above_noise():
    prose, repeated, noise = scored(PROSE), scored("buy now " * 60), scored("@@## $$%% ^^&& ~~~ ||| <<<>>> ### 1")
    assert prose.score > 0.9 > repeated.score > noise.score
    assert scored("").score == 0.0
    assert scored(PROSE, trimmed_share=0.5).score < prose.score


def test_an_accent_changes_nothing_about_how_readable_a_text_is():
    for text in (PROSE, "@@## $$%% a [b] {c} \x0b\n"):
        accented = text.replace("a", "á")
        assert scored(text).encoding == scored(accented).encoding


def test_broken_characters_cost_more_than_symbols():
    assert scored("\ufffd" + PROSE).encoding < scored("#" + PROSE).encoding < scored(PROSE).encoding


@given(st.text(max_size=400), st.floats(0, 1))
def test_quality_is_always_between_0_and_1(text, share):
    assert 0.0 <= scored(text, share).score <= 1.0


def test_each_filter_gives_its_own_reason():
    def cleaned(text=PROSE, findings=()):
        return CleanedText(text, findings, scored(text), WordStatistics(text))

    seen = NotSeen()
    filters = (HasText(), NoPersonalData(), GoodEnough(0.2), seen)
    assert first_reason(filters, cleaned()) is None
    assert first_reason(filters, cleaned(" \n")) is RowReason.EMPTY_TEXT
    assert first_reason(filters, cleaned(findings=(Finding("email", 0, 3),))) is RowReason.PII_BLOCK
    assert first_reason(filters, cleaned("@@@ ###")) is RowReason.LOW_QUALITY
    assert first_reason(filters, cleaned(PROSE.upper().replace(" ", "\n"))) is RowReason.DUPLICATE_DOCUMENT


def test_outliers_are_those_far_from_the_median():
    assert outliers([10, 11, 9, 10, 12, 100, 11], 3.5) == [5]
    assert outliers([1.0] * 20 + [5.0], 3.5) == [20]  # more than half are equal: the mean absolute deviation stands in
    assert outliers([2.0, 2.0], 3.5) == outliers([], 3.5) == []


def test_a_chunk_names_the_headings_it_stands_under(tokens):
    text = f"# A\n\n{PROSE}\n\n## B\n\n{PROSE}\n\n```\n# no heading\n```\n\n# C\n\n{PROSE}"
    found = list(chunks(text, ChunkPreset(minimum=100, maximum=300), True, tokens))
    assert {chunk.headings for chunk in found} == {("A",), ("A", "B"), ("C",)}
    assert all(not chunk.headings for chunk in chunks(text, ChunkPreset(minimum=100, maximum=300), False, tokens))


@given(st.lists(st.sampled_from(["# Tür", PROSE[:90], "naïve – 日本語", "- item", "```", ""]), max_size=30), st.booleans())
def test_chunks_stand_where_their_offsets_say_and_leave_out_only_white_space(tokens, lines, markdown):
    text = "\n".join(lines)
    found = list(chunks(text, ChunkPreset(minimum=15, maximum=40), markdown, tokens))
    position = 0
    for chunk in found:
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < chunk.tokens <= 40 and [chunk.tokens] == list(tokens.counts([chunk.text]))
        assert not text[position : chunk.start].strip()
        position = chunk.end
    assert not text[position:].strip()


def test_the_preset_is_read_strictly():
    preset = cleaning_preset()
    assert 0 < preset.minimum_quality < 1 and preset.chunk.minimum < preset.chunk.maximum
