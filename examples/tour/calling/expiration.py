"""`expires`: a task that has not started by then never starts.

You should see:
    it had not started when it expired
"""

from tasks import add

from caraway.exceptions import TaskExpiredError

# Nobody serves this queue.
result = add.apply_async((2, 2), queue="nowhere", expires=0.2)
try:
    result.get(timeout=30)
except TaskExpiredError as error:
    print(error)
