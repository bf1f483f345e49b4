"""A read-only view of the formats that an experiment's model can be exported in."""

from pydantic import BaseModel

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model
from brewslm.models.formats import TABLE, impossible, missing_packages
from brewslm.models.trained import is_whole
from brewslm.processes.toolchains import install_command, missing
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import experiment_of


class FormatView(BaseModel):
    """A format.

    Attributes:
        default: It is made when none is named.
        rounds_much: So few bits that it is promoted only once it was measured itself.
        about_bytes: Its size on disk, from the number of weights; 0 where it is a link to another's, or not known.
        cause: Why this model can't have it, or not on this machine; "" where it can.
        next_step: What to do about that.
    """

    name: str
    default: bool
    rounds_much: bool
    about_bytes: int
    cause: str = ""
    next_step: str = ""


def export_formats(experiment_id: str) -> list[FormatView]:
    """Every format, in the order in which they are made.

    Raises:
        StageError(UnknownRun, NotTrained): There is no such finished experiment.
    """
    with reading() as session:
        experiment = experiment_of(session, experiment_id)
        trained = project_folder(experiment.project_id) / experiment.adapter_path
    try:
        base, gone = base_model(experiment.base_model), ""
    except StageError as error:
        base, gone = None, error.cause or error.what
    found = []
    for one in TABLE:
        about = round(one.bytes_per_weight * base.parameters) if base else 0
        view = FormatView(name=one.name, default=one.default, rounds_much=one.rounds_much, about_bytes=about, cause=gone)
        if base is not None:
            cause = impossible(
                one.name, base.architecture, whole=is_whole(trained), folder=base.folder, tokenizer_from=base.gguf
            )  # fmt: skip
            view = view.model_copy(update={"cause": cause} if cause else _lacking(one.name, one.toolchains))
        found.append(view)
    return found


def _lacking(name: str, toolchains: tuple[str, ...]) -> dict[str, str]:
    """What this machine has not got for it."""
    if absent := missing(toolchains):
        return {"cause": f"toolchain {', '.join(absent)} is not installed", "next_step": f"Run {install_command(absent)}."}
    if packages := missing_packages([name]):
        return {"cause": f"{', '.join(packages)} is not installed", "next_step": f"Install {' '.join(packages)}."}
    return {}
