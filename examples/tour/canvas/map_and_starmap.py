"""`map` and `starmap` are one task that calls another for each item, one after the other.

You should see:
    [45, 4950]
    [0, 2, 4, 6, 8]
"""

from tasks import add, xsum

print(xsum.map([list(range(10)), list(range(100))]).delay().get(timeout=30))
print(add.starmap(zip(range(5), range(5), strict=True)).delay().get(timeout=30))
