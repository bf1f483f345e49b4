"""Passages for questions that came without: the project's chunks, found by BM25."""

from pathlib import Path
from typing import Any

from brewslm.rows import RowFile


class Passages:
    """An index over the chunks of cleaned documents (BM25, Robertson and Zaragoza 2009, by the library bm25s).

    Args:
        chunks: chunks.jsonl.
        count: Passages for each question.
    """

    def __init__(self, chunks: Path, count: int) -> None:
        import bm25s

        self._count = count
        self._chunks = [(chunk["row_id"], chunk["text"]) for chunk in RowFile(chunks).rows()]
        self._index: Any = bm25s.BM25()
        self._index.index(_words([text for _, text in self._chunks]), show_progress=False)

    def added(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload with `context`, the best chunks first and an empty line between them, and `context_chunks`, their ids."""
        tokens = _words([payload["question"]])
        places, scores = self._index.retrieve(tokens, k=min(self._count, len(self._chunks)), show_progress=False)
        best = [self._chunks[place] for place, score in zip(places[0], scores[0], strict=True) if score > 0]
        if not best:
            return payload
        return payload | {"context": "\n\n".join(text for _, text in best), "context_chunks": [row_id for row_id, _ in best]}


def _words(texts: list[str]) -> Any:
    import bm25s

    tokenise: Any = bm25s.tokenize
    return tokenise(texts, stopwords=None, show_progress=False)
