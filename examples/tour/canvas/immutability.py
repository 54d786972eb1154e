"""An immutable signature takes nothing from what is before it: `si`, or `immutable=True`.

You should see:
    its own arguments only: 4
"""

from tasks import add

first = add.si(2, 2)
print("its own arguments only:", (add.s(100, 100) | first).delay().get(timeout=30))
