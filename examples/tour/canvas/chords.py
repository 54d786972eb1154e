"""A chord's body runs once all of its header has ended, with the list of results. No worker waits or polls for that.

You should see:
    90
    its header: [0, 2, 4, ...]
"""

from tasks import add, xsum

from caraway import chord

result = chord((add.s(i, i) for i in range(10)), xsum.s())()
print(result.get(timeout=30))
print("its header:", result.parent.get(timeout=30))
