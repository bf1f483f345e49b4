"""How fast documents are cleaned on one core, step by step, beside datatrove, and in how much memory.

Run: python -m bench.clean. Texts: 20 MB of English manuals (bench/clean_corpus.py). datatrove would need minutes for them,
so the two are compared on a seeded sample of whole documents, in turn, each in a process of its own on the same core; the time is
that of the processor, so that another's work on the machine weighs little. Ours is measured on all 20 MB as well.

Equal work: both undo the same things (ftfy, curly quotes kept). Both ask every Gopher and C4 rule of every document, C4's
trimming of lines included; ours stops nowhere, each of datatrove's three filters stops at its own first rule. Both find equal
texts whatever their case and spacing. Both find near-duplicates by words of 5; ours reads candidates again and compares them,
datatrove takes the signature's word.

Equal rules, not equal verdicts: datatrove's words are spaCy's tokens, punctuation among them, so its share of words with a
letter is lower, and it asks Gopher's rules before C4 trims lines, ours after. It keeps far fewer of these manuals, and spends
most of its time on the tokens: the ratio of `rules` is mostly that choice.

Tried for datatrove: the tokenizers of eng, deu and of spaCy's multi-language class, which differ by a tenth (it uses eng by
default); its three filters in one process, so that words are split once; its dedup stages in one process, without executor and
logging. Its language filter downloads a model, so it is left out.

The memory is that of a run of all our steps over 1 GB made of the same texts by seeded edits.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import clean_corpus
from bench.import_rows import peak_mb, spread
from bench.report import write

RUNS, SAMPLE, LARGE = 5, 2_000_000, 1_000_000_000
PEER = {
    "datatrove": "0.10.1",
    "spacy": "3.8.18",
    "ftfy": "6.3.1",
    "regex": "2026.11.19",
    "xxhash": "3.5.0",
    "tokenizers": "0.23.3",
}
COMMON = ("mend", "rules", "exact", "near")
MB = 1_000_000


def main() -> None:
    """Measure and report."""
    peer = peer_python()
    with tempfile.TemporaryDirectory(prefix="bench-clean-") as name:
        folder = Path(name)
        texts = clean_corpus.manuals()
        clean_corpus.write(texts, folder / "all.jsonl")
        clean_corpus.write(clean_corpus.sample(texts, SAMPLE), folder / "sample.jsonl")
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "datatrove": [], "ours_all": []}
        for turn in range(RUNS):
            runs["ours"].append(ours("steps", folder / "sample.jsonl", folder / f"ours-{turn}"))
            runs["datatrove"].append(theirs(peer, folder / "sample.jsonl", folder / f"peer-{turn}"))
            runs["ours_all"].append(ours("steps", folder / "all.jsonl", folder / f"all-{turn}"))
            print(turn + 1, {key: found[-1]["seconds"] for key, found in runs.items()}, file=sys.stderr)
        large = ours("large", folder / "all.jsonl", folder / "large")
        sizes = {key: sum(map(len, clean_corpus.read(folder / f"{key}.jsonl"))) for key in ("sample", "all")}
    report(runs, sizes, large)


def report(runs: dict[str, list[dict[str, Any]]], sizes: dict[str, int], large: dict[str, Any]) -> None:
    """Medians with their spread, and the goal: no common step slower than datatrove's."""

    def rates(key: str, size: int) -> dict[str, dict[str, float]]:
        return {step: spread([size / MB / run["seconds"][step] for run in runs[key]]) for step in runs[key][0]["seconds"]}

    pairs = list(zip(runs["ours"], runs["datatrove"], strict=True))
    times = {step: spread([theirs["seconds"][step] / ours["seconds"][step] for ours, theirs in pairs]) for step in COMMON}
    measured = {
        "mb": sizes["all"] / MB,
        "mb_per_second": rates("ours_all", sizes["all"]),
        "kept": runs["ours_all"][0]["kept"],
        "sample": {
            "mb": sizes["sample"] / MB,
            "mb_per_second": rates("ours", sizes["sample"]),
            "kept": runs["ours"][0]["kept"],
        },
        "times_datatrove": times,
        "large": large,
    }
    theirs = runs["datatrove"][0]
    peers = {
        "datatrove": {
            "packages": PEER,
            "mb_per_second": rates("datatrove", sizes["sample"]),
            "kept_by_rules": theirs["kept_by_rules"],
            "kept_by_near": theirs["kept_by_near"],
        }
    }
    goal = {f"times_datatrove.{step}.median": {"at_least": 1.0} for step in COMMON}
    goal["mb_per_second.rules.median"] = {"at_least": 10.0}
    goal["large.peak_mb_growth"] = {"at_most": 50.0}
    write("clean", measured, peers, goal, ("ftfy", "rensa", "py3langid", "numpy"))


