"""Gold sets: rows that people judge, one draft version at a time, until it is locked."""

from brewslm.stages.prepare.gold.draft import GoldDraftRequest, draft
from brewslm.stages.prepare.gold.drawing import GoldImportJob, GoldImportRequest, GoldImportResult
from brewslm.stages.prepare.gold.lock import GoldLockRequest, lock
from brewslm.stages.prepare.gold.review import GoldReviewRequest, RowJudgement, review

__all__ = [
    "GoldDraftRequest",
    "GoldImportJob",
    "GoldImportRequest",
    "GoldImportResult",
    "GoldLockRequest",
    "GoldReviewRequest",
    "RowJudgement",
    "draft",
    "lock",
    "review",
]
