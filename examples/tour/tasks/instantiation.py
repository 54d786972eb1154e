"""A task is made once in each process that has it: what it keeps in its attributes is there for its next call.

You should see:
    made once: True
    and called more than once: True
"""

from tasks import count

found = [count.delay().get(timeout=30) for _ in range(6)]
print("made once:", all(one["made"] == 1 for one in found))
print("and called more than once:", max(one["calls"] for one in found) > 1)
