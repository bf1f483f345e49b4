"""Why a row did not go on. The codes are stable: people filter and count by them."""

from enum import StrEnum
from typing import Self

_MAP_IT = "Map the field to the column that holds it (--map field=column), or mend the source and import it again."
_MEND_LINE = "Mend the line in the source and import it again."
_LOWER_IT = "Mend the document, or lower the figure of this rule in the preset."
_RAISE_IT = "Mend the document, or raise the figure of this rule in the preset."
_REPEATS = "Take out what is repeated, or raise the figures of this rule in the preset."


class RowReason(StrEnum):
    """A row's reason code.

    Attributes:
        meaning: What was wrong, in one sentence.
        remedy: One thing to do; where nothing need be done, it says so.
    """

    meaning: str
    remedy: str

    def __new__(cls, code: str, meaning: str, remedy: str) -> Self:
        """A code with its sentences: none can be entered without them."""
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.meaning, reason.remedy = meaning, remedy
        return reason

    # Unparseable where it came in: a sentinel row stands in its place.
    INVALID_JSON = "invalid_json", "The line is not valid JSON.", _MEND_LINE
    NOT_AN_OBJECT = "not_an_object", "The line is JSON, but no object with named columns.", _MEND_LINE
    BAD_ENCODING = "bad_encoding", "The line or document is not valid UTF-8.", "Save the file as UTF-8 and import it again."
    INVALID_CSV = "invalid_csv", "The record breaks the rules of CSV, most often by a quote that is not closed.", _MEND_LINE
    WRONG_CELL_COUNT = "wrong_cell_count", "The record has more or fewer cells than the header.", _MEND_LINE
    LINE_TOO_LONG = (
        "line_too_long",
        "The line is longer than what is read into memory at once.",
        "Split the line, or move large content out of the rows.",
    )
    NON_FINITE_NUMBER = "non_finite_number", "A number is NaN or infinite, which JSON does not know.", "Write null instead."
    DUPLICATE_KEYS = "duplicate_keys", "An object has one key twice, so one of its values would be lost.", _MEND_LINE
    LONE_SURROGATE = "lone_surrogate", "Half of a surrogate pair is escaped, which is no character.", _MEND_LINE
    NUL_CHARACTER = "nul_character", "The row holds a NUL character.", "Take it out of the source and import it again."
    NESTED_TOO_DEEP = "nested_too_deep", "The row is nested deeper than rows can be written.", "Make the row flatter."
    TOO_MANY_VALUES = "too_many_values", "The row holds more values than are read at once.", "Split the row."
    TOO_MANY_COLUMNS = "too_many_columns", "The row has more columns than are read.", "Take out the columns that are not needed."
    INVALID_CELL = "invalid_cell", "A cell holds what can't be written as JSON.", "Save that cell as a text or a number."

    # Refused by a mapper.
    MISSING_TEXT = "missing_text", "The text column holds no text.", _MAP_IT
    EMPTY_TEXT = "empty_text", "The text is empty or all white space.", "Fill it in the source, or leave these rows out."
    TOO_SHORT = "too_short", "The text has fewer characters than min_chars.", "Lower min_chars, or leave these rows out."
    MISSING_LABEL = "missing_label", "The label column holds no label.", _MAP_IT
    LABEL_NOT_ALLOWED = (
        "label_not_allowed",
        "The label is none of allowed_labels.",
        "Mend the label, or add it to allowed_labels.",
    )
    NEUTRAL_SCORE = (
        "neutral_score",
        "The score is inside the neutral band, so the row takes no side.",
        "Nothing, if that is meant; else make neutral_band smaller.",
    )
    MISSING_QUESTION = "missing_question", "The question column holds no text.", _MAP_IT
    MISSING_ANSWER = "missing_answer", "The answer column holds no text.", _MAP_IT
    MISSING_CONTEXT = "missing_context", "The context column holds neither a text nor passages.", _MAP_IT
    MISSING_SOURCE = "missing_source", "The source_text column holds no text.", _MAP_IT
    MISSING_TARGET = "missing_target", "The target_text column holds no text.", _MAP_IT
    MISSING_PROMPT = "missing_prompt", "Nothing was asked before the answer: there is no prompt.", _MAP_IT
    MISSING_CHOSEN = "missing_chosen", "There is no chosen answer.", _MAP_IT
    MISSING_REJECTED = "missing_rejected", "There is no rejected answer.", _MAP_IT
    IDENTICAL_PAIR = (
        "identical_pair",
        "The chosen and the rejected answer are the same, so nothing is preferred.",
        "Leave these rows out, or write a rejected answer that is worse.",
    )
    MISSING_MESSAGES = "missing_messages", "The messages column holds no list of messages.", _MAP_IT
    INVALID_MESSAGES_SHAPE = (
        "invalid_messages_shape",
        "A message has no known role, or no text.",
        "Give each message role and content, or from and value; the roles are system, user and assistant.",
    )
    NO_VALID_TURNS = "no_valid_turns", "Every message is empty.", "Fill them in the source, or leave these rows out."
    MISSING_ASSISTANT_REPLY = (
        "missing_assistant_reply",
        "No message is the assistant's, so there is no answer to learn.",
        "Add the answers, or leave these rows out.",
    )
    MISSING_TOKENS = "missing_tokens", "The tokens column holds no list of texts.", _MAP_IT
    MISSING_LABELS = "missing_labels", "The labels column holds no list of tags.", _MAP_IT
    LENGTH_MISMATCH = "length_mismatch", "There are not as many tags as tokens.", "Tag each token exactly once."
    INVALID_TAG = (
        "invalid_tag",
        "A tag is neither O nor one of B, I, L, E, U, S with a hyphen and a type.",
        "Write the tags as BIO, BILOU or IOBES; turn numbers into their names first.",
    )
    NO_FIELDS_EXTRACTED = (
        "no_fields_extracted",
        "None of the fields has a value in this row.",
        "Name other columns in the option fields, or leave these rows out.",
    )
    MISSING_IMAGE = "missing_image", "The image column holds no path or address.", _MAP_IT
    MISSING_AUDIO = "missing_audio", "The audio column holds no path or address.", _MAP_IT
    MISSING_TRANSCRIPT = "missing_transcript", "The transcript column holds no text.", _MAP_IT
    MEDIA_MISSING = (
        "media_missing",
        "The row names a picture or recording that is not there, or may not be read.",
        "Put the file where the path leads from the source's folder, and import again.",
    )
    MEDIA_OUTSIDE = (
        "media_outside",
        "The path leads out of the source's folder.",
        "Put the file beside the source, or name its folder in BREWSLM_MEDIA_FOLDERS.",
    )
    MEDIA_ADDRESS = (
        "media_address",
        "The picture or recording is an address on a network, and nothing is fetched for a row.",
        "Fetch the files first, and name their paths.",
    )
    MEDIA_FORMAT = (
        "media_format",
        "The file is no picture or recording of a format that is read.",
        "Save it as PNG or JPEG, or as WAV, FLAC, OGG or MP3.",
    )
    MEDIA_CORRUPT = (
        "media_corrupt",
        "The picture or recording is damaged, cut off or empty.",
        "Save it anew from its original, and import again.",
    )
    MEDIA_TOO_LARGE = (
        "media_too_large",
        "The file has more bytes, pixels or seconds than are read.",
        "Make it smaller, cut it into parts, or raise BREWSLM_MEDIA_BYTES, _PIXELS or _SECONDS.",
    )
    DUPLICATE_ROW = "duplicate_row", "The project has a row that says the same.", "Nothing: one of the two was kept."

    FORGOTTEN = (
        "forgotten",
        "Somebody had the row's text removed, and it is not taken in again.",
        "Nothing: brewslm row show says who, when, and what had seen it.",
    )

    # Refused by prepare or training.
    OVER_LENGTH = "over_length", "The row has more tokens than the recipe's longest.", "Shorten it, or raise the recipe's length."
    NOTHING_SUPERVISED = "nothing_supervised", "The row holds no answer to learn from.", "Nothing, or write rows with answers."
    TURNS_REWRITTEN = (
        "turns_rewritten",
        "The base model's chat template writes an earlier turn otherwise than the model had to say it.",
        "Choose another base model, or import talks with one reply each.",
    )
    TEMPLATE_REFUSES = (
        "template_refuses",
        "The base model's chat template refuses this order of messages.",
        "Let user and assistant take turns, or choose another base model.",
    )
    HARMFUL_RESPONSE = (
        "harmful_response",
        "The prompt is harmful, and the response does not refuse it.",
        "Write a refusal, or leave the response out: then one is taken.",
    )
    ANSWER_UNSUPPORTED = (
        "answer_unsupported",
        "No passage of the context has the words of the answer.",
        "Give the passage that says it, or map answerable to a column that says false.",
    )
    LEAK = "leak", "The row's text stands in another split already.", "Nothing: it was kept out so that scores stay honest."
    IN_GOLD_SET = (
        "in_gold_set",
        "The row, its group, or one that says nearly the same is in a locked gold set.",
        "Nothing: it is kept out of train so that the gold set stays honest.",
    )
    NOT_DRAWN = "not_drawn", "The sample was full without this row.", "Nothing, or ask for more --rows."
    GOLD_REJECTED = "gold_rejected", "The reviewers of a gold set rejected the row.", "Nothing: it is not in the gold set."
    PROFILE_MISMATCH = (
        "profile_mismatch",
        "The row is of another task than the one that is prepared, or is scored in another way.",
        "Prepare that task with --task-profile, or keep it in a project of its own.",
    )
    NO_TIME = (
        "no_time",
        "The column that the split goes by holds no time in this row.",
        "Write it as ISO 8601 or as seconds since 1970, or split without --time-by.",
    )
    SPLIT_LIMIT = "split_limit", "The splits were full before this row.", "Ask for more --train-rows, or none."
    PII_BLOCK = "pii_block", "Personal data was found, and blocking was asked for.", "Clean with --pii redact instead."

    # Refused by cleaning, where the unit is a document (pii_block above too).
    SOURCE_CHANGED = "source_changed", "The kept copy is not what was added.", "Add the document again."
    LOW_QUALITY = "low_quality", "The document's quality is under the preset's minimum.", "Mend it, or lower the minimum."
    DUPLICATE_DOCUMENT = "duplicate_document", "The text of another document is the same.", "Nothing: one of the two was kept."
    OTHER_LANGUAGE = (
        "other_language",
        "The document is in none of the languages that are asked for.",
        "Nothing, if that is meant; else add its language to the preset's languages.",
    )
    TOO_FEW_WORDS = "too_few_words", "The document has fewer words than the preset's minimum_words.", _LOWER_IT
    TOO_MANY_WORDS = "too_many_words", "The document has more words than the preset's maximum_words.", "Split the document."
    MEAN_WORD_LENGTH = (
        "mean_word_length",
        "Its words are too short or too long on the mean, as where letters are spaced or words run together.",
        "Extract the text from its source again, or widen the preset's word_length.",
    )
    SYMBOL_TO_WORD_RATIO = "symbol_to_word_ratio", "It has too many # or ellipses for its words.", _RAISE_IT
    BULLET_LINES = "bullet_lines", "Nearly all of its lines are list items.", _RAISE_IT
    ELLIPSIS_LINES = "ellipsis_lines", "Too many of its lines end with an ellipsis: they were cut off.", _RAISE_IT
    FEW_ALPHABETIC_WORDS = "few_alphabetic_words", "Too few of its words have a letter in them.", _LOWER_IT
    NO_STOP_WORDS = "no_stop_words", "It lacks the small words of its language, so it is no running text.", _LOWER_IT
    TOO_FEW_SENTENCES = "too_few_sentences", "Too few of its sentences end with a full stop or its like.", _LOWER_IT
    LOREM_IPSUM = "lorem_ipsum", "It holds the placeholder text lorem ipsum.", "Write the real text, or leave the document out."
    CURLY_BRACES = (
        "curly_braces",
        "It holds a curly brace, which on the web is most often code.",
        "Clean with the rules for documents instead of those for the web.",
    )
    DUPLICATE_LINES = "duplicate_lines", "Too many of its lines were there before.", _REPEATS
    DUPLICATE_PARAGRAPHS = "duplicate_paragraphs", "Too many of its paragraphs were there before.", _REPEATS
    REPEATED_PHRASE = "repeated_phrase", "One phrase of 2 to 4 words makes up too much of it.", _REPEATS
    DUPLICATE_PASSAGES = "duplicate_passages", "Too much of it is passages of 5 to 10 words that came before.", _REPEATS
    NEAR_DUPLICATE_DOCUMENT = (
        "near_duplicate_document",
        "The text of an earlier document is nearly the same.",
        "Nothing: the earlier one was kept.",
    )
    DOCUMENT_EMPTY = (
        "document_empty",
        "The document was read, and holds no text.",
        "Nothing, or put in the document that was meant.",
    )
    DOCUMENT_WITHOUT_TEXT_LAYER = (
        "document_without_text_layer",
        "The pages hold pictures, as of a scan, and no text.",
        "Run it through character recognition (such as ocrmypdf), and add the result.",
    )
    DOCUMENT_ENCRYPTED = (
        "document_encrypted",
        "The document opens with a password only.",
        "Save a copy without password, and add that.",
    )
    DOCUMENT_CORRUPT = (
        "document_corrupt",
        "The document is damaged, or not of the kind that it says.",
        "Open it and save it anew, then add it again.",
    )
    DOCUMENT_TOO_LARGE = (
        "document_too_large",
        "The document is larger, unpacks to more, stands deeper within itself, or takes more memory, than is read.",
        "Divide it into parts, or take its pictures out.",
    )
    DOCUMENT_TOO_SLOW = (
        "document_too_slow",
        "The document was not read within its time.",
        "Divide it into parts, or save it as a simpler kind, such as text.",
    )
    UNKNOWN_DOCUMENT_KIND = (
        "unknown_document_kind",
        "The document is of a kind that is not read.",
        "Save it as PDF, .docx, HTML, e-mail (.eml), Markdown or plain text.",
    )
