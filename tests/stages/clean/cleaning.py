"""What the tests of cleaning share: texts that differ, and a job without its run."""

import random
from pathlib import Path

from brewslm.pipeline.execute import call
from brewslm.processes.context import DirectContext
from brewslm.stages.clean import CleanJob, CleanRequest, resolve, run
from brewslm.stages.documents import AddRequest
from brewslm.store.database import reading
from brewslm.store.records import Records

WORDS = """garden house river winter letter teacher morning bread window mountain story paper village kitchen summer road
evening brother answer market season island castle button copper silver forest meadow harbour engine pocket basket candle ladder
blue quiet early narrow heavy gentle broken distant simple careful bright hollow empty frozen golden wooden bitter"""


def letter(number: int, sentences: int = 12) -> str:
    """A text that is like no other number's."""
    choice, words = random.Random(number), WORDS.split()
    made = [" ".join(["The", *choice.choices(words, k=9), "and", choice.choice(words)]) + "." for _ in range(sentences)]
    return "\n\n".join(" ".join(made[start : start + 3]) for start in range(0, sentences, 3))


def added(project: int, folder: Path, texts: dict[str, str | bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    call("test", AddRequest(project=project, paths=[str(folder)]))


def job_of(project: int, **asked: str) -> CleanJob:
    request = CleanRequest(project=project, **asked)
    with reading() as session:
        return resolve(request, Records(session, "clean-1", project, "test"))


def cleaned(job: CleanJob, folder: Path):
    """What a run here leaves: its result, and the files of its folder."""
    folder.mkdir(exist_ok=True)
    result = run(job, DirectContext(folder))
    return result, files(folder)


def files(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop("cleaning/boot")
    return found
