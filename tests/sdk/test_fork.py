"""A busy program forks, as gunicorn and multiprocessing do: parent and child both go on submitting, and none hangs."""

import subprocess
import sys

import pytest

from support.played import PlayedGateway

FORKS = 20

BUSY_PARENT = """
import os, signal, sys, threading
from caraway import Caraway

app = Caraway("proj", target=sys.argv[1])
stop = threading.Event()
counts = [0] * 4
seen = threading.Condition()

def submit(number):
    while not stop.is_set():
        app.send_task("proj.add", [number, 1])
        with seen:
            counts[number] += 1
            seen.notify_all()

def wait_for_all():
    # Every thread gets an answer to a task that it submitted after this point.
    with seen:
        before = list(counts)
        assert seen.wait_for(lambda: all(now > then + 1 for now, then in zip(counts, before)), timeout=20), counts

threads = [threading.Thread(target=submit, args=(number,), daemon=True) for number in range(4)]
for thread in threads:
    thread.start()
for fork in range(int(sys.argv[2])):
    wait_for_all()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        status = 1
        try:
            ids = {app.send_task("proj.child", [fork]).id for _ in range(5)}
            with app.batch():
                ids |= {app.send_task("proj.child", [fork]).id for _ in range(5)}
            status = 0 if len(ids) == 10 else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"child of fork {fork}: {status}"
wait_for_all()
stop.set()
for thread in threads:
    thread.join(20)
    assert not thread.is_alive()
print("done")
"""

MADE_BEFORE_FORK = """
import os, signal, sys
from caraway import Caraway

app = Caraway("proj", target=sys.argv[1])
result = app.send_task("proj.add", [1, 1])
pid = os.fork()
if pid == 0:
    signal.alarm(20)
    os._exit(0 if result.get(timeout=10) == 7 else 1)
assert os.waitpid(pid, 0)[1] == 0
assert result.get(timeout=10) == 7
print("done")
"""

USED_BY_AN_EVENT_LOOP = """
import asyncio, os, signal, sys
from caraway import Caraway

app = Caraway("proj", target=sys.argv[1])

def fork():
    pid = os.fork()
    if pid == 0:
        # As multiprocessing's children do: they leave the parent's loop alone.
        signal.alarm(20)
        app.send_task("proj.child")
        os._exit(0)
    return pid

async def fork_inside():
    submitting = [asyncio.create_task(app.asend_task("proj.add", [number])) for number in range(20)]
    await submitting[0]
    pid = fork()
    await asyncio.gather(*submitting)
    return pid

if sys.argv[2] == "inside":
    pid = asyncio.run(fork_inside())
else:
    asyncio.run(app.asend_task("proj.add", [1]))
    app.send_task("proj.add", [1])
    pid = fork()
assert os.waitpid(pid, 0)[1] == 0
asyncio.run(app.asend_task("proj.add", [1]))
print("done")
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # From Python 3.12 on a fork beside threads is warned of: it is what these programs are about.
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_busy_parent_forks_many_times_in_a_row(played: PlayedGateway) -> None:
    ended = run(BUSY_PARENT, played.target, str(FORKS))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
    children = [task for task in played.tasks.values() if task.spec.name == "proj.child"]
    assert len(children) == 10 * FORKS


def test_a_result_of_before_the_fork_can_be_read_on_both_sides(played: PlayedGateway) -> None:
    played.answer = 7
    ended = run(MADE_BEFORE_FORK, played.target)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_a_program_with_event_loops_forks(played: PlayedGateway, where: str) -> None:
    ended = run(USED_BY_AN_EVENT_LOOP, played.target, where)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
    assert [task.spec.name for task in played.tasks.values()].count("proj.child") == 1
