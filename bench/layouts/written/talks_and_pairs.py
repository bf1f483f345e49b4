"""Talks, pairs of a better and a worse answer, and a text that becomes another."""

from bench.layouts.layout import Layout
from bench.layouts.makers import (
    answered,
    day,
    german,
    headline,
    key,
    number,
    one_of,
    order,
    other,
    passage,
    price,
    question,
    reply,
    sentence,
    share,
    summary,
    talk,
)
from bench.layouts.written.words import CHAT, PREF, SEQ, _st

LAYOUTS = [
    Layout("openai chat", {"messages": talk(system=True)}, CHAT, {"messages": "messages"}),
    Layout("sharegpt", {"id": key, "conversations": talk("from", "value", "human", "gpt")}, CHAT, {"messages": "conversations"}),
    Layout(
        "sharegpt with system",
        {"system": lambda n: "Be brief." if n % 2 else "", "conversations": talk("from", "value", "human", "gpt")},
        CHAT,
        {"messages": "conversations", "system": "system"},
    ),
    Layout(
        "dpo", {"prompt": question, "chosen": sentence, "rejected": other}, PREF, {c: c for c in ("prompt", "chosen", "rejected")}
    ),
    Layout(
        "dpo of talks",
        {
            "prompt": question,
            "prompt_id": key,
            "chosen": answered("good"),
            "rejected": answered("bad"),
            "score_chosen": share,
            "score_rejected": price,
        },
        PREF,
        {c: c for c in ("prompt", "chosen", "rejected")},
    ),
    Layout(
        "translation object",
        {"translation": lambda n: {"en": sentence(n), "de": german(n)}},
        SEQ,
        _st("translation.en", "translation.de"),
    ),
    Layout("article highlights", {"article": passage, "highlights": summary, "id": key}, SEQ, _st("article", "highlights")),
    Layout("document summary", {"document": passage, "summary": summary}, SEQ, _st("document", "summary"), csv=True),
    Layout("source target", {"source": sentence, "target": german}, SEQ, _st("source", "target"), csv=True),
    Layout(
        "source_text target_text",
        {"source_text": sentence, "target_text": other, "date": day},
        SEQ,
        _st("source_text", "target_text"),
    ),
    Layout("chat csv", {"conversation_id": key, "messages": talk()}, CHAT, {"messages": "messages"}, csv=True),
    Layout(
        "chat with source",
        {"conversation": talk(), "source": one_of("web", "app"), "meta": lambda n: {"turns": n}},
        CHAT,
        {"messages": "conversation"},
    ),
    Layout(
        "dpo with question",
        {"system": one_of("Be brief.", ""), "question": question, "chosen": sentence, "rejected": other},
        PREF,
        {"prompt": "question", "chosen": "chosen", "rejected": "rejected"},
    ),
    Layout(
        "two talks", {"chosen": answered("good"), "rejected": answered("bad")}, PREF, {"chosen": "chosen", "rejected": "rejected"}
    ),
    Layout("dialogue summary", {"id": key, "dialogue": passage, "summary": summary}, SEQ, _st("dialogue", "summary")),
    Layout("src tgt", {"src": sentence, "tgt": german}, SEQ, _st("src", "tgt")),
    Layout("language columns", {"en": sentence, "de": german}, SEQ, _st("en", "de"), csv=True),
    Layout("bills", {"text": passage, "summary": summary, "title": headline}, SEQ, _st("text", "summary")),
    Layout("english german", {"id": number, "english": sentence, "german": german}, SEQ, _st("english", "german"), csv=True),
    Layout(
        "grammar",
        {"source": sentence, "target": other, "id": number, "split": one_of("train", "dev")},
        SEQ,
        _st("source", "target"),
    ),
    Layout("news summary", {"Article": passage, "Summary": summary, "Date": day}, SEQ, _st("Article", "Summary"), csv=True),
    Layout(
        "chat with ratings", {"messages": talk(), "rating": one_of(1, 2, 3, 4, 5), "user_id": key}, CHAT, {"messages": "messages"}
    ),
    Layout(
        "preference as text",
        {"instruction": order, "accepted": sentence, "rejected": other, "margin": share},
        PREF,
        {"prompt": "instruction", "chosen": "accepted", "rejected": "rejected"},
    ),
    Layout(
        "chat with id and model",
        {
            "conversation_id": key,
            "model": one_of("a", "b"),
            "conversation": talk(),
            "turn": one_of(1, 2),
            "language": one_of("en", "de"),
        },
        CHAT,
        {"messages": "conversation"},
    ),
    Layout(
        "chats in csv",
        {"id": number, "conversations": talk("from", "value", "human", "gpt")},
        CHAT,
        {"messages": "conversations"},
        csv=True,
    ),
    Layout(
        "pairs with margins",
        {"question": question, "chosen": reply, "rejected": other, "source": one_of("x", "y"), "chosen_score": share},
        PREF,
        {"prompt": "question", "chosen": "chosen", "rejected": "rejected"},
        csv=True,
    ),
    Layout(
        "abstracts",
        {"article": passage, "abstract": summary, "section_names": one_of("intro", "results")},
        SEQ,
        _st("article", "abstract"),
    ),
    Layout(
        "french",
        {"id": key, "translation": lambda n: {"de": german(n), "en": sentence(n)}},
        SEQ,
        _st("translation.de", "translation.en"),
    ),
]
