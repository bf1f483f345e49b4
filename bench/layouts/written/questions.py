"""Questions and answers, with and without what they are answered from."""

from bench.layouts.layout import Layout
from bench.layouts.makers import (
    address,
    code,
    day,
    german,
    german_question,
    headline,
    key,
    moment,
    name,
    number,
    one_of,
    order,
    passage,
    question,
    reply,
    sentence,
    short,
    sometimes,
)
from bench.layouts.written.words import QA, QUEUE, RAG, _qa, _rag

LAYOUTS = [
    Layout(
        "alpaca",
        {"instruction": order, "input": sometimes(sentence, 3), "output": reply},
        QA,
        _qa("instruction", "output", input="input"),
    ),
    Layout("question answer", {"question": question, "answer": reply}, QA, _qa("question", "answer")),
    Layout("prompt completion", {"prompt": order, "completion": reply}, QA, _qa("prompt", "completion")),
    Layout(
        "capital names", {"Question": question, "Answer": reply, "source_url": address}, QA, _qa("Question", "Answer"), csv=True
    ),
    Layout("short answers", {"question": question, "answer": short}, QA, _qa("question", "answer")),
    Layout("long answers", {"question": passage, "answer": passage}, QA, _qa("question", "answer")),
    Layout(
        "context now and then",
        {"instruction": order, "context": sometimes(passage, 4), "response": reply, "category": QUEUE},
        QA,
        _qa("instruction", "response", input="context"),
    ),
    Layout(
        "squad",
        {
            "id": key,
            "title": headline,
            "context": passage,
            "question": question,
            "answers": lambda n: {"text": [short(n)], "answer_start": [3 * n]},
        },
        RAG,
        _rag("question", "context", "answers.text"),
    ),
    Layout(
        "rag csv",
        {"question": question, "context": passage, "answer": reply},
        RAG,
        _rag("question", "context", "answer"),
        csv=True,
    ),
    Layout(
        "passage",
        {"id": number, "passage": passage, "question": question, "answer": short},
        RAG,
        _rag("question", "passage", "answer"),
    ),
    Layout(
        "alpaca with its prompt",
        {
            "instruction": order,
            "input": sometimes(sentence, 2),
            "output": reply,
            "text": lambda n: f"Below is a task.\n\n{order(n)}\n\n{reply(n)}",
        },
        QA,
        _qa("instruction", "output", input="input"),
        csv=True,
    ),
    Layout("query reply", {"id": number, "query": question, "reply": reply, "timestamp": moment}, QA, _qa("query", "reply")),
    Layout("input output", {"input": order, "output": reply}, QA, _qa("input", "output")),
    Layout("answer lists", {"question": question, "answer": lambda n: [short(n), name(n)]}, QA, _qa("question", "answer")),
    Layout(
        "faq",
        {"id": number, "question": question, "answer": reply, "category": QUEUE, "updated": day},
        QA,
        _qa("question", "answer"),
        csv=True,
    ),
    Layout("code answers", {"instruction": order, "output": code}, QA, _qa("instruction", "output")),
    Layout(
        "passages",
        {"query": question, "passages": lambda n: [passage(n), passage(n + 30)], "response": reply},
        RAG,
        _rag("query", "passages", "response"),
    ),
    Layout(
        "rag eval",
        {"question": question, "contexts": lambda n: [passage(n)], "ground_truth": reply},
        RAG,
        _rag("question", "contexts", "ground_truth"),
    ),
    Layout(
        "dolly",
        {"instruction": question, "context": passage, "response": reply, "category": QUEUE},
        RAG,
        _rag("instruction", "context", "response"),
    ),
    Layout(
        "system prompt",
        {"id": key, "system_prompt": order, "question": question, "response": reply},
        QA,
        _qa("question", "response"),
    ),
    Layout(
        "german faq",
        {"Frage": german_question, "Antwort": german},
        QA,
        _qa("Frage", "Antwort"),
        csv=True,
    ),
    Layout(
        "open questions with metadata",
        {"question_id": key, "question": question, "answer": reply, "type": one_of("who", "why"), "level": one_of(1, 2, 3)},
        QA,
        _qa("question", "answer"),
    ),
    Layout(
        "grounded answers",
        {"id": key, "document": passage, "question": question, "answer": reply, "is_answerable": one_of(True, True, True)},
        RAG,
        _rag("question", "document", "answer"),
    ),
    Layout(
        "help desk", {"user_message": question, "agent_reply": reply, "ticket_id": number}, QA, _qa("user_message", "agent_reply")
    ),
    Layout(
        "instruction response",
        {"instruction": order, "response": reply, "model": one_of("a", "b"), "tokens": number},
        QA,
        _qa("instruction", "response"),
    ),
    Layout(
        "reading",
        {"story": passage, "question": question, "answer": short, "source": one_of("book", "web")},
        RAG,
        _rag("question", "story", "answer"),
    ),
]
