"""Requests that are turned away before anything is written. They are shown, not recorded in the stream."""

from pydantic import BaseModel, ConfigDict

from brewslm.reasons.base import Refusal, Severity, Stage

_S = {"stage": Stage.SYSTEM, "severity": Severity.ERROR}
_I = {"stage": Stage.INGESTION, "severity": Severity.ERROR}


class UnknownLesson(Refusal, status=404, remedy="See brewslm academy.", stage=Stage.ACADEMY, severity=Severity.ERROR):
    """The Academy has no lesson of this name."""


class UnknownProject(Refusal, status=404, remedy="See brewslm project list.", **_S):
    """No project has this number."""


class UnknownRun(Refusal, status=404, remedy="See brewslm task list.", **_S):
    """No run, experiment or export has this id."""


class UnknownDeployment(Refusal, status=404, remedy="See brewslm deploy list.", **_S):
    """No deployment version has this number."""


class UnknownEvent(Refusal, status=404, remedy="See brewslm audit tail.", **_S):
    """No event has this id."""


class UnknownFilter(Refusal, status=404, remedy="See brewslm audit filter list.", **_S):
    """No filter was saved under this name."""


class JournalOff(Refusal, status=404, remedy="Set BREWSLM_JOURNAL=true to see it; no event was lost.", **_S):
    """The Lab Journal is switched off on this machine."""


class UnknownFailure(Refusal, status=404, remedy="See brewslm failures list.", **_S):
    """No failure cluster has this id."""


class UnknownRow(Refusal, status=404, remedy="See brewslm map --json for row ids.", **_S):
    """No row of any project has this id."""


class NotReproducible(Refusal, status=409, remedy="Bring it back as it was: the run's job.json names it with its hash.", **_S):
    """Something that the experiment was trained from is gone or was changed."""


class DependencyMissing(Refusal, **_S):
    """A library that this needs, and that is not part of every installation, is not there."""


class DiskFull(Refusal, status=507, remedy="Free some space, or move BREWSLM_HOME to a larger disk, and try again.", **_S):
    """The disk is full; what was begun was taken back."""


class EvalPackInvalid(
    Refusal,
    exit_code=2,
    stage=Stage.EVAL,
    severity=Severity.ERROR,
    remedy="See brewslm eval-packs show general for one that works.",
):
    """The eval pack is not one: a key that packs don't have, or a gate on a metric, class or system that is not there."""


class FileProblem(BaseModel):
    """One thing that is wrong with a file.

    Attributes:
        line, column: Counted from 1; None where it is about the whole file.
        where: Keys from the top of the file, such as "train.settings.epochs".
    """

    model_config = ConfigDict(frozen=True)

    line: int | None = None
    column: int | None = None
    where: str = ""
    cause: str
    next_step: str = ""

    @property
    def position(self) -> str:
        """Such as "line 3, column 5"."""
        return "" if self.line is None else f"line {self.line}, column {self.column}"


class ProjectFileInvalid(Refusal, exit_code=2, remedy="Mend it; brewslm project validate names every problem.", **_S):
    """The project file is not one: it is no YAML, has a key that such files don't have, or names what is not there."""

    problems: list[FileProblem]


class InvalidRequest(Refusal, exit_code=2, **_S):
    """A value of the request is not one that can be used."""


class PathOutsideProject(Refusal, status=403, **_S):
    """A path leads out of the folder that it must stay in."""


class RunConflict(Refusal, status=409, **_S):
    """The run is not in a state that allows this."""


class IdempotencyConflict(Refusal, status=409, remedy="Use a new Idempotency-Key for a different request.", **_S):
    """The same idempotency key came with a different request."""


class PackageUnavailable(Refusal, status=502, remedy="Check that the package index can be reached, then try again.", **_S):
    """A package with a model or sample could not be fetched, or is not the file that its hash names."""


class ExtraMissing(Refusal, status=501, remedy="Install the extra, or leave out what needs it.", **_S):
    """What was asked for needs packages that are not installed."""

    extra: str


class ToolchainMissing(Refusal, status=409, remedy="See brewslm toolchain list, and install it.", **_S):
    """What was asked for needs a toolchain that is not installed on this machine."""


class ToolchainBroken(
    Refusal, status=502, remedy="Read the run's log.txt; the toolchain may not be made for this processor or system.", **_S
):
    """A toolchain was installed and does not work: its own check failed."""


class HostNotLoopback(Refusal, exit_code=2, remedy="Leave --host out: without users, only this machine may ask.", **_S):
    """The server would listen on an address that others can reach."""


class HostNotAllowed(
    Refusal, status=421, remedy="Ask for http://127.0.0.1 or http://localhost, from a page of this server or from no page.", **_S
):
    """The request is for another host, or comes from a page of another site."""


class RouteNotFound(Refusal, status=404, remedy="See /openapi.json for what is there.", **_S):
    """There is nothing at this address."""


