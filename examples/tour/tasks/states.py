"""A result tells where its task stands. An id that nobody knows is an error, and not PENDING.

You should see:
    PENDING, then SUCCESS
    FAILURE
    REVOKED
"""

from tasks import add, sell

waiting = add.apply_async((2, 2), countdown=0.3)
state = waiting.state
waiting.get(timeout=30)
print(f"{state}, then {waiting.state}")
failed = sell.delay("tea")
failed.get(timeout=30, propagate=False)
print(failed.state)
revoked = add.apply_async((2, 2), countdown=3600)
revoked.revoke()
print(revoked.state)
