"""`link` adds a callback, which gets the result; `link_error` an errback, which is told of the failure.

You should see:
    2 + 2, then + 8: 12
    tasks.fail failed: it was to fail
"""

from tasks import add, fail, on_error

linked = add.s(2, 2)
linked.link(add.s(8))
result = linked.delay()
result.get(timeout=30)
print("2 + 2, then + 8:", result.children[0].get(timeout=30))

failing = fail.s()
failing.link_error(on_error.s())
failed = failing.delay()
failed.get(timeout=30, propagate=False)
print(failed.children[0].get(timeout=30))