def peer_python() -> Path:
    """The interpreter of the peer's environment, made when it is not there."""
    from uv import find_uv_bin

    from brewslm.settings import settings

    folder = settings().cache / "toolchains" / f"datatrove-{PEER['datatrove']}"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    wanted = [f"{name}=={version}" for name, version in PEER.items()]
    subprocess.run([find_uv_bin(), "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
    return python


def ours(what: str, texts: Path, folder: Path) -> dict[str, Any]:
    """One measurement of ours in a new process."""
    return child([sys.executable, "-m", "bench.clean", what, str(texts), str(folder)], folder)


def theirs(python: Path, texts: Path, folder: Path) -> dict[str, Any]:
    """One measurement of datatrove in a new process."""
    return child([str(python), str(Path(__file__).with_name("clean_peer.py")), str(texts), str(folder)], folder)


def child(command: list[str], folder: Path) -> dict[str, Any]:
    """What a process that runs in this folder prints last, as JSON."""
    folder.mkdir()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class Cleaner:
    """All our steps, each timed on its own."""

    def __init__(self, folder: Path, text_of: Callable[[int], str]) -> None:
        from brewslm.filters.duplicates import ExactDuplicates, NearDuplicates
        from brewslm.filters.preset import cleaning_preset
        from brewslm.filters.ruleset import ruleset

        self.preset = cleaning_preset()
        self.web = self.preset.rules["web"]
        self.no_patterns = self.preset.model_copy(update={"boilerplate": ()})  # they are `boilerplate`'s, which datatrove lacks
        self.rules = ruleset(self.web)
        self.exact = ExactDuplicates(folder / "exact.sqlite")
        self.near = NearDuplicates(folder / "near.sqlite", text_of, self.preset.near_duplicate)
        self.seconds = dict.fromkeys(("mend", "boilerplate", "language", "score", "rules", "exact", "near"), 0.0)
        self.kept = dict.fromkeys(("rules", "exact", "near"), 0)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Count what is done inside as this step's."""
        began = time.process_time()
        yield
        self.seconds[step] += time.process_time() - began

    def clean(self, number: int, raw: str) -> str | None:
        """The text, when it is no duplicate; the rules are asked, but what they turn away goes on, so that each step sees all."""
        from brewslm.filters.base import CleanedText
        from brewslm.filters.boilerplate import trim
        from brewslm.filters.language import language_of
        from brewslm.filters.mend import mend
        from brewslm.filters.quality import quality
        from brewslm.filters.words import WordStatistics

        with self.timed("mend"):
            mended = mend(raw)
        with self.timed("boilerplate"):
            trimmed = trim(mended, (), self.preset)
        text = trimmed.text
        with self.timed("language"):
            language = language_of(text, self.preset.language)
        with self.timed("score"):
            score = quality(WordStatistics(text), trimmed.share)
        with self.timed("rules"):
            page = trim(mended, (), self.no_patterns, self.web.lines).text
            document = CleanedText(page, (), score, WordStatistics(page), language.code)
            verdicts = [rule.keeps(document) for rule in self.rules]
            self.kept["rules"] += all(verdict is True for verdict in verdicts)
            del page, document
        with self.timed("exact"):
            is_new = self.exact.of(number, text) is None
        self.kept["exact"] += is_new
        with self.timed("near"):
            near = self.near.of(number, text)
        self.kept["near"] += near is None
        return text if near is None else None


def steps(texts: list[str], folder: Path) -> dict[str, Any]:
    """All texts; one has loaded the models before."""
    Cleaner(folder / "..", texts.__getitem__).clean(0, texts[0])
    cleaner = Cleaner(folder, texts.__getitem__)
    for number, text in enumerate(texts):
        cleaner.clean(number, text)
    return {"seconds": cleaner.seconds, "kept": {"documents": len(texts), **cleaner.kept}}


def large(texts: list[str], folder: Path) -> dict[str, Any]:
    """A gigabyte in a stream: the most memory after a quarter of it, and at the end."""
    cleaner = Cleaner(folder, lambda number: (folder / f"{number}.txt").read_text(encoding="utf-8", errors="surrogatepass"))
    done, quarter, number = 0, 0.0, 0
    for number, raw in enumerate(clean_corpus.stream(texts, LARGE)):
        text = cleaner.clean(number, raw)
        if text is not None:
            (folder / f"{number}.txt").write_text(text, encoding="utf-8", errors="surrogatepass")
        if number % 100 == 0:
            cleaner.exact.commit()
            cleaner.near.commit()
        done += len(raw)
        if done < LARGE / 4:
            quarter = peak_mb()
    whole = peak_mb()
    return {
        "mb": done / MB,
        "documents": number + 1,
        "peak_mb_at_a_quarter": quarter,
        "peak_mb": whole,
        "peak_mb_growth": whole - quarter,
        "mb_per_second": {step: round(done / MB / seconds, 2) for step, seconds in cleaner.seconds.items()},
        "kept": cleaner.kept,
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        run = {"steps": steps, "large": large}[sys.argv[1]]
        print(json.dumps(run(clean_corpus.read(Path(sys.argv[2])), Path(sys.argv[3]))))
    else:
        main()
