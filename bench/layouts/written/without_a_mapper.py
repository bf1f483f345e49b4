"""What no mapper suits: nothing may be proposed at 0.80 or more."""

from bench.layouts.layout import Layout
from bench.layouts.makers import (
    city,
    code,
    day,
    file,
    form,
    german,
    headline,
    key,
    moment,
    name,
    number,
    one_of,
    other,
    passage,
    price,
    question,
    reply,
    risky,
    sentence,
    share,
    shop,
    short,
    sometimes,
    tags,
    talk,
    tokens,
    word,
)
from bench.layouts.written.words import BIT, QUEUE

LAYOUTS = [
    Layout(
        "tickets of two texts and two labels",
        {"ticket": key, "subject": headline, "body": sentence, "priority": one_of("low", "high"), "queue": QUEUE},
    ),
    Layout(
        "toxicity in columns",
        {
            "id": key,
            "comment_text": sentence,
            "toxic": BIT,
            "obscene": one_of(1, 0),
            "threat": one_of(0, 1, 0),
            "insult": one_of(0, 0, 1),
        },
    ),
    Layout("sentence pairs", {"sentence1": sentence, "sentence2": other, "label": BIT}),
    Layout(
        "multiple choice",
        {"question": question, "choices": lambda n: [short(n), short(n + 9), city(n)], "answer": one_of(0, 1, 2)},
    ),
    Layout(
        "chosen without prompt",
        {
            "chosen": lambda n: f"Human: {question(n)}\n\nAssistant: {reply(n)}",
            "rejected": lambda n: f"Human: {question(n)}\n\nAssistant: {other(n)}",
        },
    ),
    Layout("tags as numbers", {"tokens": tokens, "ner_tags": lambda n: [int(tag != "O") for tag in tags()(n)]}),
    Layout("ids only", {"user_id": number, "session": key}),
    Layout("numeric table", {"x": share, "y": price, "z": lambda n: share(n + 40)}),
    Layout("two texts", {"a": sentence, "b": other}),
    Layout("products", {"sku": key, "name": lambda n: f"{city(n)} lamp {n}", "price": price, "in_stock": BIT, "category": QUEUE}),
    Layout("vectors", {"id": key, "embedding": lambda n: [share(n + k) for k in range(4)]}),
    Layout("premise hypothesis", {"premise": sentence, "hypothesis": other, "label": one_of(0, 1, 2)}),
    Layout("image classes", {"image": file("jpg"), "label": one_of(0, 1, 2)}),
    Layout("flowers", {"length": share, "width": price, "species": one_of("rose", "aster")}),
    Layout("time series", {"timestamp": moment, "value": price}),
    Layout(
        "contacts",
        {"name": name, "email": lambda n: f"{key(n)}@example.org", "city": city, "phone": lambda n: f"+49 30 {900000 + n}"},
    ),
    Layout("notes and remarks", {"note": sentence, "remark": other, "done": one_of(True, False)}),
    Layout(
        "message tree",
        {"message_tree_id": key, "text": sentence, "role": one_of("prompter", "assistant"), "lang": one_of("en", "de")},
    ),
    Layout("passage and yes or no", {"question": question, "passage": passage, "answer": one_of(True, False)}),
    Layout("several labels in a list", {"text": sentence, "labels": lambda n: [n % 5, n % 3], "id": key}),
    Layout(
        "slots and intent",
        {"utterance": lambda n: " ".join(tokens(n)), "slots": lambda n: " ".join(tags()(n)), "intent": QUEUE},
        csv=True,
    ),
    Layout("scans", {"image": file("png"), "ground_truth": lambda n: {"store": shop(n), "total": price(n)}}),
    Layout("talk about an image", {"id": key, "image": file("jpg"), "conversations": talk("from", "value", "human", "gpt")}),
    Layout("spans of a text", {"text": form, "entities": lambda n: [{"start": 0, "end": 11, "label": "HEAD"}]}),
    Layout(
        "medical",
        {"description": sentence, "specialty": QUEUE, "transcription": passage, "keywords": one_of("a, b", "c, d")},
        csv=True,
    ),
    Layout("doctor talks", {"Description": headline, "Patient": question, "Doctor": reply}),
    Layout(
        "bank complaints",
        {
            "Complaint ID": number,
            "Date received": day,
            "Product": QUEUE,
            "Consumer complaint narrative": passage,
            "State": one_of("NY", "TX", "CA"),
        },
        csv=True,
    ),
    Layout("code comments", {"code": code, "comment": sentence, "language": one_of("python", "go")}),
    Layout("tool talks", {"messages": talk(system=True), "tools": lambda n: [{"name": "clock", "version": n}]}),
    Layout("ranked answers", {"prompt": question, "responses": lambda n: [sentence(n), other(n)], "best": BIT}),
    Layout("sensor log", {"time": moment, "sensor": one_of("a", "b"), "value": price, "unit": one_of("C", "K")}, csv=True),
    Layout(
        "orders",
        {"order_id": key, "customer": name, "note": sometimes(sentence, 2), "status": one_of("open", "sent"), "total": price},
    ),
    Layout("rows of one word", {"word": word, "count": number}),
    Layout(
        "survey",
        {"age": one_of(20, 30, 40), "answer_1": sentence, "answer_2": other, "answer_3": german, "group": one_of("a", "b")},
        csv=True,
    ),
    Layout(
        "mail",
        {"Subject": headline, "Body": passage, "From": lambda n: f"{key(n)}@example.org", "Folder": one_of("work", "home")},
        csv=True,
    ),
    Layout(
        "app reviews", {"app_id": key, "content": sentence, "score": one_of(1, 2, 3, 4, 5), "at": moment, "thumbsUpCount": number}
    ),
    Layout("claims", {"claim": sentence, "evidence": passage, "verdict": one_of("true", "false")}),
    Layout("harmful goals", {"goal": risky, "category": QUEUE, "behavior": sentence, "target": reply}),
    Layout("weather", {"date": day, "station": one_of("n", "s"), "temp": share, "rain": one_of(0, 1)}, csv=True),
]
