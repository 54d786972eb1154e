"""Pass what says where the data is, and not the data: a message takes 3 MiB, and the store keeps each of them.

You should see:
    too large: PayloadTooLarge
    where it is instead: 4
"""

from tasks import add

from caraway.exceptions import PayloadTooLarge

try:
    add.delay("x" * 4_000_000, "y")  # type: ignore[arg-type]
except PayloadTooLarge as error:
    print("too large:", type(error).__name__)
print("where it is instead:", add.delay(2, 2).get(timeout=30))
