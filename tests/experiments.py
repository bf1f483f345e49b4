"""A trained experiment on a tiny model, made without the stages before it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from brewslm.stages.export import ExportJob

LABELS = ["negative", "positive"]
WORDS = {"positive": ("lovely", "great", "good", "film"), "negative": ("dull", "awful", "bad", "boring")}


def rows(count: int = 24) -> list[dict]:
    """Short texts whose label is that of their one telling word."""
    made = []
    for place in range(count):
        label = LABELS[place % 2]
        word = WORDS[label][place // 2 % 4]
        text = f"the movie {place // 2} was {word} and {word}"  # each number with both labels: it must not tell
        made.append({"row_id": hashlib.sha256(text.encode()).hexdigest()[:16], "payload": {"text": text, "label": label}})
    return made


def train_adapter(base: Path, folder: Path, steps: int = 60) -> Path:
    """A LoRA adapter that answers with confidence: a shaky one would show near-ties, not faults of the export."""
    import torch
    from peft import LoraConfig, get_peft_model

    from brewslm.handlers import handler_for
    from brewslm.models.loading import load_model, load_tokenizer
    from brewslm.models.templates import example_ids
    from brewslm.rows.manifest import OutputSchema

    torch.manual_seed(0)
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
    tokenizer, model = load_tokenizer(base), load_model(base, precision="fp32")
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=64, target_modules="all-linear", task_type="CAUSAL_LM")).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    torch.set_num_threads(1)
    examples = [example_ids(tokenizer, handler.prompt(r["payload"]), handler.completion(r["payload"])) for r in rows()]
    longest = max(len(ids) for ids, _ in examples)
    inputs = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in examples])
    labels = torch.tensor([[-100] * asked + ids[asked:] + [-100] * (longest - len(ids)) for ids, asked in examples])
    for _ in range(steps):
        model(input_ids=inputs, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Trained:
    """What the tests need to know of it."""

    project: int
    id: str
    adapter: Path


def write_prepared(project: int, folder: Path, base: Path, train: list[dict] | None = None) -> Path:
    """Both splits and their manifest; returns the manifest's path.

    Args:
        train: Lines of the train split; the rows of eval themselves when left out.
    """
    from brewslm.models.catalogue import base_model
    from brewslm.rows.ledger import Ledger
    from brewslm.rows.manifest import Leakage, Manifest, MeasuredFor, OutputSchema, PiiReport, SplitFile
    from brewslm.rows.splitting import Bounds, Sizes, SplitPolicy
    from brewslm.store.files import sha256, write_atomic

    splits = {}
    for name, lines in (("train", train or rows()), ("eval", rows())):
        path = folder / f"{name}.jsonl"
        write_atomic(path, b"".join(orjson.dumps(row) + b"\n" for row in lines))
        splits[name] = SplitFile(path=path.name, sha256=sha256(path), size_bytes=path.stat().st_size, rows=len(lines))
    measured = base_model(f"path:{base}")
    manifest = Manifest(
        project=project, version=1, created_at="2026-01-01T00:00:00Z", seed=0, task_profile="classification",
        adapter_preset="classification-label", output_schema=OutputSchema(scoring_mode="label", labels=LABELS), splits=splits,
        base_model=MeasuredFor(
            locator=measured.locator, tokenizer_sha256=measured.tokenizer_sha256, template_sha256=measured.template_sha256,
            max_tokens=512,
        ),
        split=SplitPolicy(seed=0, asked=Sizes(), group_by="content", strata={"": Bounds(eval=0, dev=0)}),
        rows={"train": 24, "dev": 0, "eval": 24}, imports=[], ledger=Ledger(rows_in=48, rows_out=48),
        leakage=Leakage(equal_texts=0, near_duplicates=0, jaccard=0.8, rows_compared=24),
        pii=PiiReport(policy="off", findings={}),
    )  # fmt: skip
    write_atomic(folder / "manifest.json", manifest.model_dump_json().encode())
    return folder / "manifest.json"


def make_experiment(project: int, base: Path, adapter: Path, promotable: bool | None = True) -> Trained:
    """Write the manifest and its rows, and the tables of a finished training run; and of an evaluation unless None."""
    import shutil

    from brewslm.models.catalogue import base_model
    from brewslm.models.trained import trained_weights
    from brewslm.pipeline import runs
    from brewslm.store import tables
    from brewslm.store.database import transaction
    from brewslm.store.files import project_folder, sha256

    folder = project_folder(project)
    manifest_path = write_prepared(project, folder / "prepared" / "v1", base)
    with transaction() as session:
        made = [
            runs.create(
                session,
                kind=kind,
                operation=operation,
                project_id=project,
                actor="test",
                request={},
                parent=None,
                idempotency_key=None,
            )
            for kind, operation in (("prepare", "prepare.run"), ("exp", "train.run"), ("eval", "evaluate.run"))
        ]
        for run in made:
            run.state = "succeeded"
        prepare, exp, evaluation = (run.id for run in made)
        kept = folder / "experiments" / exp / "adapter"
        shutil.copytree(adapter, kept)
        frozen = tables.DataManifest(
            project_id=project,
            version=1,
            run_id=prepare,
            path="prepared/v1/manifest.json",
            sha256=sha256(manifest_path),
            task_profile="classification",
            rows={"train": 24, "eval": 24},
        )
        session.add(frozen)
        session.get_one(tables.Project, project).active_manifest = 1
        session.flush()
        locator = f"path:{base}"
        session.add(
            tables.Experiment(
                run_id=exp,
                project_id=project,
                manifest_id=frozen.id,
                base_model=locator,
                base_sha256=base_model(locator).sha256,
                adapter_path=f"experiments/{exp}/adapter",
                adapter_sha256=sha256(trained_weights(kept)),
                final_train_loss=0.1,
            )
        )
        session.flush()
        if promotable is not None:
            session.add(
                tables.Evaluation(
                    run_id=evaluation,
                    project_id=project,
                    experiment_id=exp,
                    eval_pack="general",
                    scorecard={},
                    promotable=promotable,
                )
            )
    return Trained(project, exp, kept)


def export_job(base: Path, adapter: Path, folder: Path, train: list[dict] | None = None) -> "ExportJob":
    """The job of an export that needs no tables: rows, base and adapter are files in `folder`."""
    from brewslm.models.catalogue import base_model
    from brewslm.models.formats import DEFAULT_FORMATS
    from brewslm.models.trained import trained_weights
    from brewslm.presets import checked, read_preset
    from brewslm.stages.export.job import ExportJob, SmokePolicy
    from brewslm.store.files import sha256

    manifest, known = write_prepared(1, folder / "prepared" / "v1", base, train), base_model(f"path:{base}")
    return ExportJob(
        experiment_id="exp-1", export_id="export-1", base=known, base_sha256=known.sha256, adapter=adapter,
        adapter_sha256=sha256(trained_weights(adapter)), manifest_version=1, manifest_path=manifest,
        manifest_sha256=sha256(manifest), formats=DEFAULT_FORMATS,
        policy=checked(read_preset("smoke_check"), SmokePolicy, "smoke_check"),
        output=folder / "exports" / "export-1", project_folder=folder,
    )  # fmt: skip


def export_here(base: Path, adapter: Path, folder: Path, formats: tuple[str, ...] | None = None) -> Path:
    """Export in this process, into `folder`, in every usual format or in these; returns the bundle."""
    from brewslm.processes.context import DirectContext
    from brewslm.stages import export

    job = export_job(base, adapter, folder)
    job = job.model_copy(update={"formats": formats or job.formats})
    export.run(job, DirectContext(folder))
    return job.output


def adopt_bundle(trained: Trained, bundle: Path) -> str:
    """Give an experiment a finished export, as if it had run; returns its id."""
    import shutil

    from brewslm.pipeline import runs
    from brewslm.store import tables
    from brewslm.store.database import transaction
    from brewslm.store.files import project_folder, read_json, sha256

    with transaction() as session:
        run = runs.create(
            session, kind="export", operation="export.run", project_id=trained.project, actor="test", request={}, parent=None,
            idempotency_key=None,
        )  # fmt: skip
        run.state = "succeeded"
        kept = project_folder(trained.project) / "exports" / run.id
        shutil.copytree(bundle, kept)
        artifacts = {one["format"]: one for one in read_json(bundle / "manifest.json")["artifacts"]}
        session.add(
            tables.Export(
                run_id=run.id,
                project_id=trained.project,
                experiment_id=trained.id,
                path=f"exports/{run.id}",
                manifest_sha256=sha256(kept / "manifest.json"),
                artifacts=artifacts,
            )
        )
        return run.id


def bare_export(project: int, base: Path, manifest: int = 1) -> str:
    """The tables of an export whose files nobody reads: for what happens to its versions alone. Returns its id.

    Args:
        manifest: The version of its data manifest; each export of a project takes another.
    """
    from brewslm.pipeline import runs
    from brewslm.store import tables
    from brewslm.store.database import transaction

    kinds = (("prepare", "prepare.run"), ("exp", "train.run"), ("export", "export.run"))
    with transaction() as session:
        prepare, exp, export = (
            runs.create(
                session, kind=kind, operation=operation, project_id=project, actor="test", request={}, parent=None,
                idempotency_key=None,
            ).id
            for kind, operation in kinds
        )  # fmt: skip
        frozen = tables.DataManifest(
            project_id=project, version=manifest, run_id=prepare, path="prepared/v1/manifest.json", sha256="", rows={},
            task_profile="classification",
        )  # fmt: skip
        session.add(frozen)
        session.flush()
        made = tables.Experiment(
            run_id=exp, project_id=project, manifest_id=frozen.id, base_model=f"path:{base}", base_sha256="", adapter_path="",
            adapter_sha256="", final_train_loss=0.1,
        )  # fmt: skip
        artifacts = {name: {"path": f"{name}/model.gguf", "sha256": ""} for name in ("gguf-f16", "gguf-q8_0")}
        session.add(made)
        session.flush()
        session.add(
            tables.Export(
                run_id=export, project_id=project, experiment_id=exp, path="exports/export-1", manifest_sha256="",
                artifacts=artifacts,
            )
        )  # fmt: skip
    return export
