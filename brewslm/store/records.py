"""What an operation may look up before it starts."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons.refusals import NotPrepared, NotTrained, UnknownGoldSet, UnknownProject, UnknownRun
from brewslm.store import tables
from brewslm.store.files import project_folder, run_folder


@dataclass(frozen=True)
class Records:
    """The tables as `resolve` sees them, and the run that it resolves for.

    Attributes:
        session: Open for reading only.
        run_id: Such as "exp-1".
        project_id: The run's project; 0 when it has none.
        actor: Who asked.
    """

    session: Session
    run_id: str
    project_id: int
    actor: str

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return project_folder(self.project_id)

    @property
    def run_folder(self) -> Path:
        """This run's folder."""
        return run_folder(self.run_id)

    def base_locator(self, wanted: str | None) -> str:
        """The base model that was asked for, or else the project's."""
        return wanted or project_of(self.session, self.project_id).base_model

    def row_file(self, name: str) -> tables.RowFileState:
        """The committed length of one of the project's row files; of length 0 when it does not exist yet."""
        found = self.session.get(tables.RowFileState, (self.project_id, name))
        return found or tables.RowFileState(project_id=self.project_id, name=name, committed_bytes=0, row_count=0)

    def live_imports(self) -> list[tables.Import]:
        """The project's imports whose rows count, in the order of the synthetic file."""
        return [one for one in imports_of(self.session, self.project_id) if one.undone_by is None and one.accepted_count]

    def live_spans(self) -> list[tuple[int, int]]:
        """From which byte to before which one the project's synthetic rows count."""
        return live_spans(self.session, self.project_id)

    def source(self, locator: str, content_hash: str | None = None) -> tables.Source | None:
        """The project's newest kept source of this locator (and content)."""
        return source_of(self.session, self.project_id, locator, content_hash)

    def forgotten(self) -> dict[str, str]:
        """The project's rows whose text was removed, with the hash of what each said ("" where it never was mapped)."""
        found = select(tables.ForgottenRow).where(tables.ForgottenRow.project_id == self.project_id)
        return {one.row_id: one.content_key for one in self.session.scalars(found)}

    def manifest(self, version: int | None = None) -> tables.DataManifest:
        """The project's manifest of this version, or the one in use.

        Raises:
            StageError(NotPrepared): There is none.
        """
        return manifest_of(self.session, self.project_id, version)


def project_of(session: Session, project_id: int) -> tables.Project:
    """The project.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    found = session.get(tables.Project, project_id)
    if found is None:
        raise StageError(UnknownProject(), where=f"project {project_id}")
    return found


def manifest_of(session: Session, project_id: int, version: int | None = None) -> tables.DataManifest:
    """The project's manifest of this version, or the one in use.

    Raises:
        StageError(NotPrepared): There is none.
    """
    wanted = project_of(session, project_id).active_manifest if version is None else version
    query = select(tables.DataManifest).where(tables.DataManifest.project_id == project_id)
    found = session.scalar(query.where(tables.DataManifest.version == wanted))
    if found is None:
        cause = "" if version is None else f"there is no version {version}"
        raise StageError(NotPrepared(), where=f"project {project_id}", cause=cause)
    return found


def source_of(session: Session, project_id: int, locator: str, content_hash: str | None = None) -> tables.Source | None:
    """The project's newest kept source of this locator (and content); None when it was never ingested."""
    query = select(tables.Source).where(tables.Source.project_id == project_id, tables.Source.locator == locator)
    if content_hash is not None:
        query = query.where(tables.Source.content_hash == content_hash)
    return session.scalars(query.order_by(tables.Source.created_at.desc(), tables.Source.id.desc())).first()


def imports_of(session: Session, project_id: int) -> list[tables.Import]:
    """Every import of the project, undone ones too, in the order of the synthetic file."""
    query = select(tables.Import).where(tables.Import.project_id == project_id)
    return list(session.scalars(query.order_by(tables.Import.start_byte, tables.Import.created_at)))


def live_spans(session: Session, project_id: int) -> list[tuple[int, int]]:
    """From which byte to before which one the project's synthetic rows count: what was undone is left out."""
    state = session.get(tables.RowFileState, (project_id, "synthetic"))
    spans, at = [], 0
    for one in imports_of(session, project_id):
        if one.undone_by is not None:
            spans.append((at, one.start_byte))
            at = one.end_byte
    spans.append((at, state.committed_bytes if state else 0))
    return [(start, end) for start, end in spans if start < end]


def run_of(session: Session, run_id: str) -> tables.Run:
    """The run.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    found = session.get(tables.Run, run_id)
    if found is None:
        raise StageError(UnknownRun(), where=run_id)
    return found


def experiment_of(session: Session, run_id: str) -> tables.Experiment:
    """The trained experiment.

    Raises:
        StageError(UnknownRun): There is no such run.
        StageError(NotTrained): The run has not ended well.
    """
    run = run_of(session, run_id)
    found = session.get(tables.Experiment, run_id)
    if found is None:
        raise StageError(NotTrained(), where=run_id, cause=f"its state is {run.state}")
    return found


def gold_set_of(session: Session, project_id: int, name: str, version: int | None = None, state: str = "") -> tables.GoldSet:
    """A version of a gold set: the newest (in this state, where one is given) when no version is named.

    Raises:
        StageError(UnknownGoldSet): There is none.
    """
    project_of(session, project_id)
    query = select(tables.GoldSet).where(tables.GoldSet.project_id == project_id, tables.GoldSet.name == name)
    if version is not None:
        query = query.where(tables.GoldSet.version == version)
    if state:
        query = query.where(tables.GoldSet.state == state)
    found = session.scalars(query.order_by(tables.GoldSet.version.desc())).first()
    if found is None:
        wanted = (
            f"no version {version}" if version is not None else f"no {state} version" if state else "no gold set of this name"
        )
        raise StageError(UnknownGoldSet(), where=f"project {project_id}, {name}", cause=f"there is {wanted}")
    return found


def locked_gold_set(session: Session, project_id: int, label: str) -> tables.GoldSet:
    """A locked version by "support@2", or the newest locked one by "support".

    Raises:
        StageError(UnknownGoldSet): There is none, or it is a draft.
    """
    name, at, version = label.partition("@")
    if at and not version.isdecimal():
        raise StageError(UnknownGoldSet(), where=label, cause="after @ comes the number of a version")
    return gold_set_of(session, project_id, name, int(version) if at else None, "locked")


def locked_gold_sets(session: Session, project_id: int) -> list[tables.GoldSet]:
    """Every locked version of every gold set of the project: none of their rows may be trained on."""
    query = select(tables.GoldSet).where(tables.GoldSet.project_id == project_id, tables.GoldSet.state == "locked")
    return list(session.scalars(query.order_by(tables.GoldSet.name, tables.GoldSet.version)))
