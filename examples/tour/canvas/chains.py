"""A chain hands each result on. The last result's `parent` is the one before; an error ends all that was to follow.

You should see:
    ((2 + 2) * 8) = 32
    before that: 4
    it was to fail
    what was to follow ended too: FAILURE
"""

from tasks import add, fail, mul

result = (add.s(2, 2) | mul.s(8)).apply_async()
print("((2 + 2) * 8) =", result.get(timeout=30))
print("before that:", result.parent.get(timeout=30))

broken = (fail.s() | mul.s(8)).apply_async()
try:
    broken.get(timeout=30)
except ValueError as error:
    print(error)
print("what was to follow ended too:", broken.state)
