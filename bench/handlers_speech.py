"""Spoken digits for AudioTranscriptHandler: espeak-ng says strings of two to four digits, in voices of which some are held out.

The recipe that learns them on two cores: `SETTINGS`. Held out by `prepare --group-by voice`, or by the gold file that `rows` writes:
no voice of it is heard in training.
"""

import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp")
TRAINED = ("", "+m1", "+m2", "+m3", "+m4", "+m7", "+f1", "+f2", "+f4", "+klatt", "+klatt2", "+croak")
HELD_OUT = ("en-029+m5", "en-029+f3", "en-us+m6", "en-gb+f5", "en-gb-x-gbclan+klatt3", "en-gb-x-gbcwmd")
"""Variants that no voice of training has, half of them with an accent that none has."""
RATE = 16_000
SEED = 7
BASE_MODEL = "made:speech-ctc-small"
SETTINGS: dict[str, str] = {}


def rows(folder: Path, clips: int = 1500, held_out: int = 240) -> Path:
    """Write clips and `rows.jsonl` of audio, transcript, voice and set ("train" or "gold"); returns its path.

    Needs Debian's espeak-ng.
    """
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is missing: apt-get install espeak-ng")
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(SEED)
    voices = [accent + variant for accent in ACCENTS for variant in TRAINED]
    wanted = [("train", chance.choice(voices)) for _ in range(clips)] + [
        ("gold", chance.choice(HELD_OUT)) for _ in range(held_out)
    ]
    lines = []
    for number, (part, voice) in enumerate(wanted):
        said = " ".join(chance.choices(WORDS, k=chance.randint(2, 4)))
        lines.append(
            {"audio": f"{number:05}.wav", "transcript": said, "voice": voice, "set": part, "speed": chance.randint(120, 200)}
        )
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda line: _say(folder, line), lines))
    path = folder / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    return path


def _say(folder: Path, line: dict[str, object]) -> None:
    file = folder / str(line["audio"])
    if not file.exists():
        pitch = str(30 + hash_of(str(line["audio"])) % 40)
        command = [
            "espeak-ng",
            "-v",
            str(line["voice"]),
            "-s",
            str(line["speed"]),
            "-p",
            pitch,
            "-w",
            str(file),
            str(line["transcript"]),
        ]
        subprocess.run(command, check=True, capture_output=True)


def hash_of(text: str) -> int:
    """The same on every machine."""
    return random.Random(text).randrange(1 << 30)
