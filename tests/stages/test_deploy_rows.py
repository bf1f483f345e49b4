"""The live smoke check of a model that does not chat: a real server must answer rows as the trained model did."""

import pytest

from brewslm.handlers import handler_for
from brewslm.models.architectures import architecture_for
from brewslm.rows.manifest import OutputSchema, PreparedData
from brewslm.serving.targets import Servable
from brewslm.serving.temporary import serve_for_now
from brewslm.stages.deploy.smoke import Smoke, SmokeMissed, ask_live
from brewslm.store.files import sha256, write_json
from tests.experiments import LABELS, write_prepared
from tests.tiny import make_tiny_encoder

SCHEMA = OutputSchema(scoring_mode="label", labels=LABELS)


def test_an_encoder_is_asked_for_rows_and_a_server_that_answers_otherwise_is_told(tmp_path, tiny_base):
    manifest, bundle = write_prepared(1, tmp_path / "prepared", tiny_base), tmp_path / "bundle"
    encoder = architecture_for("encoder", make_tiny_encoder(tmp_path / "base"), SCHEMA)
    model = encoder.load(None, "fp32")
    model.save_pretrained(bundle / "hf")
    encoder.save_reader(bundle / "hf")
    told = {"task_profile": "classification", "output_schema": SCHEMA.model_dump(mode="json")}
    write_json(bundle / "manifest.json", {"prompt_format": told})
    data = PreparedData(manifest, sha256(manifest))
    said = handler_for("classification", SCHEMA).predict(data.eval()[::4], encoder.predictor(model))
    answers = [one.model_dump(mode="json") for one in said]
    served = Servable(
        version_id=0, project_id=1, target="local", model="default-v1", variant="hf", bundle=bundle, artifact={"path": "hf"}
    )
    with serve_for_now(served) as endpoint:
        assert (endpoint.chat, endpoint.rows) == (False, True)
        smoke = Smoke("merged", {"answers": answers}, manifest, data.sha256)
        assert ask_live(endpoint, smoke, lambda: None) == (6, 6, "rows")
        others = [one | {"output": next(label for label in LABELS if label != one["output"])} for one in answers]
        with pytest.raises(SmokeMissed, match="0 of 6 answers are those of the exported file"):
            ask_live(endpoint, smoke._replace(trace={"answers": others}), lambda: None)
