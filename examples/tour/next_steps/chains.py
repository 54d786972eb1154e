"""A chain runs tasks one after the other; each gets the result of the one before.

You should see:
    64
    80
"""

from proj.tasks import add, mul

from caraway import chain

print(chain(add.s(4, 4), mul.s(8))().get(timeout=30))
print((add.s(4, 4) | mul.s(10)).delay().get(timeout=30))
