"""Raising Reject refuses a task, with a reason; with requeue=True it goes back, for another worker to take.

You should see:
    REJECTED: not mine to do
"""

from tasks import rejected

from caraway.exceptions import TaskRejectedError

result = rejected.delay()
try:
    result.get(timeout=30)
except TaskRejectedError as error:
    print(f"{result.state}: {error}")
