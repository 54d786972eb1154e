"""`self.request` is what a running task knows of itself: its id, its attempt, its queue, who submitted it, and more.

You should see:
    attempt 1, from the queue tasks
    outside of a worker: called directly: True
"""

from tasks import who_am_i

known = who_am_i.delay().get(timeout=30)
print(f"attempt {known['attempt']}, from the queue {known['queue']}")
print("outside of a worker: called directly:", who_am_i.request.called_directly)
