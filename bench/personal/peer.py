"""Presidio's pattern recognisers over texts: `python peer.py TEXTS LENIENCY` prints a list of spans per text.

Runs in the toolchain; imports nothing of brewslm. No model of names is loaded: spaCy's blank pipelines give the words that
Presidio's context enhancer reads, each in the text's language. The last line is {"seconds": …}.
"""

import json
import sys
import time
from pathlib import Path

import spacy
import tldextract
from spacy.language import Language

tldextract.extract = tldextract.TLDExtract(
    suffix_list_urls=(), cache_dir=None
)  # else it fetches a list at the first mail address
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: E402
from presidio_analyzer import predefined_recognizers as known  # noqa: E402
from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: E402

EVERYWHERE = ("CreditCard", "Crypto", "Email", "Iban", "Ip", "MacAddress")
BY_LANGUAGE = {
    "en": ("UsSsn", "UsItin", "UsPassport", "UkNino", "Nhs", "UkPassport"),
    "de": ("DeTaxId", "DePassport", "DeVatId", "DeSocialSecurity"),
    "fr": (),
    "es": ("EsNif", "EsNie", "EsPassport"),
    "it": ("ItFiscalCode", "ItPassport", "ItVatCode"),
}
TYPES = {
    "CREDIT_CARD": "card", "CRYPTO": "crypto", "EMAIL_ADDRESS": "email", "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip", "MAC_ADDRESS": "mac",
    "PHONE_NUMBER": "phone", "US_SSN": "ssn", "US_ITIN": "ssn", "UK_NINO": "national_id", "UK_NHS": "national_id",
    "DE_TAX_ID": "national_id", "DE_SOCIAL_SECURITY": "national_id", "ES_NIF": "national_id", "ES_NIE": "national_id",
    "IT_FISCAL_CODE": "national_id", "US_PASSPORT": "passport", "UK_PASSPORT": "passport", "DE_PASSPORT": "passport",
    "ES_PASSPORT": "passport", "IT_PASSPORT": "passport", "DE_VAT_ID": "tax_id", "IT_VAT_CODE": "tax_id",
}  # fmt: skip
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN")


@Language.component("words")
def words(doc):  # noqa: ANN001, ANN201
    """Each word's lemma is the word in small letters: what the recognisers' context words are held against."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


def analyzer(leniency: int) -> AnalyzerEngine:
    """Every recogniser that has a type here, in all five languages."""
    engine = SpacyNlpEngine(models=[{"lang_code": one, "model_name": "blank"} for one in BY_LANGUAGE])
    engine.nlp = {}
    registry = RecognizerRegistry(supported_languages=list(BY_LANGUAGE))
    for language, own in BY_LANGUAGE.items():
        engine.nlp[language] = spacy.blank(language)
        engine.nlp[language].add_pipe("words")
        for name in EVERYWHERE + own:
            registry.add_recognizer(getattr(known, f"{name}Recognizer")(supported_language=language))
        registry.add_recognizer(known.PhoneRecognizer(supported_language=language, supported_regions=REGIONS, leniency=leniency))
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=list(BY_LANGUAGE))


def main() -> None:
    """Analyse each text in its language; leniency 0 takes any possible phone number, 1 only those given out."""
    engine = analyzer(int(sys.argv[2]))
    texts = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    entities = sorted(TYPES)
    engine.analyze("warm up 1.2.3.4", language="en")
    begun = time.process_time()
    for one in texts:
        language = one["locale"][:2]
        wanted = [entity for entity in entities if entity in set(engine.get_supported_entities(language))]
        found = engine.analyze(one["text"], language=language, entities=wanted)
        print(json.dumps([[TYPES[each.entity_type], each.start, each.end, round(each.score, 2)] for each in found]))
    print(json.dumps({"seconds": time.process_time() - begun}))


if __name__ == "__main__":
    main()
