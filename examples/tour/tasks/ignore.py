"""Raising Ignore ends a task without an outcome: nothing follows it, and who waits gets None.

You should see:
    IGNORED None
"""

from tasks import ignored

result = ignored.delay()
value = result.get(timeout=30)
print(result.state, value)
