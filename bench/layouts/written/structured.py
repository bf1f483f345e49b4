"""Tagged words, and values that stand in a text."""

from bench.layouts.layout import Layout
from bench.layouts.makers import (
    advert,
    city,
    day,
    file,
    form,
    invoice,
    key,
    name,
    number,
    one_of,
    post,
    price,
    sentence,
    shop,
    tags,
    tokens,
)
from bench.layouts.written.words import BIO, KV

LAYOUTS = [
    Layout("conll", {"id": number, "tokens": tokens, "ner_tags": tags()}, BIO, {"tokens": "tokens", "labels": "ner_tags"}),
    Layout(
        "words between spaces",
        {"words": lambda n: " ".join(tokens(n)), "tags": lambda n: " ".join(tags()(n))},
        BIO,
        {"tokens": "words", "labels": "tags"},
        csv=True,
    ),
    Layout(
        "invoices",
        {"ocr_text": invoice, "invoice_number": lambda n: f"INV-{1000 + n}", "vendor": shop, "date": day, "total": price},
        KV,
        {"text": "ocr_text", "fields": "invoice_number,vendor,date,total"},
    ),
    Layout(
        "forms",
        {"file": file("pdf"), "raw_text": form, "name": name, "born": day, "city": city},
        KV,
        {"text": "raw_text", "fields": "name,born,city"},
        csv=True,
    ),
    Layout(
        "conll with parts of speech",
        {"tokens": tokens, "pos_tags": lambda n: ["NN" for _ in tokens(n)], "ner_tags": tags()},
        BIO,
        {"tokens": "tokens", "labels": "ner_tags"},
    ),
    Layout("bilou", {"words": tokens, "tags": tags("BILOU")}, BIO, {"tokens": "words", "labels": "tags"}),
    Layout(
        "lists as python writes them",
        {"tokens": lambda n: repr(tokens(n)), "labels": lambda n: repr(tags()(n))},
        BIO,
        {"tokens": "tokens", "labels": "labels"},
        csv=True,
    ),
    Layout(
        "receipts",
        {"text": invoice, "parsed": lambda n: {"store": shop(n), "date": day(n), "total": price(n)}},
        KV,
        {"text": "text", "fields": "parsed.store,parsed.date,parsed.total"},
    ),
    Layout(
        "job adverts",
        {"description": advert, "company": shop, "city": city, "position": post},
        KV,
        {"text": "description", "fields": "company,city,position"},
        csv=True,
    ),
    Layout(
        "resumes",
        {
            "resume_text": lambda n: f"{name(n)}\nMail: {key(n)}@example.org\n{sentence(n)}",
            "Name": name,
            "Email": lambda n: f"{key(n)}@example.org",
        },
        KV,
        {"text": "resume_text", "fields": "Name,Email"},
        csv=True,
    ),
    Layout(
        "words and tags with ids",
        {"sentence_id": number, "words": tokens, "pos": lambda n: ["X"] * len(tokens(n)), "ner": tags()},
        BIO,
        {"tokens": "words", "labels": "ner"},
    ),
    Layout(
        "gene mentions",
        {"id": number, "tokens": tokens, "tags": lambda n: [tag.replace("PER", "gene-name") for tag in tags()(n)]},
        BIO,
        {"tokens": "tokens", "labels": "tags"},
    ),
    Layout(
        "delivery notes",
        {"doc_id": key, "text": invoice, "sender": shop, "issued": day, "amount": price, "pages": one_of(1, 2)},
        KV,
        {"text": "text", "fields": "sender,issued,amount"},
    ),
    Layout(
        "places",
        {"tokens": tokens, "ner_tags": tags(), "document_id": key, "sent": number},
        BIO,
        {"tokens": "tokens", "labels": "ner_tags"},
    ),
    Layout(
        "scanned forms",
        {"text": form, "answers": lambda n: {"name": name(n), "born": day(n)}, "pages": one_of(1, 2)},
        KV,
        {"text": "text", "fields": "answers.name,answers.born"},
    ),
]
