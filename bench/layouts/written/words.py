"""Short words for the layouts of this folder."""

from bench.layouts.makers import one_of

CLASS, QA, RAG, CHAT, PREF = (
    "label_to_classification", "qa_pair_passthrough", "rag_passthrough", "chat_messages_passthrough", "preference_pair",
)  # fmt: skip
SEQ, BIO, KV, TEXT, IMAGE, AUDIO, SAFE = (
    "seq2seq_pair", "bio_to_spans", "kv_to_structured", "text_only", "image_text", "audio_transcript", "safety_prompt",
)  # fmt: skip
MOOD, SIGN, QUEUE = (
    one_of("happy", "sad", "angry", "calm"),
    one_of("positive", "negative"),
    one_of("billing", "delivery", "login"),
)
BIT = one_of(0, 1)


def _tl(text: str, label: str) -> dict[str, str]:
    return {"text": text, "label": label}


def _qa(q: str, a: str, **more: str) -> dict[str, str]:
    return {"question": q, "answer": a, **more}


def _rag(q: str, c: str, a: str) -> dict[str, str]:
    return {"question": q, "context": c, "answer": a}


def _st(source: str, target: str) -> dict[str, str]:
    return {"source_text": source, "target_text": target}
