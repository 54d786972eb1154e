"""`bind=True` hands the task itself to its function, as methods have it.

You should see:
    tasks.who_am_i knows its id: True
"""

from tasks import who_am_i

result = who_am_i.delay()
known = result.get(timeout=30)
print(known["name"], "knows its id:", known["id"] == result.id)
