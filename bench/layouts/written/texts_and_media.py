"""Texts alone, images, recordings, and prompts with the harm in them."""

from bench.layouts.layout import Layout
from bench.layouts.makers import (
    address,
    caption,
    code,
    day,
    file,
    headline,
    key,
    moment,
    name,
    number,
    one_of,
    passage,
    price,
    question,
    reply,
    risky,
    sentence,
    short,
    sometimes,
)
from bench.layouts.written.words import AUDIO, IMAGE, SAFE, TEXT

LAYOUTS = [
    Layout("plain text", {"text": passage}, TEXT, {"text": "text"}),
    Layout("crawl", {"text": passage, "url": address, "timestamp": moment, "id": key}, TEXT, {"text": "text"}),
    Layout("markdown bodies", {"body": passage}, TEXT, {"text": "body"}, csv=True),
    Layout("captions", {"image_path": file("jpg"), "caption": caption}, IMAGE, {"image": "image_path", "text": "caption"}),
    Layout(
        "questions on images",
        {"image": lambda n: {"bytes": None, "path": file("png")(n)}, "question": question, "answer": short},
        IMAGE,
        {"image": "image", "text": "answer", "prompt": "question"},
    ),
    Layout(
        "voices",
        {"client_id": key, "path": file("mp3"), "sentence": sentence, "up_votes": one_of(0, 1, 2, 3)},
        AUDIO,
        {"audio": "path", "transcript": "sentence"},
    ),
    Layout(
        "speech manifest",
        {"audio_filepath": file("wav"), "duration": price, "text": sentence},
        AUDIO,
        {"audio": "audio_filepath", "transcript": "text"},
    ),
    Layout(
        "harm categories",
        {"prompt": risky, "harm_category": one_of("theft", "fraud", "none")},
        SAFE,
        {"prompt": "prompt", "label": "harm_category"},
    ),
    Layout("source files", {"content": code, "path": file("py"), "size": number}, TEXT, {"text": "content"}),
    Layout("encyclopedia", {"id": number, "url": address, "title": headline, "text": passage}, TEXT, {"text": "text"}),
    Layout(
        "file_name text", {"file_name": file("png"), "text": caption}, IMAGE, {"image": "file_name", "text": "text"}, csv=True
    ),
    Layout(
        "audio objects",
        {"audio": lambda n: {"path": file("flac")(n), "array": None}, "transcription": sentence},
        AUDIO,
        {"audio": "audio", "transcript": "transcription"},
    ),
    Layout(
        "risk areas",
        {"id": number, "question": risky, "risk_area": one_of("theft", "fraud")},
        SAFE,
        {"prompt": "question", "label": "risk_area"},
    ),
    Layout(
        "jailbreaks",
        {"prompt": risky, "platform": one_of("web", "app"), "jailbreak": one_of(True, False), "date": day},
        SAFE,
        {"prompt": "prompt", "label": "jailbreak"},
    ),
    Layout(
        "read books",
        {"file": file("flac"), "text": sentence, "speaker_id": number, "chapter_id": number},
        AUDIO,
        {"audio": "file", "transcript": "text"},
    ),
    Layout(
        "image links",
        {"image_url": lambda n: f"https://example.org/{key(n)}.jpg", "width": number, "height": price, "text": caption},
        IMAGE,
        {"image": "image_url", "text": "text"},
        csv=True,
    ),
    Layout("gaps", {"text": sometimes(passage, 2), "id": number}, TEXT, {"text": "text"}),
    Layout("lyrics", {"artist": name, "song": headline, "link": address, "text": passage}, TEXT, {"text": "text"}, csv=True),
    Layout(
        "photo csv",
        {"image": file("jpeg"), "caption": caption, "photographer": name},
        IMAGE,
        {"image": "image", "text": "caption"},
        csv=True,
    ),
    Layout(
        "call recordings",
        {"audio": file("wav"), "transcript": sentence, "agent": name, "duration": price},
        AUDIO,
        {"audio": "audio", "transcript": "transcript"},
        csv=True,
    ),
    Layout(
        "red team",
        {"prompt": risky, "response": reply, "harmful": one_of(True, False)},
        SAFE,
        {"prompt": "prompt", "label": "harmful", "response": "response"},
    ),
    Layout(
        "novels", {"title": headline, "author": name, "year": lambda n: 1800 + 3 * n, "text": passage}, TEXT, {"text": "text"}
    ),
    Layout(
        "alt texts",
        {"url": lambda n: f"https://example.org/{key(n)}.webp", "alt_text": caption, "width": number},
        IMAGE,
        {"image": "url", "text": "alt_text"},
    ),
    Layout(
        "dictation",
        {"path": file("ogg"), "sentence": sentence, "age": one_of("twenties", "fifties"), "gender": one_of("f", "m")},
        AUDIO,
        {"audio": "path", "transcript": "sentence"},
        csv=True,
    ),
]
