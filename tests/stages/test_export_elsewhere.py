"""The `hf` folder in programs of other people: the transformers before ours."""

import os
import subprocess
import sys

import pytest

from bench.toolchain import installed

BEFORE = (("transformers", "4.57.6"), ("tokenizers", "0.22.2"), ("huggingface-hub", "0.36.2"))
READ = """
import json, sys
import torch, transformers
from transformers import AutoModelForCausalLM, AutoTokenizer
bundle = sys.argv[1]
tokenizer, model = AutoTokenizer.from_pretrained(bundle + "/hf"), AutoModelForCausalLM.from_pretrained(bundle + "/hf")
same = asked = 0
for one in json.load(open(bundle + "/smoke-trace.json"))["prompts"][:4]:
    ids = tokenizer.apply_chat_template(one["messages"], add_generation_prompt=True)
    out = model.generate(torch.tensor([ids]), max_new_tokens=2 * len(one["answer_ids"]))[0, len(ids):].tolist()
    said = tokenizer.decode(out, skip_special_tokens=True)
    asked, same = asked + 1, same + (ids == one["prompt_ids"] and said == one["answer"])
print(transformers.__version__, model.dtype, asked, same)
"""


@pytest.mark.slow
def test_transformers_4_reads_the_folder_and_answers_as_the_trained_model(tiny_bundle):
    packages = os.pathsep.join(str(installed(*one)) for one in BEFORE)
    environment = os.environ | {"PYTHONPATH": packages, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tiny_bundle)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["4.57.6", "torch.float32", "4", "4"]
