from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.filters.boilerplate import trim
from brewslm.filters.mend import mend
from brewslm.filters.origins import Replacements
from brewslm.filters.preset import cleaning_preset

LINES = ["A plain line.", "Größe  ", "", "Page 3 of 9", "caf\u00c3\u00a9 &amp; more", "x\x00y", "\tdeep", "日本語"]
RAW = st.lists(st.sampled_from(LINES), max_size=12).flatmap(
    lambda lines: st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=len(lines), max_size=len(lines)).map(
        lambda breaks: "".join(line + end for line, end in zip(lines, breaks, strict=True))
    )
)


@settings(max_examples=300)
@given(RAW, st.data())
def test_what_lies_in_an_unaltered_line_is_found_again_exactly(raw, data):
    cleaned = trim(mend(raw), (), cleaning_preset())
    number = data.draw(st.integers(0, max(0, len(cleaned.origins.starts) - 1)))
    lines = cleaned.text.split("\n")
    if not cleaned.origins.starts:
        assert cleaned.text == "" and cleaned.origins.to_raw(0, 0) == (0, 0)
        return
    begin = cleaned.origins.starts[number]
    start = data.draw(st.integers(begin, begin + len(lines[number])))
    end = data.draw(st.integers(start, begin + len(lines[number])))
    found = slice(*cleaned.origins.to_raw(start, end))
    if cleaned.origins.unaltered[number]:
        assert raw[found] == cleaned.text[start:end]
    else:
        assert found == slice(cleaned.origins.raw_starts[number], cleaned.origins.raw_ends[number])


def test_a_span_over_lines_reaches_from_the_first_to_the_last():
    raw = "One.\r\nPage 1 of 2\r\nTwo.\r\n\r\n\r\n\r\nThree &amp; four.\r\n"
    cleaned = trim(mend(raw), (), cleaning_preset())
    assert cleaned.text == "One.\nTwo.\n\nThree & four."
    assert raw[slice(*cleaned.origins.to_raw(0, len("One.\n")))] == "One."
    assert raw[slice(*cleaned.origins.to_raw(1, 8))] == "ne.\r\nPage 1 of 2\r\nTwo"
    assert raw[slice(*cleaned.origins.to_raw(5, len(cleaned.text)))] == "Two.\r\n\r\n\r\n\r\nThree &amp; four."


@given(st.lists(st.tuples(st.text("ab\n", max_size=5), st.text("xy", min_size=1, max_size=5)), max_size=6), st.data())
def test_a_span_of_a_redacted_text_is_found_in_the_text_before(parts, data):
    pieces = [piece for plain, secret in parts for piece in (*((char, char) for char in plain), (secret, "[X]"))]
    before, after, old, new = "", "", [], []
    for hidden, shown in pieces:
        if hidden != shown:
            old.append((len(before), len(before) + len(hidden)))
            new.append((len(after), len(after) + len(shown)))
        before, after = before + hidden, after + shown
    start = data.draw(st.integers(0, max(0, len(after) - 1)))
    end = data.draw(st.integers(min(start + 1, len(after)), len(after)))
    place, touched = 0, ""
    for hidden, shown in pieces:
        if place < end and place + len(shown) > start:
            touched += hidden
        place += len(shown)
    assert before[slice(*Replacements(old, new).to_before(start, end))] == touched
