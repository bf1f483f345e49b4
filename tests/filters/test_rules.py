import pytest

from brewslm.filters.base import first_reason
from brewslm.filters.preset import RulesPreset, SharesPreset, cleaning_preset
from brewslm.filters.ruleset import ruleset
from brewslm.rows import RowReason
from tests.filters.documents import document
from tests.filters.test_text import PROSE

RULES = cleaning_preset().rules
SHARES = SharesPreset(parts=0.3, characters=0.2)
# One rule switched on, a text that it turns away, and one near the limit that it keeps.
CASES = [
    ({"minimum_words": 5}, "only four words here", "now there are five words", RowReason.TOO_FEW_WORDS),
    ({"minimum_words": 3}, "two words – * !", "now three words", RowReason.TOO_FEW_WORDS),
    ({"maximum_words": 3}, "one two three four", "one two three *", RowReason.TOO_MANY_WORDS),
    ({"word_length": (3, 10)}, "l e t t e r s", "The letters stand", RowReason.MEAN_WORD_LENGTH),
    ({"word_length": (3, 10)}, "wordsrunintoeachother", "words run along", RowReason.MEAN_WORD_LENGTH),
    ({"symbols": 0.1}, "#a #b c d", f"#one {PROSE}", RowReason.SYMBOL_TO_WORD_RATIO),
    ({"symbols": 0.1}, "so... it goes…", f"well… {PROSE}", RowReason.SYMBOL_TO_WORD_RATIO),
    ({"alphabetic_words": 0.5}, "1 2 3 four", "1 2 three vier", RowReason.FEW_ALPHABETIC_WORDS),
    ({"alphabetic_words": 0.5}, "1 2 3 vière", "1 2 trois quatrième", RowReason.FEW_ALPHABETIC_WORDS),
    ({"stop_words": 2}, "apple pear plum the", "the apple and pear", RowReason.NO_STOP_WORDS),
    ({"sentences": 2}, "One sentence. And then", "One sentence. “And two.”", RowReason.TOO_FEW_SENTENCES),
    ({"lorem_ipsum": True}, "Lorem Ipsum dolor", "Lorem is a name", RowReason.LOREM_IPSUM),
    ({"curly_braces": True}, "int main() { }", "a (b) [c]", RowReason.CURLY_BRACES),
    ({"bullet_lines": 0.9}, "- a\n• b\n* c", "A list:\n- a\n- b", RowReason.BULLET_LINES),
    ({"ellipsis_lines": 0.3}, "Read…\nmore...\nnow.", "Read…\nit\nall\nnow.", RowReason.ELLIPSIS_LINES),
    ({"duplicate_lines": SHARES}, "same\nsame\nother", "a\nb\nc\nd and more of it\na", RowReason.DUPLICATE_LINES),
    ({"duplicate_paragraphs": SHARES}, "same\n\nsame\n\nother", "a\nb\n\nc", RowReason.DUPLICATE_PARAGRAPHS),
    ({"top_phrases": {2: 0.2}}, "buy now buy now and again", PROSE, RowReason.REPEATED_PHRASE),
    ({"duplicate_passages": {5: 0.15}}, "a b c d e f " * 2, PROSE, RowReason.DUPLICATE_PASSAGES),
]


@pytest.mark.parametrize(("on", "bad", "good", "reason"), CASES, ids=[f"{case[3]}-{number}" for number, case in enumerate(CASES)])
def test_a_rule_turns_away_what_it_names_and_nothing_else(on, bad, good, reason):
    rules = ruleset(RulesPreset(**on))
    assert len(rules) == 1
    assert first_reason(rules, document(bad)) is reason
    assert first_reason(rules, document(good)) is None


def test_every_rule_has_a_case_and_is_off_unless_named():
    assert ruleset(RulesPreset()) == ()
    assert {key for case in CASES for key in case[0]} == set(RulesPreset.model_fields) - {"lines"}
    assert len(ruleset(RULES["web"])) == len(RulesPreset.model_fields) - 1


@pytest.mark.parametrize("text", ["", " ", "\n\n", "•", "…", "日本語", "a"])
def test_no_rule_breaks_on_a_text_of_almost_nothing(text):
    for rule in ruleset(RULES["web"]):
        assert rule.keeps(document(text)) is True or rule.keeps(document(text))[1] in RowReason


def test_a_language_without_spaces_is_not_judged_by_its_words():
    rules = ruleset(RulesPreset(minimum_words=5, word_length=(3, 10)))
    assert first_reason(rules, document("請求書は月曜日に送られましたが、お客様からはまだ返事がありません。", "und")) is None


def test_a_quoted_sign_does_not_spare_a_text_its_words():
    text = "Thesignsof日本weredescribedinthewholeofthatoldtravelbookindetail"
    assert first_reason(ruleset(RulesPreset(word_length=(3, 10))), document(text)) is RowReason.MEAN_WORD_LENGTH


def test_a_language_without_stop_words_here_is_not_judged_by_them():
    assert first_reason(ruleset(RulesPreset(stop_words=2)), document("Faktura została wysłana w poniedziałek", "pl")) is None


KEPT = {
    "note": "Call Bob re: printer (2nd floor).",
    "faq": "Q: How do I reset my password?\nA: Open Settings > Account and choose Reset.",
    "code": "def area(r):\n    return {'area': 3.14 * r * r}\n\nfor r in range(3):\n    print(area(r))\n",
    "list": "\n".join(f"- {item}" for item in ("milk", "bread", "eggs", "rye flour")),
    "log": "\n".join(f"2024-03-0{n} 10:0{n} service restarted on host-{n}" for n in range(1, 8)),
    "german": "Öffnungszeiten: Mo–Fr 9–17 Uhr.",
    "japanese": "請求書は月曜日に送られましたが、お客様からはまだ返事がありません。",
}


@pytest.mark.parametrize("name", KEPT)
def test_the_rules_for_documents_keep_what_a_company_writes(name):
    assert first_reason(ruleset(RULES["documents"]), document(KEPT[name])) is None


def test_the_rules_for_documents_turn_away_what_is_broken():
    rules = ruleset(RULES["documents"])
    assert first_reason(rules, document("T h e l e t t e r s o f t h i s p a g e")) is RowReason.MEAN_WORD_LENGTH
    assert first_reason(rules, document("Retry the request\n" * 30)) is RowReason.DUPLICATE_LINES
    assert first_reason(rules, document("again and again " * 40)) is RowReason.REPEATED_PHRASE
    assert first_reason(rules, document("12 | 9.5 | 44 | 7\n8 | 3.1 | 20 | 6")) is RowReason.FEW_ALPHABETIC_WORDS


def test_the_rules_for_the_web_keep_prose():
    assert first_reason(ruleset(RULES["web"]), document(PROSE)) is None
