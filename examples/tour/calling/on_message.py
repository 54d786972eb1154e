"""`on_message` hears of each change until the task's end; `updates()` is a loop over the same.

You should see:
    COUNTING {'so far': 1}
    COUNTING {'so far': 2}
    COUNTING {'so far': 3}
    SUCCESS counted
    the last update: SUCCESS
"""

from typing import Any

from tasks import count

from caraway.result import AsyncResult


def hear(body: dict[str, Any]) -> None:
    """Print what is new. Changes in quick succession may be told as one."""
    if body["status"] in ("COUNTING", "SUCCESS"):
        print(body["status"], body["result"])


result: AsyncResult[str] = count.delay(3)
result.get(timeout=30, on_message=hear)
*_, last = count.delay(3).updates(timeout=30)
print("the last update:", last.state)
