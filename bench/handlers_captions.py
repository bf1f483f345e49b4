"""Captions for VisionLanguageHandler: coloured shapes drawn with Pillow, each described in one sentence.

Held out by what is drawn: no picture of train has a caption of eval, though it may have any three of its four parts. (Held out by
pairs of colour and shape, a model of this size learns which words follow each other and calls a yellow triangle a yellow square.)
"""

import random
from pathlib import Path
from typing import Any

import orjson

COLOURS = {
    "red": (200, 30, 30),
    "green": (30, 150, 50),
    "blue": (40, 60, 200),
    "yellow": (230, 210, 40),
    "black": (10, 10, 10),
    "orange": (240, 130, 20),
    "purple": (120, 40, 160),
    "pink": (250, 150, 190),
    "brown": (110, 70, 40),
    "grey": (130, 130, 130),
}
SHAPES = ("circle", "square", "triangle", "line")
SIZES = {"small": 6, "large": 12}
PLACES = {"top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "bottom right": (1, 1)}
SIDE, SEED = 64, 11
BASE_MODEL = "made:vision-small"
MAPPER, MAPPED = "image_text", {"image": "image", "text": "caption"}
PREPARE = ("--group-by", "drawn", "--eval-share", "0.2")
SETTINGS = {"epochs": "10", "batch_size": "16"}
"""Of the recipe."""


def rows(folder: Path, pictures: int = 2400) -> Path:
    """Write PNG files and `rows.jsonl` of image, caption and what is drawn; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, lines = random.Random(SEED), []
    for number in range(pictures):
        shape, colour = chance.choice(SHAPES), chance.choice(list(COLOURS))
        size, place = chance.choice(list(SIZES)), chance.choice(list(PLACES))
        _draw(chance, shape, COLOURS[colour], SIZES[size], PLACES[place]).save(folder / f"{number:04}.png")
        caption = f"A {size} {colour} {shape} in the {place} corner."
        lines.append({"image": f"{number:04}.png", "caption": caption, "drawn": f"{size} {colour} {shape} {place}"})
    path = folder / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    return path


def _draw(chance: random.Random, shape: str, colour: tuple[int, int, int], radius: int, place: tuple[int, int]) -> Any:
    from PIL import Image, ImageDraw

    background = chance.randint(215, 255)
    picture = Image.new("RGB", (SIDE, SIDE), (background, background, background))
    draw = ImageDraw.Draw(picture)
    x, y = (SIDE // 4 + at * SIDE // 2 + chance.randint(-3, 3) for at in place)
    around = (x - radius, y - radius, x + radius, y + radius)
    if shape == "circle":
        draw.ellipse(around, fill=colour)
    elif shape == "square":
        draw.rectangle(around, fill=colour)
    elif shape == "triangle":
        draw.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], fill=colour)
    else:
        draw.line((x - radius, y, x + radius, y), fill=colour, width=3)
    return picture
