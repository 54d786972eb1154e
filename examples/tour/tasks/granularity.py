"""Tasks of a millisecond cost more to pass on than to run: `chunks` makes fewer and larger ones of them.

You should see:
    100 calls in 4 tasks, the sum is 9900
"""

from tasks import add

parts = add.chunks(zip(range(100), range(100), strict=True), 25).group()
results = parts.apply_async().get(timeout=30)
print(f"{sum(map(len, results))} calls in {len(results)} tasks, the sum is {sum(map(sum, results))}")
