from brewslm.observe.trace import trace_step, trace_steps
from tests.web.trainings import freeze, write_steps


def test_steps_come_a_page_at_a_time_newest_first_with_their_rows(walk):
    run = walk.run("exp", "train.run")
    freeze(run)
    write_steps(run, [[f"r{step}"] for step in range(1, 8)])
    newest = trace_steps(run, limit=3)
    assert ([one.step for one in newest.steps], newest.total, newest.older, newest.newer) == ([7, 6, 5], 7, 5, False)
    next_page = trace_steps(run, before=newest.older, limit=3)
    assert ([one.step for one in next_page.steps], next_page.older, next_page.newer) == ([4, 3, 2], 2, True)
    last = trace_steps(run, before=next_page.older, limit=3)
    assert [one.step for one in last.steps] == [1] and last.older is None
    assert trace_step(run, 4).row_ids == ["r4"] and trace_step(run, 4).figures["grad_norm"] == 1.5
    assert trace_step(run, 8) is None and trace_step(run, 0) is None


def test_a_run_without_a_trace_has_no_steps(walk):
    page = trace_steps(walk.run("exp", "train.run"))
    assert (page.steps, page.total, page.older, page.newer) == ([], 0, None, False)
