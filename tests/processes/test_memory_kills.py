"""Whom the kernel killed for memory is counted where the child is, not in the whole machine."""

from brewslm.processes.memory_kills import kill_counter

VMSTAT = "nr_free_pages 5\noom_kill {}\n"
EVENTS = "low 0\nhigh 0\nmax 7\noom 3\noom_kill {}\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def counted(system, group, file, text):
    """What the counter says, and says again after one more kill in the group and five elsewhere."""
    write(system / "proc/self/cgroup", group)
    write(system / "proc/vmstat", VMSTAT.format(40))
    write(system / file, text.format(2))
    counter = kill_counter(system)
    before = counter()
    write(system / "proc/vmstat", VMSTAT.format(46))
    write(system / file, text.format(3))
    return before, counter()


def test_the_groups_own_counter_is_read_in_both_versions_of_control_groups(tmp_path):
    second = counted(tmp_path / "two", "0::/box/job\n", "sys/fs/cgroup/box/job/memory.events", EVENTS)
    first = counted(tmp_path / "one", "4:memory:/box\n1:cpu:/\n0::/\n", "sys/fs/cgroup/memory/box/memory.oom_control", CONTROL)
    assert second == first == (2, 3)


def test_inside_a_container_the_group_is_the_root_of_what_is_seen(tmp_path):
    assert counted(tmp_path, "0::/\n", "sys/fs/cgroup/memory.events", EVENTS) == (2, 3)


def test_without_a_group_that_counts_the_machine_does(tmp_path):
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "proc/vmstat", VMSTAT.format(40))
    assert kill_counter(tmp_path)() == 40


def test_where_nothing_counts_there_is_no_evidence(tmp_path):
    assert kill_counter(tmp_path)() == 0


def test_this_machine_counts_for_real():
    counter = kill_counter()
    assert counter() == counter() >= 0
