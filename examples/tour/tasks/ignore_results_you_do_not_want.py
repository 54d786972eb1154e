"""`ignore_result` keeps a task's state and not its value, in its definition or for a call.

You should see:
    SUCCESS None
    4 is not kept for this call: None
"""

from tasks import add, app, with_options

result = with_options.delay()
value = app.AsyncResult(result.id).get(timeout=30)  # result.get() would not wait: there is nothing to wait for
print(result.state, value)
print("4 is not kept for this call:", add.apply_async((2, 2), ignore_result=True).get())
