"""A task that waited for another would hold a slot that the other may need: `get` refuses that in a task. Replace it.

You should see:
    4
"""

from tasks import parent

print(parent.delay(2).get(timeout=30))
