from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.rows import contentkeys
from brewslm.rows.contentkeys import ContentKeys
from brewslm.rows.identity import KEY_BYTES


def digests(words: list[str]) -> list[bytes]:
    return [sha256(word.encode()).digest() for word in words]


def first_sights(words: list[str], seen: set[str]) -> list[bool]:
    found = []
    for word in words:
        found.append(word not in seen)
        seen.add(word)
    return found


words = st.lists(st.text("abcd", max_size=3), max_size=30)


@settings(max_examples=60, deadline=None)
@given(st.lists(words, max_size=4), st.lists(words, max_size=6), st.integers(1, 9))
def test_a_key_is_new_once_within_and_across_imports_however_long_the_runs(tmp_path_factory, before, batches, run_rows) -> None:
    folder, seen = tmp_path_factory.mktemp("keys"), set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contentkeys, "RUN_ROWS", run_rows)
        earlier: list[Path] = []
        for number, batch in enumerate(before):
            with ContentKeys(folder / f"{number}.keys", earlier) as keys:
                assert keys.take(digests(batch)) == first_sights(batch, seen)
            earlier.append(folder / f"{number}.keys")
        with ContentKeys(folder / "own.keys", earlier) as keys:
            for batch in batches:
                assert keys.take(digests(batch)) == first_sights(batch, seen)
    assert sum(path.stat().st_size for path in folder.iterdir()) == KEY_BYTES * len(seen)


def test_a_filter_that_says_perhaps_to_everything_decides_nothing(tmp_path: Path) -> None:
    with ContentKeys(tmp_path / "own.keys", ()) as keys:
        keys._filter.fill(255)
        assert keys.take(digests(["a", "b", "a"])) == [True, True, False]
        assert keys.take(digests(["c", "b"])) == [True, False]


def test_an_error_takes_the_file_away(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ContentKeys(tmp_path / "own.keys", ()) as keys:
        keys.take(digests(["a"]))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
