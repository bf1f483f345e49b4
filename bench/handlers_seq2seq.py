"""Sentences with dates, times and numbers in digits, and the same as they are read aloud, for `seq2seq`.

Drawn with a seed in 40 sentence frames. Held out are whole frames (`--group-by frame`): what is learned is how digits are read.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import orjson

SEED = 20261201
EACH = 25
"""Sentences in each frame."""
MAPPER = "seq2seq_pair"
MAPPED = {"source_text": "written", "target_text": "spoken", "task": "task"}
PREPARE = ("--group-by", "frame", "--train-rows", "700", "--dev-rows", "30", "--eval-rows", "150")
SETTINGS = {"epochs": "2"}
"""Of the recipe."""
TASK = "Write the text as it is read aloud."
FRAMES = (
    "The meeting is on {date} at {time}.", "We open at {time} from {date} on.", "Bring {count} chairs by {time}.",
    "My daughter was born on {date}.", "The train at {time} has {count} coaches.", "On {date} we sold {count} tickets.",
    "Please call back before {time}.", "{count} guests come on {date}.", "The shop closes at {time} on {date}.",
    "I paid for {count} nights until {date}.", "At {time} there were {count} people in the hall.", "Her exam is on {date}.",
    "The bus leaves at {time} and not later.", "Only {count} seats are left for {date}.", "He woke up at {time} again.",
    "The contract ends on {date}.", "They counted {count} birds at {time}.", "From {date} a ticket costs {count} dollars.",
    "Dinner is at {time} for {count} of us.", "The museum was founded on {date}.", "Set the alarm for {time}, please.",
    "{count} boxes arrived on {date}.", "The film starts at {time} in hall {count}.", "Our holiday begins on {date}.",
    "There are {count} steps to the tower.", "The doctor can see you on {date} at {time}.", "At {time} the lights go out.",
    "On {date} the bridge will be closed.", "Page {count} is missing.", "Lunch for {count} at {time}, thanks.",
    "The letter of {date} never came.", "It was {time} when the rain began.", "She ran {count} kilometres on {date}.",
    "The library lends {count} books until {date}.", "Room {count} is free from {time}.", "We met on {date} in the park.",
    "The last bus is at {time}.", "He has {count} stamps from before {date}.", "Send {count} copies by {date}.",
    "The bell rings at {time} every day.",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ODD = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip


def rows(folder: Path) -> Path:
    """The pairs as JSON lines in the folder: written, spoken, task, frame."""
    path = folder / "seq2seq.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in pairs()))
    return path


def pairs() -> Iterator[dict[str, str]]:
    """Every frame in turn, with numbers of its own each time."""
    chance = random.Random(SEED)
    for _ in range(EACH):
        for number, frame in enumerate(FRAMES):
            day, month, hour, minute = chance.randint(1, 28), chance.randint(0, 11), chance.randint(1, 12), chance.randint(1, 59)
            count = chance.randint(3, 999)
            written = {"date": f"{MONTHS[month][:3]} {day}", "time": f"{hour}:{minute:02}", "count": str(count)}
            spoken = {
                "date": f"the {ordinal(day)} of {MONTHS[month]}",
                "time": f"{cardinal(minute)} past {cardinal(hour)}",
                "count": cardinal(count),
            }
            yield {
                "written": frame.format(**written),
                "spoken": _capital(frame.format(**spoken)),
                "task": TASK,
                "frame": str(number),
            }


def cardinal(number: int) -> str:
    """A number from 0 to 999 in words."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        rest = f"-{UNITS[number % 10]}" if number % 10 else ""
        return TENS[number // 10] + rest
    rest = f" and {cardinal(number % 100)}" if number % 100 else ""
    return f"{UNITS[number // 100]} hundred{rest}"


def ordinal(number: int) -> str:
    """The same as a place in a row: first, second."""
    before, dash, last = cardinal(number).rpartition("-")
    made = ODD.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return before + dash + made


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
