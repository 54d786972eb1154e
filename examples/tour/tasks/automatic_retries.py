"""`autoretry_for` names errors that ask for a retry by themselves; `retry_backoff` makes the waits grow.

You should see:
    done, after 2 retries
"""

from tasks import persistent

print(persistent.delay().get(timeout=30))
