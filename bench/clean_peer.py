"""datatrove's side of bench.clean; runs in an environment of its own, with nothing of BrewSLM in it.

Run by bench.clean: python clean_peer.py TEXTS.jsonl FOLDER. Its last line is JSON: seconds of processor time by step.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

from datatrove.data import Document  # noqa: E402
from datatrove.pipeline.dedup import (  # noqa: E402
    ExactDedupFilter,
    ExactDedupSignature,
    ExactFindDedups,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.exact_dedup import ExactDedupConfig  # noqa: E402
from datatrove.pipeline.dedup.minhash import MinhashConfig  # noqa: E402
from datatrove.pipeline.filters import C4QualityFilter, GopherQualityFilter, GopherRepetitionFilter  # noqa: E402
from datatrove.pipeline.formatters import FTFYFormatter  # noqa: E402


def main(texts: list[str], folder: Path) -> dict[str, Any]:
    """Each step over all texts, after one text has loaded what it needs."""
    fixer = FTFYFormatter(fix_latin_ligatures=True, fix_character_width=True, fix_line_breaks=True, normalization="NFC")
    rules = (GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(remove_citations=False))
    steps: dict[str, Callable[[list[str]], Any]] = {
        "mend": lambda some: [fixer.format(text) for text in some],
        "rules": lambda some: [judged(rules, text) for text in some],
        "exact": lambda some: exact(some, folder / "exact"),
        "near": lambda some: near(some, folder / "near"),
    }
    seconds: dict[str, float] = {}
    found: dict[str, Any] = {}
    for name, step in steps.items():
        if name in ("mend", "rules"):
            step(texts[:1])
        began = time.process_time()
        found[name] = step(texts)
        seconds[name] = time.process_time() - began
    return {"seconds": seconds, "kept_by_rules": found["rules"].count(True), "kept_by_near": found["near"]}


def judged(rules: tuple[Any, ...], text: str) -> bool:
    """All three filters see the document, as ours all do; the words are split once for the first two (datatrove keeps them)."""
    document = Document(text=text, id="")
    verdicts = [rule.filter(document) for rule in rules]
    return all(verdict is True for verdict in verdicts)


def normal(document: Document) -> bytes:
    """What ours hashes: spacing and case don't count."""
    return " ".join(document.text.split()).casefold().encode()


def exact(texts: list[str], folder: Path) -> int:
    """The three stages in one process."""
    settings = ExactDedupConfig(content_getter=normal)
    ExactDedupSignature(str(folder / "signatures"), settings).run(documents(texts))
    ExactFindDedups(str(folder / "signatures"), str(folder / "found"), settings).run()
    return sum(1 for _ in ExactDedupFilter(str(folder / "found"), config=settings).run(documents(texts)))


def near(texts: list[str], folder: Path) -> int:
    """The four stages in one process, with datatrove's own settings: words of 5, 14 buckets of 8 hashes, 64-bit xxhash."""
    settings = MinhashConfig()
    MinhashDedupSignature(str(folder / "signatures"), settings).run(documents(texts))
    for rank in range(settings.num_buckets):
        MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=settings).run(
            None, rank, settings.num_buckets
        )
    MinhashDedupCluster(str(folder / "buckets"), str(folder / "removed"), settings).run(None)
    return sum(1 for _ in MinhashDedupFilter(str(folder / "removed")).run(documents(texts)))


def documents(texts: list[str]) -> Any:
    """The texts as datatrove takes them, with their place as id."""
    return (Document(text=text, id=str(number)) for number, text in enumerate(texts))


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    print(json.dumps(main([json.loads(line) for line in lines], Path(sys.argv[2]))))
