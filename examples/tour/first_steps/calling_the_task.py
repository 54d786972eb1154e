"""`delay` submits a call. It returns as soon as the gateway has it on disk, with a result to come.

You should see:
    a result to come: AsyncResult
    the task returned 8
"""

from tasks import add

result = add.delay(4, 4)
print("a result to come:", type(result).__name__)
print("the task returned", result.get(timeout=30))
