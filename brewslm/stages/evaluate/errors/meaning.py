"""Rows by what they mean: for those whose fault tells nothing more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from brewslm.errors import StageError
from brewslm.models.sentences import sentence_vectors
from brewslm.reasons.refusals import PackageUnavailable
from brewslm.stages.evaluate.errors.facts import Facts

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, Any]

SEED = 20261129
FEWEST = 5
"""Rows that make a cluster by meaning."""
MOST_CLUSTERS = 8
MOST_ROWS = 2_000
"""Rows of a group that are looked at by meaning; further ones stay together."""
SILHOUETTE = 0.1
"""From this on the rows fall into clusters; below it they are one cloud (Rousseeuw 1987: -1 to 1)."""
COMPONENTS = 100

Reader = Literal["all-MiniLM-L6-v2", "tf-idf"]


class Meanings:
    """Texts as vectors, by MiniLM; by TF-IDF, where its package can't be fetched.

    Args:
        reader: Which of the two is to read; the better one that there is when left out.

    Attributes:
        reader: Which of the two it was; None while nothing was read.
    """

    def __init__(self, reader: Reader | None = None) -> None:
        self.reader: Reader | None = None
        self._wanted = reader

    def clusters(self, rows: Sequence[Facts]) -> list[list[Facts]]:
        """The rows in clusters, the largest first, each with the rows nearest to its middle first.

        k-means on unit vectors, with the number of clusters that has the best silhouette. One cluster where none has a good one.
        """
        looked_at = [row for row in rows if row.text.strip()][:MOST_ROWS]
        if len(looked_at) < 2 * FEWEST:
            return [list(rows)]
        vectors = self._vectors([row.text for row in looked_at])
        kinds = _split(vectors)
        if kinds is None:
            return [list(rows)]
        found = [[place for place, kind in enumerate(kinds) if kind == one] for one in sorted(set(kinds))]
        large = sorted((one for one in found if len(one) >= FEWEST), key=lambda one: (-len(one), one[0]))
        clusters = [[looked_at[place] for place in _from_the_middle(vectors, one)] for one in large]
        taken = {row.place for cluster in clusters for row in cluster}
        left = [row for row in rows if row.place not in taken]
        return [*clusters, left] if left else clusters

    def _vectors(self, texts: Sequence[str]) -> "Vectors":
        if "tf-idf" not in (self.reader, self._wanted):
            try:
                vectors = sentence_vectors(texts)
                self.reader = "all-MiniLM-L6-v2"
                return vectors.round(4)  # what differs in the last digits from machine to machine must not decide
            except StageError as refused:
                if not isinstance(refused.reason, PackageUnavailable):
                    raise
        self.reader = "tf-idf"
        return _word_vectors(texts)


def _word_vectors(texts: Sequence[str]) -> "Vectors":
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\S+").fit_transform(texts)
    most = min(COMPONENTS, *(size - 1 for size in words.shape))
    if most < 2:
        vectors: Vectors = normalize(words.toarray())
    else:
        vectors = normalize(TruncatedSVD(most, random_state=SEED).fit_transform(words))
    return vectors.round(4)


def _split(vectors: "Vectors") -> list[int] | None:
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    different = len(np.unique(vectors, axis=0))
    best, kept = SILHOUETTE, None
    for count in range(2, min(MOST_CLUSTERS, len(vectors) // FEWEST, different - 1) + 1):
        kinds = KMeans(count, n_init=10, random_state=SEED).fit_predict(vectors)
        silhouette = float(silhouette_score(vectors, kinds, metric="cosine"))
        if silhouette > best:
            best, kept = silhouette, kinds.tolist()
    return kept


def _from_the_middle(vectors: "Vectors", places: Sequence[int]) -> list[int]:
    near = vectors[list(places)] @ vectors[list(places)].mean(axis=0)
    return [place for _, place in sorted(zip((-near).round(6).tolist(), places, strict=True))]
