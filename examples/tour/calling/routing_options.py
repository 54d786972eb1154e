"""`queue` says which workers get it, `priority` (0 to 9, higher first) which of those that wait goes first.

You should see:
    in the queue calling: 4
    in the queue spare, where nobody looks yet: PENDING
"""

from tasks import add

print("in the queue calling:", add.apply_async((2, 2), queue="calling", priority=9).get(timeout=30))
spare = add.apply_async((2, 2), queue="spare")
print("in the queue spare, where nobody looks yet:", spare.state)
spare.revoke()
