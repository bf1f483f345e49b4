import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.rows import browsing
from brewslm.rows.browsing import lines_before, lines_from

WORDS = st.lists(st.sampled_from([b"a", b"Zebra", b"x" * 40, b"", b"ZEBRA x"]), max_size=30)


@given(
    words=WORDS, begin=st.integers(0, 30), block=st.integers(1, 64), needle=st.sampled_from([(), (b"zebra",), (b"zebra", b"x")])
)
def test_lines_are_the_same_from_both_sides_whatever_the_block(tmp_path_factory, words, begin, block, needle):
    path = tmp_path_factory.mktemp("lines") / "lines"
    every = [word + b"\n" for word in words]
    path.write_bytes(b"".join(every))
    places = [sum(map(len, every[:n])) for n in range(len(every) + 1)]
    start, end = places[min(begin, len(every))], places[-1]
    wanted = [
        (place, line)
        for place, line in zip(places, every, strict=False)
        if place >= start and all(one in line.lower() for one in needle)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browsing, "_BLOCK_BYTES", block)
        assert list(lines_from(path, start, end, needle)) == wanted
        assert list(lines_before(path, start, end, needle)) == wanted[::-1]
