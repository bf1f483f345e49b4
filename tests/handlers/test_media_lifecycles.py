"""Pictures and recordings through the whole product, on models that are made on the spot; a broken file is rejected by name."""

import json

import numpy as np
import pytest

from brewslm.pipeline.execute import call
from brewslm.rows import RowFile
from brewslm.stages.projects import CreateRequest
from brewslm.store.files import project_folder
from tests.lifecycle import Journey, live, proves_itself
from tests.media.made import sweep, tone

pytestmark = pytest.mark.usefixtures("warm_children")


def project_on(base: str) -> int:
    made = call("test", CreateRequest(name="a journey", base_model=base)).project
    assert made is not None
    return made


def square(seed: int, *, bright: bool):
    """A light or a dark square in noise."""
    import io

    from PIL import Image

    pixels = np.random.default_rng(seed).integers(100, 150, (16, 16, 3))
    pixels[4:12, 4:12] = 250 if bright else 5
    written = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(written, "PNG")
    return written.getvalue()


def rejected(project: int) -> dict[str, str]:
    lines = RowFile(project_folder(project) / "rejected" / "import-1.jsonl").rows()
    return {line["raw"].get("image") or line["raw"]["audio"]: line["reason"] for line in lines}


def test_questions_about_pictures(tmp_path):
    rows = []
    for n in range(72):
        (tmp_path / f"{n}.png").write_bytes(square(n, bright=n % 2 == 0))
        rows.append({"image": f"{n}.png", "question": "light or dark?", "answer": "light" if n % 2 == 0 else "dark"})
    (tmp_path / "broken.png").write_bytes(square(0, bright=True)[:-30])
    rows.append({"image": "broken.png", "question": "light or dark?", "answer": "light"})
    fields = {"image": "image", "text": "answer", "prompt": "question"}
    asked = {"image": str(tmp_path / "1.png"), "prompt": "light or dark?"}
    settings = ("--set", "epochs=20", "--set", "learning_rate=0.003")
    journey = Journey(rows, "image_text", [asked], fields, ("--eval-rows", "24"), settings)
    project = project_on("made:vision-tiny")
    lived = live(journey, project, tmp_path)
    assert rejected(project) == {"broken.png": "media_corrupt"} and sum(lived.prepared["rows"].values()) == 72
    assert proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "majority_answer", "nearest_picture"}
    assert systems["tuned"]["metrics"]["exact_match"]["value"] == 1.0 > systems["base"]["metrics"]["exact_match"]["high"]
    assert lived.answers[0]["output"] == "dark"
    assert lived.exported["artifacts"][0]["agreement"] == 1.0


@pytest.mark.parametrize(("base", "epochs"), [("made:speech-ctc-tiny", 30), ("made:speech-encoder-decoder-tiny", 60)])
def test_recordings(base, epochs, tmp_path):
    rows = []
    for n in range(40):
        up = n % 2 == 0
        (tmp_path / f"{n}.wav").write_bytes(sweep(300, 1500 + 5 * n) if up else sweep(1500 + 5 * n, 300))
        rows.append({"audio": f"{n}.wav", "transcript": "up" if up else "down"})
    (tmp_path / "broken.wav").write_bytes(tone()[:-10])
    rows.append({"audio": "broken.wav", "transcript": "up"})
    journey = Journey(
        rows, "audio_transcript", [{"audio": str(tmp_path / "0.wav")}, str(tmp_path / "1.wav")],
        {"audio": "audio", "transcript": "transcript"}, train=("--set", f"epochs={epochs}"),
    )  # fmt: skip
    project = project_on(base)
    lived = live(journey, project, tmp_path)
    assert rejected(project) == {"broken.wav": "media_corrupt"}
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "majority_transcript", "nearest_recording"}
    assert systems["tuned"]["metrics"]["wer"]["value"] == 0.0 < systems["base"]["metrics"]["wer"]["low"]
    assert [one["output"] for one in lived.answers] == ["up", "down"]


def test_texts_by_an_encoder_with_a_decoder(tmp_path):
    words = ("red", "blue", "green", "black")
    rows = [{"source": f"{word} {number}", "target": word} for word in words for number in range(10, 28)]
    settings = ("--set", "epochs=30", "--set", "learning_rate=0.003")
    fields = {"source_text": "source", "target_text": "target"}
    lived = live(
        Journey(rows, "seq2seq_pair", ["red 99"], fields, ("--eval-rows", "24"), settings),
        project_on("made:encoder-decoder-tiny"),
        tmp_path,
    )
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "copy", "nearest_text"}
    assert systems["tuned"]["metrics"]["chrf"]["value"] > systems["base"]["metrics"]["chrf"]["high"]
    assert lived.exported["artifacts"][0]["agreement"] == 1.0 and lived.answers[0]["output"] in words


def test_a_file_that_is_not_there_is_named_when_it_is_asked_for(tmp_path):
    from typer.testing import CliRunner

    from brewslm.cli.main import app

    (tmp_path / "0.wav").write_bytes(tone(seconds=0.4))
    asked = json.dumps({"audio": str(tmp_path / "none.wav")})
    done = CliRunner().invoke(app, ["predict", "--experiment", "exp-1", "--json"], input=asked)
    assert done.exit_code == 1
