"""A task's exception is raised again at its caller, of its own class, with its arguments, where its class is there.

You should see:
    OutOfStock: tea, 0 left
"""

from tasks import OutOfStock, sell

try:
    sell.delay("tea").get(timeout=30)
except OutOfStock as error:
    print(f"{type(error).__name__}: {error.item}, {error.left} left")
