"""`ignore_result` keeps a task's state and not its value, in its definition or for a call.

You should see:
    SUCCESS None
    4 is not kept for this call: None
"""

from tasks import add, with_options

result = with_options.delay()
value = result.get(timeout=30)
print(result.state, value)
print("4 is not kept for this call:", add.apply_async((2, 2), ignore_result=True).get(timeout=30))
