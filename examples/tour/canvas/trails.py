"""A result knows what came of its task: what follows it in its canvas, and what the task submitted itself.

You should see:
    4
    32
    [4, 32]
"""

from tasks import add, mul

last = (add.s(2, 2) | mul.s(8)).apply_async()
last.get(timeout=30)
first = last.parent
print(first.get())
print(first.children[0].get())
print([value for _result, value in first.collect()])
