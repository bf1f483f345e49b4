"""The nearest known row by TF-IDF: what retrieval alone would answer."""

from collections.abc import Sequence


def nearest(known: Sequence[str], asked: Sequence[str]) -> list[int]:
    """For each text the place of the known one that is nearest by the cosine of TF-IDF over words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    words = TfidfVectorizer(token_pattern=r"(?u)\S+")
    index = NearestNeighbors(n_neighbors=1, metric="cosine").fit(words.fit_transform(known))
    places: list[int] = index.kneighbors(words.transform(asked), return_distance=False)[:, 0].tolist()
    return places
