"""A callback runs after a task, with its result; an errback runs when it has failed, and is told why.

You should see:
    the callback: 20
    the errback: tasks.fail failed: no reason
"""

from tasks import add, fail, tell

result = add.apply_async((2, 2), link=add.s(16))
result.get(timeout=30)
print("the callback:", result.children[0].get(timeout=30))

failed = fail.apply_async(("no reason",), link_error=tell.s())
failed.get(timeout=30, propagate=False)
print("the errback:", failed.children[0].get(timeout=30))