class MethodNotAllowed(Refusal, status=405, remedy="See /openapi.json for what is there.", **_S):
    """This address does not answer to this method."""


class WorkerNameTaken(
    Refusal, status=409, exit_code=2, remedy="It serves this home already; give another worker another --name.", **_S
):
    """A worker of this name is at work in this home."""


class UnknownScheme(Refusal, exit_code=2, remedy="See brewslm sources.", **_I):
    """No connector knows the scheme of this locator."""


class SourceNotFound(Refusal, remedy="Check the path; it is read from the folder where the command runs.", **_I):
    """The file that the locator names is not there."""


class SourceForbidden(Refusal, status=403, remedy="Set the credentials of an account that may read it.", **_I):
    """The source wants credentials, or does not let these read it."""


class SourceIsDirectory(Refusal, remedy="Name one file.", **_I):
    """The locator names a folder."""


class SourceEmpty(Refusal, remedy="Name a file that has rows.", **_I):
    """The file has no row at all."""


class SourceBinary(Refusal, remedy="Name a text file, or file: and the path to let its content choose.", **_I):
    """The file is not text."""


class SourceUnreadable(Refusal, remedy="Check that the file is whole, and of the kind that its scheme says.", **_I):
    """The file is damaged, or not of the kind that its scheme says."""


class SourceTooLarge(Refusal, remedy="Keep the columns that are needed, and split the file.", **_I):
    """The source is larger, unpacks to more, or is wider, than can be read safely."""


class UnknownDocumentKind(
    Refusal, remedy="Save it as PDF, .docx, HTML, e-mail (.eml), Markdown or plain text, and add that.", **_I
):
    """No reader is for documents of this kind."""


class AddressRefused(
    Refusal,
    remedy="Name an https:// address on the public internet; a server of your own is listed in BREWSLM_URL_HOSTS.",
    **_I,
):
    """The URL, or one that it redirects to, is none that may be fetched."""


class SourceUnavailable(
    Refusal, status=502, remedy="Check the address, and that its server can be reached; then try again.", **_I
):
    """The server that has the source can't be reached, or did not give it."""


class SourceChanged(Refusal, status=409, remedy="Ingest it again.", **_I):
    """The kept copy of a source is gone, or not what was ingested."""


class ColumnMissing(Refusal, remedy="Map each field to a column that the source has, with --map field=column.", **_I):
    """The mapping names a column that the source does not have."""


class UnknownMapper(Refusal, exit_code=2, remedy="See brewslm mappers.", **_I):
    """No mapper has this name."""


class LowConfidence(
    Refusal,
    status=409,
    exit_code=4,
    remedy="Look at the proposal; then accept it with --force, or name --mapper and --map yourself.",
    **_I,
):
    """The proposed mapping is less sure than 0.80."""


class NothingToPrepare(
    Refusal, status=409, remedy="Commit rows first: brewslm map --project P --locator L --auto --commit.", **_S
):
    """The project has no rows of the kind that is wanted."""


class NothingToClean(Refusal, status=409, remedy="Add documents first: brewslm documents add --project P PATH.", **_S):
    """The project has no documents."""


class OneLabel(Refusal, status=409, remedy="Import rows of another label; then prepare again.", **_S):
    """Every row that can be used has the same label, so there is nothing to tell apart."""


class NotPrepared(Refusal, status=409, remedy="Run brewslm prepare --project P first.", **_S):
    """The project has no data manifest yet."""


class BaseModelNotFound(
    Refusal, remedy="See brewslm models, or name path: and a folder with a config and safetensors or GGUF weights.", **_S
):
    """The base model is not there, or not in a form that can be read safely."""


class BaseModelWrongKind(Refusal, remedy="Name one of brewslm models, or one like them.", **_S):
    """The base model is of an architecture that is not trained here, or needs code that is not known here."""


class BaseModelIncomplete(Refusal, remedy="Fetch or copy the model anew.", **_S):
    """A file of the base model is missing, cut off or can't be read."""


class BaseModelForbidden(Refusal, status=403, remedy="Ask for access on its page, and set HF_TOKEN.", **_S):
    """The hub wants a token for this base model, or does not let this one read it."""


class BaseModelUnavailable(
    Refusal,
    status=502,
    remedy="Check that the hub can be reached; then try again. A model at hand needs none: path:/folder.",
    **_S,
):
    """The hub can't be reached, or did not give the base model."""


class TemplateUnusable(
    Refusal, remedy="Choose an instruct model, whose tokenizer has a chat template: see brewslm models.", **_S
):
    """The base model's chat template can't write the messages of this task."""


class NotTrained(Refusal, status=409, remedy="Wait for the run to end, or resume it.", **_S):
    """The experiment has no finished weights."""


class NotComparable(Refusal, status=409, remedy="Compare evaluations of one manifest that were scored in one way.", **_S):
    """These evaluations did not measure the same rows in the same way: their answers can't be held against each other."""


