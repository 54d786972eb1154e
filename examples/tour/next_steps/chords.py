"""A chord is a group with a task that takes its results. A group in a chain becomes one by itself.

You should see:
    90
    90
"""

from proj.tasks import add, xsum

from caraway import chord, group

print(chord((add.s(i, i) for i in range(10)), xsum.s())().get(timeout=30))
print((group(add.s(i, i) for i in range(10)) | xsum.s()).delay().get(timeout=30))
