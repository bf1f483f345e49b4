"""The audit spine: emit, chain, verify."""

from brewslm.audit.chain import Fault, verify
from brewslm.audit.emit import emit_event, gaps

__all__ = ["Fault", "emit_event", "gaps", "verify"]
