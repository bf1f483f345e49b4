"""Spoken digits for AudioTranscriptHandler: espeak-ng says strings of two to four of them, in eighteen voices and five accents.

Held out by `prepare --group-by voice`: a voice of eval is heard in training in none of its accents.
"""

import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029")
VOICES = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "klatt", "klatt2", "klatt3", "klatt4", "croak",
)  # fmt: skip
SEED = 7
BASE_MODEL = "made:speech-ctc-small"
MAPPER, MAPPED = "audio_transcript", {"audio": "audio", "transcript": "transcript"}
PREPARE = ("--group-by", "voice", "--eval-rows", "300", "--dev-rows", "100")
SETTINGS: dict[str, str] = {}


def rows(folder: Path, clips: int = 1800) -> Path:
    """Write clips and `rows.jsonl` of audio, transcript, voice, accent and speed; returns its path. Needs Debian's espeak-ng."""
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is missing: apt-get install espeak-ng")
    folder.mkdir(parents=True, exist_ok=True)
    chance, lines = random.Random(SEED), []
    for number in range(clips):
        said = " ".join(chance.choices(WORDS, k=chance.randint(2, 4)))
        how = {"voice": chance.choice(VOICES), "accent": chance.choice(ACCENTS), "speed": chance.randint(120, 200)}
        lines.append({"audio": f"{number:05}.wav", "transcript": said, "pitch": chance.randint(30, 70), **how})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda line: _say(folder, line), lines))
    path = folder / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    return path


def _say(folder: Path, line: dict[str, object]) -> None:
    how = ["-v", f"{line['accent']}+{line['voice']}", "-s", str(line["speed"]), "-p", str(line["pitch"])]
    command = ["espeak-ng", *how, "-w", str(folder / str(line["audio"])), str(line["transcript"])]
    subprocess.run(command, check=True, capture_output=True)
