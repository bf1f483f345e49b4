"""The figures of cleaning, in presets/cleaning.yaml."""

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from brewslm.presets import checked, read_preset


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutlierPreset(_Strict):
    """When a batch of documents is told to be odd.

    Attributes:
        deviations: How many robust standard deviations from the median make a document an outlier.
        share: Of the documents, 0 to 1.
        minimum_documents: A smaller batch is not judged.
    """

    deviations: float
    share: float
    minimum_documents: int


class ChunkPreset(_Strict):
    """Tokens of a chunk: about `minimum` or more where its section allows, never more than `maximum`."""

    minimum: int
    maximum: int


class LanguagePreset(_Strict):
    """How a language is told, and which are kept.

    Attributes:
        languages: Codes such as "en"; a document in another is rejected as other_language. None: all are kept.
        minimum_characters: A text with fewer, white space apart, is "und": undetermined.
        sample_characters: Of a longer text as many are judged, from its beginning, middle and end.
    """

    languages: tuple[str, ...]
    minimum_characters: int
    sample_characters: int


class PagesPreset(_Strict):
    """When a line at the edge of pages is their header or footer.

    Attributes:
        edge_lines: Lines that are looked at, at the top and at the bottom of each page; empty ones don't count.
        share: More than this share of the pages have the line, whatever the digits in it.
        minimum_pages: A document with fewer keeps all.
    """

    edge_lines: int
    share: float
    minimum_pages: int


class NearDuplicatePreset(_Strict):
    """When a document nearly equals an earlier one, and how that is looked for.

    Attributes:
        jaccard: From this Jaccard similarity of their shingles on.
        candidates: As many earlier documents are compared, those with the most equal bands first.
        documents_per_band: A band that so many documents have says little, and takes no more.
    """

    jaccard: float
    candidates: int
    documents_per_band: int


class SharesPreset(_Strict):
    """The most that may have come before, of lines or paragraphs and of their characters; 0 to 1."""

    parts: float
    characters: float


class LinesPreset(_Strict):
    """Which lines are trimmed, after C4.

    Attributes:
        end_mark: Those that don't end like a sentence.
        minimum_words: Those with fewer words.
        longest_word: Those with a longer word.
        phrases: Those that hold one of these, whatever its case.
    """

    end_mark: bool
    minimum_words: int
    longest_word: int
    phrases: tuple[str, ...]


class RulesPreset(_Strict):
    """Which rules are on; one that is left out is off. Each stands, with its source, in rules.py or repetition.py.

    Attributes:
        lines: Which lines are trimmed before the rules are asked.
        word_length: Least and most of the mean.
        top_phrases: Of 2 to 4 words: their most share.
        duplicate_passages: Of 5 to 10 words: their most share.
    """

    lines: LinesPreset | None = None
    minimum_words: int | None = None
    maximum_words: int | None = None
    word_length: tuple[float, float] | None = None
    symbols: float | None = None
    bullet_lines: float | None = None
    ellipsis_lines: float | None = None
    alphabetic_words: float | None = None
    stop_words: int | None = None
    sentences: int | None = None
    lorem_ipsum: bool = False
    curly_braces: bool = False
    duplicate_lines: SharesPreset | None = None
    duplicate_paragraphs: SharesPreset | None = None
    top_phrases: dict[Annotated[int, Field(ge=2, le=4)], float] = {}
    duplicate_passages: dict[Annotated[int, Field(ge=5, le=10)], float] = {}


class PiiPreset(_Strict):
    """How personal data is looked for.

    Attributes:
        phone_regions: Countries whose phone numbers are read without a country code, such as "US".
        ner: Whether names and places are looked for too, which needs the extra `pii-ner`.
    """

    phone_regions: tuple[str, ...]
    ner: bool = False


class CleaningPreset(_Strict):
    """All of it.

    Attributes:
        boilerplate: Regular expressions, without case; a line that matches one is trimmed.
        minimum_quality: A document below it is rejected.
        rules: By name: `documents` for a team's own, `web` for crawled pages.
    """

    boilerplate: tuple[str, ...]
    pages: PagesPreset
    pii: PiiPreset
    language: LanguagePreset
    minimum_quality: float
    rules: dict[Literal["documents", "web"], RulesPreset]
    near_duplicate: NearDuplicatePreset
    outlier: OutlierPreset
    chunk: ChunkPreset


@cache
def cleaning_preset() -> CleaningPreset:
    """The preset, read once."""
    return checked(read_preset("cleaning"), CleaningPreset, "cleaning.yaml")
