"""What holds of a project's slots whatever is done to their versions, in whatever order, and whatever the clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from brewslm.errors import StageError
from brewslm.stages.deploy import changes, promote, rollback, switch
from brewslm.stages.deploy.changes import CreateRequest, RejectRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.stages.deploy.switch import SwitchResult
from brewslm.store import tables
from brewslm.store.database import reading, transaction
from brewslm.store.records import Records
from brewslm.store.tables import DeploymentVersion, Slot
from tests.experiments import bare_export
from tests.tiny import make_tiny_base

ENDPOINTS = ("default", "other")
EXPORTS = ("export-1", "export-2")
"""Of two bases: a slot's versions need have nothing in common but their task."""
RUN = tables.Run(id="deploy-1", actor="test")
WALL = [datetime(2026, 1, 1, tzinfo=UTC)]


def tried(version: int) -> SwitchResult:
    """As if its live smoke check had passed just now."""
    with reading() as session:
        found = session.get_one(DeploymentVersion, version)
        slot = session.get(Slot, (found.project_id, found.slot))
        return SwitchResult(version_id=version, before_version_id=slot.version_id if slot else None, asked=1, same=1)


class Versions(RuleBasedStateMachine):
    """The tables beside a stack for each slot: who is promoted on top, and below it who comes back when that is rolled back."""

    @initialize()
    def begin(self) -> None:
        with transaction() as session:
            session.query(Slot).delete()
            session.query(DeploymentVersion).update({"predecessor_id": None})
            session.query(DeploymentVersion).delete()
        self.stacks = {name: [] for name in ENDPOINTS}
        self.counted = dict.fromkeys(ENDPOINTS, 0)
        self.pending, self.over, self.ids = {}, {}, {}

    @rule(seconds=st.integers(-1000, 1000))
    def the_clock_is_set(self, seconds: int) -> None:
        WALL[0] += timedelta(seconds=seconds)

    @rule(name=st.sampled_from(ENDPOINTS), export=st.sampled_from(EXPORTS))
    def create(self, name: str, export: str) -> None:
        run = tables.Run(id="deploy-1", actor="test")
        with transaction() as session:
            changes.create(CreateRequest(export=export, endpoint=name), session, run)
        self.counted[name] += 1
        assert (run.result["version"], run.result["slot"]) == (self.counted[name], name)
        self.pending[run.result["deployment"]] = name

    @precondition(lambda self: self.pending)
    @rule(draw=st.data())
    def promote(self, draw: st.DataObject) -> None:
        version = draw.draw(st.sampled_from(sorted(self.pending)))
        with transaction() as session:
            promote.record(tried(version), session, RUN)
        self.stacks[self.pending.pop(version)].append(version)

    @precondition(lambda self: self.pending)
    @rule(draw=st.data())
    def reject(self, draw: st.DataObject) -> None:
        version = draw.draw(st.sampled_from(sorted(self.pending)))
        with transaction() as session:
            changes.reject(RejectRequest(deployment=version), session, RUN)
        del self.pending[version]
        self.over[version] = "rejected"

    @precondition(lambda self: any(self.stacks.values()))
    @rule(draw=st.data())
    def roll_back(self, draw: st.DataObject) -> None:
        stack = self.stacks[draw.draw(st.sampled_from([name for name in ENDPOINTS if self.stacks[name]]))]
        with reading() as session:
            records, asked = Records(session, "deploy-1", 1, "test"), RollbackRequest(deployment=stack[-1])
            if len(stack) == 1:
                with pytest.raises(StageError) as none:
                    rollback.predecessor_of(asked, records)
                assert none.value.reason.code == "deployment_rollback_no_predecessor"
                return
            assert rollback.predecessor_of(asked, records).id == stack[-2]
        with transaction() as session:
            rollback.record(tried(stack[-2]), session, RUN)
        self.over[stack.pop()] = "rolled_back"

    @rule(draw=st.data())
    def what_is_not_allowed_is_refused_and_changes_nothing(self, draw: st.DataObject) -> None:
        known = [*self.pending, *self.over, *(version for stack in self.stacks.values() for version in stack)]
        if not known:
            return
        version = draw.draw(st.sampled_from(sorted(known)))
        with reading() as session:
            records = Records(session, "deploy-1", 1, "test")
            if version not in self.pending:
                with pytest.raises(StageError), transaction() as writing:
                    changes.reject(RejectRequest(deployment=version), writing, RUN)
                with pytest.raises(StageError), transaction() as writing:
                    promote.record(tried(version), writing, RUN)
            if version not in [stack[-1] for stack in self.stacks.values() if stack]:
                with pytest.raises(StageError) as conflict:
                    rollback.predecessor_of(RollbackRequest(deployment=version), records)
                assert conflict.value.reason.code == "deployment_state_conflict"

    @invariant()
    def the_tables_are_the_stacks(self) -> None:
        with reading() as session:
            found = {one.id: one.state for one in session.scalars(select(DeploymentVersion))}
            slots = {one.name: one.version_id for one in session.scalars(select(Slot))}
        wanted = dict.fromkeys(self.pending, "pending") | self.over
        for name, stack in self.stacks.items():
            wanted |= dict.fromkeys(stack[:-1], "superseded") | dict.fromkeys(stack[-1:], "promoted")
            assert slots.get(name) == (stack[-1] if stack else None)
        assert found == wanted


def test_versions_of_a_slot_are_a_stack_whatever_is_done_to_them(project, tiny_base, tmp_path, monkeypatch):
    for number, base in enumerate((tiny_base, make_tiny_base(tmp_path / "another")), 1):
        assert bare_export(project, base, number) == EXPORTS[number - 1]
    for module in (changes, switch):
        monkeypatch.setattr(module, "now", lambda: WALL[0])
    many = settings(max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Versions, settings=many)


def test_the_database_itself_holds_a_slot_to_one_promoted_version(project, tiny_base):
    export = bare_export(project, tiny_base)
    with pytest.raises(IntegrityError), transaction() as session:
        for number in (1, 2):
            session.add(
                DeploymentVersion(
                    project_id=project, slot="default", version=number, export_id=export, variant="gguf-f16", target="local",
                    state="promoted", actor="test",
                )
            )  # fmt: skip


@pytest.mark.parametrize("name", ["", "7", "Default", "a/b", "a b", "ä", "a" * 61, "-a", "default\n"])
def test_a_name_that_can_not_stand_in_an_address_is_refused(project, tiny_base, name):
    bare_export(project, tiny_base)
    with pytest.raises(StageError) as refused, transaction() as session:
        changes.create(CreateRequest(export="export-1", endpoint=name), session, RUN)
    assert refused.value.reason.code == "invalid_request" and "lower-case letter" in str(refused.value)
