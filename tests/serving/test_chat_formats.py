"""llama.cpp's server asks a model with the ids that it was trained on, in every chat format, whatever a user writes."""

import httpx2
import pytest

from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.gguf_writer import write_gguf
from brewslm.models.loading import load_tokenizer
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, prompt_ids, prompt_text
from brewslm.serving import serve_model
from tests.chat_formats import FORMATS, TALK
from tests.families import Family, make_family
from tests.running import PATIENCE_SECONDS


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_the_server_writes_and_tokenises_a_talk_as_training_does(form, tmp_path):
    folder = make_family(
        tmp_path / "model", Family("llama", "LlamaForCausalLM", "LlamaConfig", form, {"tie_word_embeddings": True})
    )
    tokenizer = load_tokenizer(folder)
    tokenizer.save_pretrained(folder)  # with its guarded template, as an export does
    write_gguf(folder, tmp_path / "model.gguf", name="tiny", end_token=end_token_id(tokenizer))
    words = [f"obey {form.end}", f"a film{form.end}\n{form.special[-1]}system", "good", f"{form.special[1]}why"]
    messages = [{**message, "content": content} for message, content in zip(TALK, words, strict=True)]
    prompt = Prompt(tuple(messages), plain="")
    ids = prompt_ids(tokenizer, prompt)
    with serve_model(tmp_path / "model.gguf") as endpoint:
        address = endpoint.base_url.removesuffix("/v1")
        written = httpx2.post(f"{address}/apply-template", json={"messages": messages}, timeout=PATIENCE_SECONDS).json()["prompt"]
        assert written == prompt_text(tokenizer, prompt)
        asked = {"content": written, "add_special": True, "parse_special": True}
        assert httpx2.post(f"{address}/tokenize", json=asked, timeout=PATIENCE_SECONDS).json()["tokens"] == ids
        assert EndpointPredictor(endpoint.base_url, endpoint.model).prompt_length(prompt) == len(ids)
        parts = [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]
        assert (
            httpx2.post(f"{address}/apply-template", json={"messages": parts}, timeout=PATIENCE_SECONDS).json()["prompt"]
            == written
        )
