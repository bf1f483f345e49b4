"""Why a row did not go on. The codes are stable: people filter and count by them."""

from enum import StrEnum


class RowReason(StrEnum):
    """A row's reason code."""

    # Unparseable where it came in: a sentinel row stands in its place.
    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    BAD_ENCODING = "bad_encoding"
    INVALID_CSV = "invalid_csv"
    WRONG_CELL_COUNT = "wrong_cell_count"
    LINE_TOO_LONG = "line_too_long"
    NON_FINITE_NUMBER = "non_finite_number"
    DUPLICATE_KEYS = "duplicate_keys"
    LONE_SURROGATE = "lone_surrogate"
    NUL_CHARACTER = "nul_character"
    NESTED_TOO_DEEP = "nested_too_deep"
    TOO_MANY_VALUES = "too_many_values"
    TOO_MANY_COLUMNS = "too_many_columns"
    INVALID_CELL = "invalid_cell"

    # Refused by a mapper.
    MISSING_TEXT = "missing_text"
    EMPTY_TEXT = "empty_text"
    MISSING_LABEL = "missing_label"
    LABEL_NOT_ALLOWED = "label_not_allowed"
    NEUTRAL_SCORE = "neutral_score"
    MISSING_QUESTION = "missing_question"
    MISSING_ANSWER = "missing_answer"
    MISSING_TOKENS = "missing_tokens"
    MISSING_LABELS = "missing_labels"
    LENGTH_MISMATCH = "length_mismatch"
    INVALID_TAG = "invalid_tag"
    DUPLICATE_ROW = "duplicate_row"

    # Refused by prepare or training.
    OVER_LENGTH = "over_length"
    NOTHING_SUPERVISED = "nothing_supervised"
    LEAK = "leak"
    OTHER_TASK = "other_task"
    SPLIT_LIMIT = "split_limit"
    PII_BLOCK = "pii_block"

    # Refused by cleaning, where the unit is a document (pii_block above too).
    SOURCE_CHANGED = "source_changed"
    LOW_QUALITY = "low_quality"
    DUPLICATE_DOCUMENT = "duplicate_document"
