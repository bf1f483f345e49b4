import pytest

from brewslm.filters.language import LanguageAllowed, language_of
from brewslm.filters.preset import cleaning_preset
from brewslm.rows import RowReason
from tests.filters.documents import document
from tests.filters.test_text import PROSE

PRESET = cleaning_preset().language
SENTENCES = {
    "en": "The invoice was sent on Monday, and the customer has not answered since then.",
    "de": "Die Rechnung wurde am Montag verschickt, und der Kunde hat seitdem nicht geantwortet.",
    "fr": "La facture a été envoyée lundi, et le client n’a pas encore répondu depuis ce jour.",
    "es": "La factura se envió el lunes y el cliente todavía no ha contestado desde entonces.",
    "it": "La fattura è stata spedita lunedì e il cliente non ha ancora risposto da allora.",
    "pt": "A fatura foi enviada na segunda-feira e o cliente ainda não respondeu desde então.",
    "nl": "De rekening is maandag verstuurd en de klant heeft sindsdien nog niet geantwoord.",
    "ja": "請求書は月曜日に送られましたが、お客様からはまだ返事がありません。",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_enough_to_tell_a_language(code):
    found = language_of(SENTENCES[code], PRESET)
    assert found.code == code and 0.5 < found.probability <= 1.0


@pytest.mark.parametrize("text", ["", "Ok.", "  \n 42 ", "Guten Tag"])
def test_a_short_text_is_undetermined(text):
    assert language_of(text, PRESET).code == "und"


def test_a_long_text_is_judged_by_its_middle_and_end_too():
    table = "\n".join(f"{number} | {number * 7} | N/A" for number in range(200))
    german = (
        SENTENCES["de"] + " Wir bitten daher um eine kurze Auskunft, ob noch Unterlagen fehlen oder etwas unklar geblieben ist."
    )
    assert language_of(f"{table}\n{german * 60}", PRESET).code == "de"


def test_only_another_language_is_turned_away():
    only = LanguageAllowed(("en", "de"))
    assert only.keeps(document(PROSE, "de")) is True
    assert only.keeps(document(PROSE, "und")) is True
    assert only.keeps(document(PROSE, "fr")) == (False, RowReason.OTHER_LANGUAGE)
    assert LanguageAllowed(()).keeps(document(PROSE, "fr")) is True
