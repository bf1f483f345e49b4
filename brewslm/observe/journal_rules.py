"""What the Lab Journal rewards: tables of plain data, and the few questions that they ask of a payload.

It rewards what this product holds dear: rows accounted for, gold sets, leaks kept out, figures that hold, honest steps back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Deed:
    """What an event of one reason code earns.

    Attributes:
        experience: Points.
        counts: The name under which achievements count it.
        once_per: Fields of the payload: the same values again earn nothing. "@day" is the event's day in UTC, "@data" the content
            of the manifest that it names, by rows and ledger.
        earns: Whether this one earns at all: a forced one does not. None: each does.
    """

    experience: int
    counts: str
    once_per: tuple[str, ...]
    earns: Callable[[Payload], bool] | None = None


def _not_forced(payload: Payload) -> bool:
    return not payload.get("forced")


DEEDS: dict[str, Deed] = {
    "dataset_import_run": Deed(
        20,
        "imports",
        ("source", "mapper", "config_id", "accepted_count", "rejected_count"),
        lambda one: not one.get("forced") and one["accepted_count"] > 0,
    ),
    "cleaning_completed": Deed(20, "cleanings", ("documents", "chunks", "preset_sha256", "pii", "ledger")),
    "dataset_prepared": Deed(20, "manifests", ("@data",)),
    "training_completed": Deed(50, "trainings", ("@data", "base_sha256", "method"), _not_forced),
    "training_reproduced": Deed(40, "reproductions", ("experiment_id",)),
    "evaluation_completed": Deed(30, "evaluations", ("experiment_id", "eval_pack")),
    "gold_rows_reviewed": Deed(10, "gold_reviews", ("gold_set", "reviewer")),
    "gold_set_locked": Deed(60, "gold_sets", ("sha256",)),
    "export_completed": Deed(20, "exports", ("experiment_id", "format")),
    "export_compared": Deed(20, "comparisons", ("experiment_id",)),
    "deployment_checked": Deed(15, "drift_checks", ("deployment_version_id", "@day")),
    "deployment_drift_detected": Deed(25, "drifts_found", ("deployment_version_id",)),
    "lesson_read": Deed(5, "lessons_read", ("lesson",)),
    "quiz_answered": Deed(10, "quizzes_passed", ("lesson",), lambda one: bool(one["passed"])),
}
"""By reason code. A code that is not here earns nothing, and stands in the diary all the same."""

CHANGES: dict[str, Deed] = {
    "promote": Deed(50, "promotions", ("deployment_version_id",)),
    "rollback": Deed(30, "rollbacks", ("deployment_version_id", "before")),
}
"""Of `deployment_changed`, by its action: creating and rejecting earn nothing."""

BEATEN, LEAKS, MENDED = 100, 20, 25
"""For a base beaten by more than both intervals; for leaks that prepare kept out; for a fault that did not stop the next try."""
LEAK_REASONS = ("leak", "in_gold_set")


def deed_of(code: str, payload: Payload) -> Deed | None:
    """What it earns by the tables; None when nothing."""
    return CHANGES.get(payload.get("action", "")) if code == "deployment_changed" else DEEDS.get(code)


def beats_its_base(payload: Payload) -> bool:
    """Whether the tuned model's interval lies above the base's: an overlap proves nothing."""
    return bool(payload["tuned_interval"][0] > payload["base_interval"][1])


@dataclass(frozen=True)
class Achievement:
    """Something to be unlocked, once.

    Attributes:
        counts: What is counted; see `Deed.counts` and journal.py for the rest.
        times: How many of it unlock this.
        hidden: Not told before it is unlocked.
    """

    id: str
    title: str
    what: str
    counts: str
    times: int = 1
    experience: int = 100
    hidden: bool = False


ACHIEVEMENTS: tuple[Achievement, ...] = (
    Achievement("first_rows", "First rows", "Import rows, every one of them accounted for.", "imports", experience=50),
    Achievement("first_clean", "Washed", "Clean the project's documents.", "cleanings", experience=50),
    Achievement("first_manifest", "Frozen", "Freeze a data manifest.", "manifests", experience=50),
    Achievement("first_training", "First brew", "Train an experiment to its end.", "trainings"),
    Achievement("first_evaluation", "Measured", "Measure an experiment beside its base.", "evaluations"),
    Achievement("first_export", "Bottled", "Export an experiment.", "exports"),
    Achievement("first_promotion", "On tap", "Promote a version that passed its gates.", "promotions", experience=200),
    Achievement("ten_thousand_rows", "Bookkeeper", "Import 10,000 rows, kept or told why not.", "rows_accounted", 10_000, 150),
    Achievement("million_rows", "Accountant", "Import a million rows, kept or told why not.", "rows_accounted", 10**6, 500),
    Achievement("three_sources", "Blend", "Import from three sources.", "sources", 3, 150),
    Achievement("gold_set", "Gold standard", "Lock a gold set.", "gold_sets", experience=200),
    Achievement("agreement", "Second opinion", "Lock a gold set whose reviewers agree (kappa 0.6).", "agreed", 1, 250),
    Achievement("leaks", "Watertight", "Have prepare keep a leak out of the eval rows.", "leaks_found"),
    Achievement("better_than_base", "Worth it", "Beat the base by more than both intervals.", "beaten", experience=300),
    Achievement("beaten_five", "Not by chance", "Beat the base with five kinds of training.", "beaten", 5, 500),
    Achievement("three_bases", "Connoisseur", "Train on three base models.", "bases", 3, 250),
    Achievement("ten_trainings", "Master brewer", "Train ten times, each on other data, base or method.", "trainings", 10, 400),
    Achievement("reproduced", "To the byte", "Train an experiment again, to the same weights.", "reproductions", experience=300),
    Achievement("compared", "Side by side", "Hold the variants of an export against each other.", "comparisons"),
    Achievement("drift_check", "Still fresh?", "Ask a live version its rows again.", "drift_checks"),
    Achievement("drift_watch", "Watchman", "Check for drift on thirty days.", "drift_checks", 30, 300),
    Achievement("first_mended", "Mended", "Have a run succeed where the one before it failed.", "mended", experience=100),
    Achievement("mended_ten", "Fault finder", "Have ten faults behind you.", "mended", 10, 400),
    Achievement("rollback", "One step back", "Roll a version back.", "rollbacks", experience=150),
    Achievement("first_lesson", "Student", "Pass the quiz of an Academy lesson.", "quizzes_passed", experience=50),
    Achievement("week", "A good week", "Earn something on seven days in a row (UTC).", "streak", 7, 200),
    Achievement("month", "Steady hand", "Earn something on thirty days in a row (UTC).", "streak", 30, 600),
    Achievement("honest", "Honest", "Roll a version back that a check found drifted.", "honest_rollbacks", 1, 300, hidden=True),
    Achievement("spotless", "Spotless", "Import a thousand rows, not one of them rejected.", "spotless", 1, 200, hidden=True),
    Achievement("unanimous", "Of one mind", "Lock fifty rows on which all reviewers agree.", "unanimous", 1, 300, hidden=True),
    Achievement("out_of_memory", "Squeezed in", "Finish a training that ran out of memory.", "squeezed", 1, 250, hidden=True),
    Achievement("early", "Enough", "Let a training end before its last step.", "stopped_early", 1, 150, hidden=True),
    Achievement("small", "Small wonder", "Beat the base with fewer than a hundred rows.", "beaten_small", 1, 300, hidden=True),
    Achievement("nothing_found", "Nothing to see", "Check for drift and find none, ten times.", "steady", 10, 200, hidden=True),
)  # fmt: skip

TITLES = ((1, "Intern"), (3, "Lab technician"), (5, "ML engineer"), (8, "Senior engineer"), (11, "Staff engineer"),
          (13, "Principal engineer"), (15, "Distinguished engineer"))  # fmt: skip


def level_begins(level: int) -> int:
    """The experience at which a level begins: each takes floor(100 · n^1.5) more than the one before, n being that one."""
    return sum(int(100 * one**1.5) for one in range(1, level))


def level_of(experience: int) -> int:
    """The level, from 1."""
    level = 1
    while level_begins(level + 1) <= experience:
        level += 1
    return level


def title_of(level: int) -> str:
    """What one is called at a level."""
    return next(title for least, title in reversed(TITLES) if level >= least)
