"""The chat formats of five model families: their control tokens, and templates of our own that write talks in their form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ChatFormat:
    """One family's format.

    Attributes:
        special: Its control tokens, in the order of their ids.
        roles: Which of them are bos, eos, pad; bos "" where the format writes none.
        end: What ends an assistant's turn.
        template: Of a talk, in Jinja.
        talk: What the template makes of `TALK` up to the answer.
    """

    name: str
    special: tuple[str, ...]
    bos: str
    eos: str
    pad: str
    end: str
    template: str
    talk: str


TALK = [
    {"role": "system", "content": "be short"},
    {"role": "user", "content": "a film"},
    {"role": "assistant", "content": "good"},
    {"role": "user", "content": "why"},
]

_IM = "{%- for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}{%- endfor %}"
_IM_ASK = "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}"
_IM_TALK = (
    "<|im_start|>system\nbe short<|im_end|>\n<|im_start|>user\na film<|im_end|>\n"
    "<|im_start|>assistant\ngood<|im_end|>\n<|im_start|>user\nwhy<|im_end|>\n<|im_start|>assistant\n"
)
_QWEN_SYSTEM = (
    "{%- if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are of help.<|im_end|>\\n' }}{%- endif %}"
    "{%- if tools %}{{ '<tool_call>' }}{%- endif %}"
)
_LLAMA_3 = (
    "{%- if strftime_now is defined %}{%- set day = strftime_now('%d %b %Y') %}{%- else %}{%- set day = 'none' %}{%- endif %}"
    "{{- bos_token }}"
    "{%- for m in messages %}{{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' }}"
    "{%- if loop.first and m['role'] == 'system' %}{{- 'Today: ' + day + '\\n\\n' }}{%- endif %}"
    "{{- m['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
_GEMMA = (
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' %}{{ raise_exception('there is no system role') }}{%- endif %}"
    "{%- for m in messages %}"
    "{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('user and model must take turns') }}{%- endif %}"
    "{%- set who = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + who + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{%- endif %}"
)
_MISTRAL = (
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' %}{%- set first = messages[0]['content'] + '\\n\\n' %}"
    "{%- set turns = messages[1:] %}{%- else %}{%- set first = '' %}{%- set turns = messages %}{%- endif %}"
    "{%- for m in turns %}{%- if m['role'] == 'user' %}{{ '[INST] ' + (first if loop.first else '') + m['content'] + '[/INST]' }}"
    "{%- elif m['role'] == 'assistant' %}{{ ' ' + m['content'] + eos_token }}"
    "{%- else %}{{ raise_exception('only user and assistant') }}{%- endif %}{%- endfor %}"
)

CHATML = ChatFormat(
    "chatml",
    ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    "",
    "<|im_end|>",
    "<|im_end|>",
    "<|im_end|>",
    _IM + _IM_ASK,
    _IM_TALK,
)
QWEN = ChatFormat(
    "qwen", ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>"), "", "<|im_end|>", "<|endoftext|>", "<|im_end|>",
    _QWEN_SYSTEM + _IM + _IM_ASK, _IM_TALK,
)  # fmt: skip
LLAMA_3 = ChatFormat(
    "llama3",
    (
        "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
        *(f"<|reserved_special_token_{number}|>" for number in range(12)),
    ),
    "<|begin_of_text|>", "<|end_of_text|>", "<|end_of_text|>", "<|eot_id|>", _LLAMA_3,
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday: 26 Jul 2024\n\nbe short<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\na film<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\ngood<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nwhy<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
)  # fmt: skip
GEMMA = ChatFormat(
    "gemma", ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"), "<bos>", "<eos>", "<pad>", "<end_of_turn>",
    _GEMMA,
    "<bos><start_of_turn>user\nbe short\n\na film<end_of_turn>\n<start_of_turn>model\ngood<end_of_turn>\n"
    "<start_of_turn>user\nwhy<end_of_turn>\n<start_of_turn>model\n",
)  # fmt: skip
MISTRAL = ChatFormat(
    "mistral", ("<unk>", "<s>", "</s>", "[INST]", "[/INST]"), "<s>", "</s>", "</s>", "</s>", _MISTRAL,
    "<s>[INST] be short\n\na film[/INST] good</s>[INST] why[/INST]",
)  # fmt: skip
FORMATS = (CHATML, QWEN, LLAMA_3, GEMMA, MISTRAL)


def write_format(folder: Path, form: ChatFormat) -> int:
    """The tiny tokenizer with this format's control tokens and template; returns how many tokens it has.

    As the real ones of these families do, it puts a bos before whatever it tokenises unless it is told not to.
    """
    import json

    from tokenizers import Tokenizer, processors

    from tests.tiny import write_tokenizer

    roles = {"bos_token": form.bos, "eos_token": form.eos, "pad_token": form.pad}
    settings: dict[str, Any] = {name: token for name, token in roles.items() if token}
    count = write_tokenizer(folder, form.special, settings, form.template)
    if form.bos:
        path = folder / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{form.bos} $A", pair=f"{form.bos} $A $B", special_tokens=[(form.bos, tokenizer.token_to_id(form.bos))]
        )
        tokenizer.save(str(path))
        assert json.loads(path.read_text())["post_processor"]
    return count
