"""Personal data in a text: what kind, and where. docs/pii.md says what is found and how it is checked."""

from brewslm.filters.pii.base import Finding
from brewslm.filters.pii.find import TYPES, find_pii, find_secrets
from brewslm.filters.pii.policies import pseudonymise, redact

__all__ = ["TYPES", "Finding", "find_pii", "find_secrets", "pseudonymise", "redact"]
