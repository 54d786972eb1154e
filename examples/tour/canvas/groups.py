"""A group runs tasks side by side. One of a generator is sent as the generator gives its tasks, however many there are.

You should see:
    [4, 8]
    1000 tasks, one after the other: 499500
"""

from tasks import add

from caraway import group

print(group(add.s(2, 2), add.s(4, 4))().get(timeout=30))
many = group(add.s(n, 0) for n in range(1000)).apply_async()
print(f"{len(many)} tasks, one after the other: {sum(many.get(timeout=60))}")
