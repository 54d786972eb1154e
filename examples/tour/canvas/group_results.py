"""A GroupResult is asked as one: how many have ended, whether one failed. The gateway keeps it: it is found by its id.

You should see:
    ready True, successful True, failed False, waiting False
    3 of 3 have ended
    found again: [2, 4, 6]
"""

from tasks import add, app

from caraway import group
from caraway.result import GroupResult

result = group(add.s(n, n) for n in (1, 2, 3))()
result.get(timeout=30)
print(f"ready {result.ready()}, successful {result.successful()}, ", end="")
print(f"failed {result.failed()}, waiting {result.waiting()}")
print(f"{result.completed_count()} of {len(result)} have ended")
again = GroupResult.restore(result.id, app)
print("found again:", again.get(timeout=30) if again is not None else None)
