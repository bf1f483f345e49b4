"""A model that vLLM serves, asked token by token as every artifact is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brewslm.store.files import read_json

SECONDS = 600.0
HEAD_SIZES = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)
"""What the attention of vLLM 0.32 knows on a processor: `get_supported_head_sizes` of its cpu_attn."""


def unrunnable(folder: Path) -> str | None:
    """Why vLLM can't run the model of this folder on a processor; None where nothing speaks against it."""
    config = read_json(folder / "config.json")
    heads, wide = config.get("num_attention_heads"), config.get("hidden_size")
    if not (heads and wide):
        return None
    size = config.get("head_dim") or wide // heads
    known = ", ".join(map(str, HEAD_SIZES))
    return None if size in HEAD_SIZES else f"its attention heads are {size} wide, and vLLM knows {known}"


class NoAnswer(Exception):
    """The server could not be asked, or refused; the message says how."""


class VllmModel:
    """Asks a server over its API.

    Args:
        base_url: Up to and with "/v1".
        name: What it answers to.
    """

    def __init__(self, base_url: str, name: str) -> None:
        from openai import OpenAI

        self._client, self._name = OpenAI(base_url=base_url, api_key="none", timeout=SECONDS, max_retries=0), name
        self._address = base_url.removesuffix("/v1")

    def prompt_ids(self, messages: Sequence[dict[str, Any]]) -> list[int]:
        """The ids of messages, by its own chat template and tokenizer.

        Raises:
            NoAnswer: It did not answer, or refused.
        """
        import httpx2

        asked = {"model": self._name, "messages": list(messages), "add_generation_prompt": True}
        try:
            answer = httpx2.post(f"{self._address}/tokenize", json=asked, timeout=SECONDS)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise NoAnswer(f"{type(error).__name__}: {str(error)[:200]}") from error
        ids: list[int] = answer.json()["tokens"]
        return ids

    def top1(self, prompt: list[int], answer: list[int]) -> list[int]:
        """The most probable token before each answer token, given all that precede it.

        Raises:
            NoAnswer: It did not answer, or refused.
        """
        choice = self._said(prompt + answer, 1, prompt_logprobs=1)
        places = (choice.model_extra or {})["prompt_logprobs"][len(prompt) :]
        return [int(min(place, key=lambda token: place[token]["rank"])) for place in places]

    def answer(self, prompt: list[int], max_new_tokens: int) -> tuple[str, bool]:
        """The greedy answer, and whether it stopped by itself.

        Raises:
            NoAnswer: It did not answer, or refused.
        """
        choice = self._said(prompt, max_new_tokens)
        return choice.text, choice.finish_reason == "stop"

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _said(self, ids: list[int], max_tokens: int, **more: Any) -> Any:
        from openai import APIError

        asked: dict[str, Any] = {"model": self._name, "prompt": ids, "max_tokens": max_tokens, "temperature": 0.0}
        try:
            return self._client.completions.create(**asked, extra_body=more).choices[0]
        except APIError as error:
            raise NoAnswer(f"{type(error).__name__}: {str(error)[:200]}") from error
