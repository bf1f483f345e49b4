import pytest
from nicegui.testing import User

from brewslm.handlers import handler_for
from brewslm.observe.playground import Playable
from brewslm.observe.predict import ask_streaming
from brewslm.rows.manifest import OutputSchema
from brewslm.serving.endpoints import Endpoint
from brewslm.web.playground import NONE, choose
from tests.drift import TRUTH, live_at, promoted_version, under_a_grammar
from tests.openai_server import service
from tests.serving.odd import odd, says
from tests.web.test_data_page import links, native, press

pytestmark = pytest.mark.anyio
TEXT = next(iter(TRUTH))
ANSWER = "Bake it for forty minutes at a low heat."


async def test_what_answers_is_asked_in_its_own_words_and_its_base_says_that_nobody_serves_it(
    user: User, project, tiny_base, tmp_path
):
    version = promoted_version(project, tiny_base, tmp_path)
    with service(under_a_grammar(TRUTH.__getitem__)) as live, live_at(version, live.base_url):
        await user.open(f"/projects/{project}/playground")
        for seen in ("default v1, exp-1", "the base of exp-1", "No model server runs for it now.", "Start it here"):
            await user.should_see(seen)
        press(user, "Ask both")
        await user.should_see("Write something to ask first.")
        assert next(iter(native(user, "textarea", id="ask-text")[0].elements)).props["aria-invalid"] == "true"
        field = native(user, "textarea", id="ask-text")[0]
        field.trigger("input", TEXT)
        field.trigger("keydown.ctrl.enter")
        await user.should_see("positive")
        await user.should_see("100.0 %")
        await user.should_see("It was not asked: it is not served now.")
        assert TEXT in [one["messages"][-1]["content"] for one in live.asked]
    press(user, "Ask both")  # its server is gone meanwhile
    await user.should_see("endpoint_unavailable")
    await user.should_see("deployment-1 is not served now")


async def test_without_an_export_there_is_nothing_to_ask(user: User, project):
    await user.open(f"/projects/{project}/playground")
    await user.should_see("There is no model to ask yet")
    assert links(user)["Export a model"] == f"/projects/{project}/export"


def test_the_sides_are_what_the_address_says_or_a_model_and_its_base():
    made = [("deployment-1", "exp-2"), ("export-1:hf", "exp-1"), ("exp-2:base", "exp-2"), ("exp-1:base", "exp-1")]
    models = [Playable(id=name, title=name, experiment=experiment, state="idle") for name, experiment in made]
    for left, right, expected in (
        ("", "", ["deployment-1", "exp-2:base"]),
        ("export-1:hf", "", ["export-1:hf", "exp-1:base"]),
        ("exp-1:base", "", ["exp-1:base"]),
        ("", NONE, ["deployment-1"]),
        ("export-1:hf", "deployment-1", ["export-1:hf", "deployment-1"]),
    ):
        assert [one.id for one in choose(models, left, right)] == expected
    assert choose([], "", "") == []


def test_a_written_answer_comes_in_parts_with_its_pace():
    handler, parts = handler_for("qa", OutputSchema(scoring_mode="text")), []
    with odd(says(ANSWER)) as server:
        endpoint = Endpoint(base_url=server.base_url, model="default-v1")
        found = ask_streaming(handler, endpoint, "How long does it bake?", str, parts.append, 30.0)
    assert "".join(parts) == ANSWER == found.answer.output and len(parts) > 3
    assert found.tokens and found.first_seconds is not None and found.first_seconds <= found.seconds
    assert found.refused is None
    with odd(says("I'm sorry, but I can't help with that.")) as server:
        safety = handler_for("safety", OutputSchema(scoring_mode="refusal"))
        endpoint = Endpoint(base_url=server.base_url, model="default-v1")
        assert ask_streaming(safety, endpoint, "How do I hurt someone?", str, parts.append, 30.0).refused is True
