"""Talks for `chat_sft`: a table is asked for in several turns, and the last reply has to put together what was said in all.

Drawn with a seed. Held out are whole ways of speaking (`prepare --group-by way`): the customer's words of each turn are those of
no talk that was learned. Names, days, times and numbers are drawn for each talk, so that no reply can be known by heart.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

SEED = 20261202
EACH = 40
"""Talks in each way."""
MAPPER = "chat_messages_passthrough"
MAPPED = {"messages": "messages"}
PREPARE = ("--group-by", "way", "--train-rows", "500", "--dev-rows", "30", "--eval-rows", "150")
SETTINGS = {"epochs": "1"}
"""Of the recipe."""
WAYS = (
    ("Hi, I'm {name} and I need a table.", "We are {count}.", "{day} at {time}, please."),
    ("Can I book a table? My name is {name}.", "For {count} people.", "On {day}, around {time}."),
    ("Table for {name}, please.", "{count} persons.", "{time} on {day} would be good."),
    ("Good evening, {name} here. I want to reserve.", "It will be {count} of us.", "Let us say {day}, {time}."),
    ("Do you take bookings? I am {name}.", "There are {count} in our party.", "We would come {day} at {time}."),
    ("I'd like to eat at your place. {name} is my name.", "{count}, with the children.", "Is {day} possible, at {time}?"),
    ("Reservation under {name}.", "{count} guests.", "{day}, {time}."),
    ("Hello! This is {name}, have you got a free table?", "Just {count} of us.", "How about {time} this {day}?"),
    ("{name} speaking, I would like a table.", "A group of {count}.", "{day} evening, {time}."),
    ("We want to have dinner at yours, the name is {name}.", "{count} all together.", "Make it {day} at {time}."),
    ("Please put {name} down for a table.", "{count} seats.", "At {time} on {day}."),
    ("May I reserve? {name}.", "Table for {count}.", "{day} suits us, say {time}."),
    ("A table in the name of {name}, if you can.", "{count} adults.", "For {day}, {time} sharp."),
    ("Hey, {name} again, another booking please.", "This time {count}.", "{time}, {day}."),
    ("I call for {name}, who would like to come.", "With friends, {count} in total.", "They prefer {day} at {time}."),
    ("Is there still room? {name} asks.", "Room for {count}.", "{day} is the day, {time} the time."),
    ("Book me in as {name}.", "There will be {count}.", "Could we come at {time} on {day}?"),
    ("We are regulars, {name} is the name. A table?", "{count} today.", "{day} then, and {time}."),
    ("I hope you have space for {name}.", "{count} hungry people.", "On {day} we can be there at {time}."),
    ("One table please! I go by {name}.", "Count {count}.", "Put us in for {day} {time}."),
)  # fmt: skip
NAMES = ("Ana", "Tom", "Mei", "Olu", "Ivan", "Lena", "Sara", "Paul", "Rosa", "Jan", "Ravi", "Nora", "Emil", "Zoe", "Hugo", "Iris")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def rows(folder: Path) -> Path:
    """The talks as JSON lines in the folder: messages, way."""
    path = folder / "chat.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in talks()))
    return path


def talks() -> Iterator[dict[str, Any]]:
    """Every way in turn, with a customer of its own each time."""
    chance = random.Random(SEED)
    for _ in range(EACH):
        for number, way in enumerate(WAYS):
            told = {
                "name": chance.choice(NAMES), "count": str(chance.randint(2, 14)), "day": chance.choice(DAYS),
                "time": f"{chance.randint(5, 10)}:{chance.choice(('00', '15', '30', '45'))}",
            }  # fmt: skip
            asked = [turn.format(**told) for turn in way]
            replies = (
                f"Welcome, {told['name']}. For how many people?",
                "And for which day and time?",
                "Your table is booked, {name}: {count} people, {day}, {time}. See you then.".format(**told),
            )
            messages = [
                {"role": role, "content": content}
                for pair in zip(asked, replies, strict=True)
                for role, content in zip(("user", "assistant"), pair, strict=True)
            ]
            yield {"messages": messages, "way": str(number)}
