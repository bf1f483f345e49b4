"""A text and its class."""

from bench.layouts.layout import Layout
from bench.layouts.makers import address, city, day, german, headline, key, number, one_of, passage, question, sentence, share
from bench.layouts.written.words import BIT, CLASS, MOOD, QUEUE, SIGN, _tl

LAYOUTS = [
    Layout("imdb", {"text": passage, "label": BIT}, CLASS, _tl("text", "label")),
    Layout("ag-news", {"text": sentence, "label": one_of(0, 1, 2, 3)}, CLASS, _tl("text", "label")),
    Layout("reviews csv", {"review": passage, "sentiment": SIGN}, CLASS, _tl("review", "sentiment"), csv=True),
    Layout(
        "tickets",
        {"id": number, "created": day, "description": sentence, "category": QUEUE},
        CLASS,
        _tl("description", "category"),
    ),
    Layout("indexed sentences", {"idx": number, "sentence": sentence, "label": BIT}, CLASS, _tl("sentence", "label")),
    Layout("spam v1 v2", {"v1": one_of("ham", "spam"), "v2": sentence}, CLASS, _tl("v2", "v1"), csv=True),
    Layout("spam flag", {"message": sentence, "is_spam": one_of("true", "false")}, CLASS, _tl("message", "is_spam"), csv=True),
    Layout("with split", {"text": sentence, "label": SIGN, "split": one_of("train", "test")}, CLASS, _tl("text", "label")),
    Layout(
        "disasters",
        {"id": number, "keyword": one_of("fire", "flood", "storm"), "location": city, "text": sentence, "target": BIT},
        CLASS,
        _tl("text", "target"),
        csv=True,
    ),
    Layout(
        "intents", {"utterance": question, "intent": one_of("refund", "card_lost", "balance")}, CLASS, _tl("utterance", "intent")
    ),
    Layout("emotions", {"Text": sentence, "Emotion": MOOD}, CLASS, _tl("Text", "Emotion"), csv=True),
    Layout(
        "headlines",
        {"link": address, "headline": headline, "category": one_of("sport", "culture"), "date": day},
        CLASS,
        _tl("headline", "category"),
    ),
    Layout("stars", {"user_id": key, "date": day, "text": passage, "stars": one_of(1, 2, 3, 4, 5)}, CLASS, _tl("text", "stars")),
    Layout(
        "language id",
        {"sentence": lambda n: (sentence, german)[n % 2](n), "lang": lambda n: ("en", "de")[n % 2]},
        CLASS,
        _tl("sentence", "lang"),
    ),
    Layout(
        "german names",
        {"Nachricht": german, "Kategorie": one_of("Lob", "Beschwerde")},
        CLASS,
        _tl("Nachricht", "Kategorie"),
        csv=True,
    ),
    Layout(
        "posts with confidence",
        {"post_id": number, "post": sentence, "mood": SIGN, "mood_confidence": share},
        CLASS,
        _tl("post", "mood"),
        csv=True,
    ),
    Layout(
        "shop reviews",
        {
            "overall": one_of(1, 2, 3, 4, 5),
            "verified": one_of(True, False),
            "reviewerID": key,
            "asin": key,
            "reviewText": passage,
        },
        CLASS,
        _tl("reviewText", "overall"),
    ),
    Layout(
        "category of text",
        {"text": question, "category": one_of("card", "cash", "loan")},
        CLASS,
        _tl("text", "category"),
        csv=True,
    ),
    Layout(
        "headline sarcasm",
        {"is_sarcastic": BIT, "headline": headline, "article_link": address},
        CLASS,
        _tl("headline", "is_sarcastic"),
    ),
    Layout(
        "stances",
        {"Tweet": sentence, "Stance": one_of("FAVOR", "AGAINST", "NONE"), "ID": number},
        CLASS,
        _tl("Tweet", "Stance"),
        csv=True,
    ),
    Layout(
        "clauses",
        {"clause_text": passage, "clause_type": one_of("term", "notice", "law")},
        CLASS,
        _tl("clause_text", "clause_type"),
    ),
]
