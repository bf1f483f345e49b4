"""brewslm models."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.observe.models import BaseModelView

model_app = typer.Typer(help="A trained, exported or deployed model.", no_args_is_help=True)
_HEADER = (
    "base model",
    "architecture",
    "licence",
    "parameters",
    "context",
    "files",
    "fp32",
    "bf16",
    "4-bit",
    "train CPU",
    "bf16",
    "CUDA",
    "MPS",
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(models)
    app.add_typer(model_app, name="model")


def models(json: Json = False) -> None:
    """Base models that are known by name: licence, size, context, and what their weights take in memory."""
    from brewslm.observe.models import base_models

    found = base_models()
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    print_table([_row(one) for one in found], _HEADER)
    print_line("fp32 (CPU), bf16 and 4-bit (CUDA): GB of the weights alone, computed; ~ is computed too")
    print_line("train: GB of a LoRA training, 8 rows of 128 tokens in a pass: CPU (fp32, bf16) measured, CUDA and MPS by formula")
    print_line("needs an account: the hub gives it to those who accepted its licence; set HF_TOKEN")
    print_line("made:<name>: made on this machine from a seed, untrained, for narrow tasks")
    print_line("any other: hf:<id>[@revision], path:<folder>, path:<file>.gguf")


@model_app.callback()
def model() -> None:
    """A trained, exported or deployed model."""


@model_app.command()
def verify(
    subject: Annotated[str, typer.Argument(help="exp-3, export-2, export-2:gguf-q8_0 or deployment-5.")], json: Json = False
) -> None:
    """Compute every hash from base to deployment anew; tell the first that is not what was written down."""
    from brewslm.observe.modelpassport import model_passport, must_hold

    with problems(json):
        found = model_passport(subject)
        if json:
            print_json(found.model_dump(mode="json"))
        else:
            rows = [(one.link, one.name, one.expected_sha256[:12], one.cause or one.note or "holds") for one in found.links]
            print_table(rows, ("link", "of", "sha256", ""))
            ran = [
                (
                    one.run_id,
                    one.operation,
                    one.actor,
                    f"{one.ended_at:%Y-%m-%d %H:%M}" if one.ended_at else one.state,
                    one.job_sha256[:12],
                )
                for one in found.steps
            ]
            print_line("")
            print_table(ran, ("run", "operation", "asked by", "ended (UTC)", "job"))
        must_hold(found)


def _row(one: "BaseModelView") -> tuple[str, ...]:
    from brewslm.models.catalogue import UNBOUNDED

    licence = one.licence + (" (needs an account)" if one.gated else "")
    files = f"{'~' if one.file_bytes_computed else ''}{_gigabytes(one.file_bytes)} GB"
    weights = one.weight_bytes
    memory = (_gigabytes(size) for size in (weights.cpu_fp32, weights.cuda_bf16, weights.cuda_4bit))
    train = [_gigabytes(size) for size in one.training_bytes.model_dump().values()] if one.training_bytes else ["–"] * 4
    context = f"{one.context_length:,}" if one.context_length < UNBOUNDED else "any"
    size = f"{one.parameters / 1e6:,.0f} M"
    return (one.locator, one.architecture, licence, size, context, files, *memory, *train)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}" if size >= 5e7 else "<0.1"
