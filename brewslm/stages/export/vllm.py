"""The bundle for vLLM, and the check of every format that vLLM runs: by vLLM itself."""

import os
import shlex
import shutil
from contextlib import closing
from pathlib import Path

from brewslm.errors import StageError
from brewslm.models.formats import MERGED, Format
from brewslm.models.trained import WHOLE, is_whole
from brewslm.models.vllm_model import NoAnswer, VllmModel
from brewslm.processes.vllm import MODULE, VllmFailed, context_of, serve_vllm, vllm_flags
from brewslm.reasons.export import ExportRunFailed
from brewslm.stages.export.job import Artifact
from brewslm.stages.export.making import Making
from brewslm.store.files import read_json, write_atomic

ADAPTER_FOLDER = "adapter"
README = """# {name}

Served by vLLM as it stands, with its chat template (`chat_template.jinja`) and its stop tokens (`generation_config.json`):

    ./serve.sh --port 8001

It answers to `{name}`, over OpenAI's API. `serve.sh` says what vLLM was run with when this bundle was checked, on a processor;
on a GPU leave `--enforce-eager` out.
"""
README_ADAPTER = """
The adapter alone is in `adapter/`: one server of the base model can have many of them beside it.

    ./serve-lora.sh FOLDER-OF-THE-BASE --port 8001

The base is {base}, and then answers to `{name}-base`.
"""


def make_vllm(making: Making, wanted: Format) -> Artifact:
    """The merged weights, linked, with launch lines for the whole model and for its adapter beside the base; run by vLLM.

    Raises:
        StageError(ToolchainMissing): vLLM is not installed.
        StageError(ExportRunFailed): vLLM can't run it, or it does not say what the trained model says.
    """
    folder, source = making.folder / wanted.name, making.folder / MERGED
    name = served_name(making)
    copy_beside_weights(source, folder)
    os.link(source / WHOLE, folder / WHOLE)
    _write_launch(folder / "serve.sh", ["--model", ".", *vllm_flags(name, context_of(folder))])
    text = README.format(name=name)
    if not is_whole(making.job.adapter):
        shutil.copytree(making.job.adapter, folder / ADAPTER_FOLDER)
        rank = int(read_json(folder / ADAPTER_FOLDER / "adapter_config.json")["r"])
        # The tokenizer, the chat template and the stop tokens are those of the export, whatever the base's are.
        ours = ["--tokenizer", ".", "--generation-config", "."]
        flags = ours + vllm_flags(f"{name}-base", context_of(folder), adapter=(name, ADAPTER_FOLDER, rank))
        _write_launch(folder / "serve-lora.sh", flags, "base")
        text += README_ADAPTER.format(name=name, base=making.job.base.name)
    write_atomic(folder / "README.md", text.encode())
    check_with_vllm(making, wanted)
    return making.describe(wanted.name, WHOLE)


def served_name(making: Making) -> str:
    """What a server of this export answers to."""
    return f"{making.job.base.name}-{making.job.experiment_id}"


def copy_beside_weights(source: Path, folder: Path) -> None:
    """Config, tokenizer, chat template and generation config: all of a model's folder but its weights."""
    for file in source.iterdir():
        if file.is_file() and file.suffix != ".safetensors":
            shutil.copy2(file, folder / file.name)


def check_with_vllm(making: Making, wanted: Format) -> None:
    """Have vLLM serve the folder as it stands, and ask it what the trained model was asked.

    Raises:
        StageError(ToolchainMissing): vLLM is not installed.
        StageError(ExportRunFailed): It can't run the folder, reads a prompt otherwise, or says something else.
    """
    name, smoke = served_name(making), making.smoke
    server = serve_vllm(making.folder / wanted.name, making.context.folder / f"{wanted.name}-vllm.log", name=name)
    try:
        server.wait_ready(check=making.context.check)
        with closing(VllmModel(server.base_url, name)) as model:
            for prompt, one in smoke.prompts:
                if model.prompt_ids(prompt.messages) != one.prompt_ids:
                    raise _failed(making, wanted, "it reads a prompt as other tokens than training did")
            said = [model.answer(one.prompt_ids, smoke.answer_tokens) for _, one in smoke.answered]
            smoke.check_top1(wanted.name, model.top1, said)
    except VllmFailed as error:
        raise _failed(making, wanted, f"vLLM can't run it: {error}") from error
    except NoAnswer as error:
        cause = str(error) if server.alive() else server.last_words()
        raise _failed(making, wanted, f"vLLM did not answer: {cause}") from error
    finally:
        server.stop()


def _write_launch(file: Path, flags: list[str], argument: str = "") -> None:
    """A script that starts vLLM's server from the folder that it stands in, with whatever else it is told.

    Args:
        argument: Of the script itself: what its first word is, such as "base", which is the model then.
    """
    lines = ["#!/bin/sh", "# Made by BrewSLM: what vLLM was run with when this bundle was checked."]
    model = []
    if argument:
        lines += [f'{argument}="$(cd "${{1:?folder of the base model}}" && pwd)"', "shift"]
        model = ["--model", f'"${argument}"']
    lines += ['cd "$(dirname "$0")" || exit 1', "export HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1"]
    words = " ".join([*model, *map(shlex.quote, flags)])
    lines += [f'exec "${{PYTHON:-python}}" -m {MODULE} {words} "$@"', ""]
    write_atomic(file, "\n".join(lines).encode())
    file.chmod(0o755)


def _failed(making: Making, wanted: Format, cause: str) -> StageError:
    reason = ExportRunFailed(experiment_id=making.job.experiment_id, format=wanted.name, error=cause)
    where = f"{making.context.folder.name}/{wanted.name}-vllm.log"
    return StageError(reason, f"The exported {wanted.name} does not run as the trained model does", where=where, cause=cause)
