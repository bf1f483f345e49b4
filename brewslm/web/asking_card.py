"""How a program asks a slot: lines to copy."""

import json

from brewslm.observe.predict import HowAsked
from brewslm.web.parts import Text, box, button

SAMPLES = {"image": "picture.png", "audio": "recording.wav"}


def asking_card(address: str, how: HowAsked | None) -> None:
    """Curl and OpenAI's client, for the slot's own words and for chat completions.

    Args:
        address: Of the slot's gateway, without "/v1".
        how: Of the version that answers; None where none does.
    """
    with box("section", "card", aria_labelledby="ask"):
        Text("h2", "How to ask it", id="ask")
        Text("p", "The address stays the same whichever version answers; it listens on this machine alone.", "muted")
        if how is None:
            Text("p", "Nothing is promoted here yet: until then each of these is answered with 503.", "empty")
        for title, lines in snippets(address, how):
            Text("h3", title)
            with box("div", "snippet"):
                Text("pre", lines, "mono", tabindex="0")
                button("Copy", data_act="copy", data_text=lines, aria_label=f"Copy: {title}")


def snippets(address: str, how: HowAsked | None) -> list[tuple[str, str]]:
    """(title, lines) of each way."""
    field = how.input_field if how else "text"
    media = how.media if how else None
    row = {field: SAMPLES[media] if media else "A slow, lovely film."} | dict.fromkeys(how.also_asked if how else (), "…")
    body = json.dumps(row, ensure_ascii=False)
    said = json.dumps({"messages": [{"role": "user", "content": "A slow, lovely film."}]})
    labels = "its label and the probability of each" if how and how.labels else "its answer, checked as in evaluation"
    return [
        (f"A row: {labels}", f"curl -s {address}/predict \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"),
        (
            "OpenAI's chat completions",
            f"curl -s {address}/v1/chat/completions \\\n  -H 'Content-Type: application/json' \\\n  -d '{said}'",
        ),
        (
            "OpenAI's Python client",
            "from openai import OpenAI\n\n"
            f'client = OpenAI(base_url="{address}/v1", api_key="none")\n'
            "answer = client.chat.completions.create(\n"
            '    model="default", messages=[{"role": "user", "content": "A slow, lovely film."}], stream=True\n'
            ")\n"
            "for part in answer:\n"
            '    print(part.choices[0].delta.content or "", end="")',
        ),
    ]
