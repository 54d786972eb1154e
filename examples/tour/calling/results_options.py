"""`ignore_result` keeps only how a task ended; `result_ttl` says how long that can be read.

You should see:
    None
    SUCCESS None
    SUCCESS 4
"""

from tasks import add, app

silent = add.apply_async((2, 2), ignore_result=True)
print(silent.get())  # at once: there is nothing to wait for
value = app.AsyncResult(silent.id).get(timeout=30)  # waits for the end
print(silent.state, value)
kept = add.apply_async((2, 2), result_ttl=60)
value = kept.get(timeout=30)
print(kept.state, value)
