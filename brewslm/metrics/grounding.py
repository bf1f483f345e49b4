"""Whether a passage says what an answer says, by their words. Meaning is not looked at: a denial has the same words."""

import re

_WORD = re.compile(r"[^\W_]+")
_NOT_KNOWN = re.compile(
    r"^(?:(?:the|this) (?:context|text|passages?|documents?) (?:does|do|did)(?: not|n't) (?:say|contain|mention|answer)"
    r"|i (?:don't|do not) know|not (?:in|found in) the (?:context|text|passages?|documents?)"
    r"|no answer|unanswerable|not answerable)\b",
    re.IGNORECASE,
)


def content_words(text: str) -> set[str]:
    """The words of a text in lower case, without scikit-learn's English stop words; all of them where it has no others.

    In another language every word counts, which makes `support` stricter.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = {word.lower() for word in _WORD.findall(text)}
    return words - ENGLISH_STOP_WORDS or words


def support(answer: str, passage: str) -> float:
    """The share of the answer's content words that stand in the passage; 0 for an answer without words."""
    words = content_words(answer)
    held = {word.lower() for word in _WORD.findall(passage)}
    return len(words & held) / len(words) if words else 0.0


def says_not_known(answer: str, fixed: str) -> bool:
    """Whether an answer is none: empty, the fixed sentence, or one that begins as such answers do."""
    plain = answer.replace("\u2019", "'").strip()
    return not plain or plain.rstrip(".").lower() == fixed.rstrip(".").lower() or bool(_NOT_KNOWN.match(plain))
