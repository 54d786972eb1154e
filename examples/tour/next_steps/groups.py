"""A group runs tasks side by side; its result is the list of theirs, in order.

You should see:
    [0, 2, 4, 6, 8]
    [10, 11, 12, 13, 14]
"""

from proj.tasks import add

from caraway import group

print(group(add.s(i, i) for i in range(5))().get(timeout=30))
print(group(add.s(i) for i in range(5))(10).get(timeout=30))