class NotAnalysed(Refusal, status=409, remedy="Evaluate the experiment again: brewslm evaluate --experiment exp-N.", **_S):
    """The evaluation's answers or its error analysis are not there: its folder is gone, or an older version made it."""


class GgufUnsupported(
    Refusal, remedy="Export without GGUF: --format hf --format safetensors-adapter --format safetensors-merged.", **_S
):
    """This model or its tokenizer can't be written as GGUF without changing what it answers."""


class NotExported(Refusal, status=409, remedy="Run brewslm export --experiment exp-N first.", **_S):
    """The experiment has no export of the kind that is wanted."""


class NotCompared(Refusal, status=409, remedy="Run brewslm export compare first.", **_S):
    """The variants of this export were not measured yet."""


class PassportBroken(
    Refusal, status=409, remedy="Put the file back as it was, or export again from weights whose own links hold.", **_S
):
    """A link of a model's passport does not hold: a file from its base to its deployment is missing or was changed."""


class DeploymentStateConflict(Refusal, status=409, remedy="See brewslm deploy list.", **_S):
    """The version's state does not allow this action."""


class UnknownSchedule(Refusal, status=404, remedy="See brewslm deploy schedules.", **_S):
    """The slot has no schedule."""


class UnknownTarget(Refusal, exit_code=2, remedy="See brewslm deploy targets.", **_S):
    """There is no target of this name."""


class TargetRefused(Refusal, status=409, remedy="See brewslm deploy targets for what each serves.", **_S):
    """The target can't serve this variant."""


class PortTaken(Refusal, exit_code=2, remedy="End what listens there, or choose another --port.", **_S):
    """Another process listens on the port."""


class EndpointUnavailable(Refusal, status=503, remedy="Promote a version, and start brewslm serve.", **_S):
    """No promoted model answers under this name."""


class QueueFull(
    Refusal,
    status=429,
    remedy="Ask again after the seconds of Retry-After, or give the slot more room: brewslm deploy settings.",
    **_S,
):
    """As many requests are being answered, and wait, as the slot allows."""

    retry_after_seconds: int


class QueueTooSlow(
    Refusal,
    status=503,
    remedy="Ask again after the seconds of Retry-After, or give the slot more room: brewslm deploy settings.",
    **_S,
):
    """The request waited for its turn for as long as the slot allows."""

    retry_after_seconds: int


class ModelServerSilent(
    Refusal,
    status=504,
    remedy="Ask for fewer tokens, or let the slot wait longer: brewslm deploy settings --silence-seconds.",
    **_S,
):
    """The model server said nothing for as long as the slot allows."""


class ModelServerBroke(
    Refusal, status=502, remedy="Ask again; the event stream says whether the model server was restarted.", **_S
):
    """The model server broke off before its answer was whole."""


class RequestTooLarge(Refusal, status=413, remedy="Send a shorter request.", **_S):
    """The request has more bytes than a model server is given."""


class UnknownSlot(Refusal, status=404, remedy="See brewslm deploy list.", **_S):
    """The project has no deployment version in a slot of this name."""


class UnknownGoldSet(Refusal, status=404, remedy="See brewslm gold list.", **_S):
    """The project has no gold set of this name, or no such version of it."""


class GoldDraftOpen(Refusal, status=409, remedy="Review and lock the draft first: brewslm gold show says what is missing.", **_S):
    """The gold set has a draft already."""


class GoldSetIsLocked(Refusal, status=409, remedy="Open the next version: brewslm gold draft.", **_S):
    """A locked version can't be changed."""


class GoldSampleTooLarge(Refusal, status=409, remedy="Ask for fewer --rows, or leave it out to take all.", **_S):
    """More rows were asked for than the source has that could be drawn."""


class GoldRowsKnown(Refusal, status=409, remedy="Name another source; what was drawn stays as it is.", **_S):
    """Every row that could be drawn is in the gold set already."""


class UnknownGoldRow(Refusal, status=404, remedy="See brewslm gold rows.", **_S):
    """The draft has no row of this id."""


class GoldRowReviewed(
    Refusal, status=409, remedy="Leave the first review, for agreement is measured on it; decide the row with --settle.", **_S
):
    """This reviewer judged the row before."""


class GoldRowsUnreviewed(Refusal, status=409, remedy="List them with brewslm gold rows --reviewer NAME, and review them.", **_S):
    """Rows of the draft were not looked at by as many people as are wanted."""


class GoldOneReviewer(
    Refusal,
    status=409,
    remedy="Let a second person review every row; or lock with --reviewers 1, and the set will say that nobody checked.",
    **_S,
):
    """One person alone has reviewed the draft, so that no agreement can be measured."""


class GoldRowsDisputed(Refusal, status=409, remedy="Decide each with brewslm gold review --settle.", **_S):
    """Reviewers say different things of rows, and nobody has decided."""


class GoldSetEmpty(Refusal, status=409, remedy="Draw rows: brewslm gold import.", **_S):
    """The draft has no row that was accepted."""
