"""Many calls go faster together: a batch is confirmed once, at the end of its block. docs/optimizing.md has more.

You should see:
    1000 results, their sum is 999000
"""

from proj.app import app
from proj.tasks import add

with app.batch():
    results = [add.delay(n, n) for n in range(1000)]
print(f"{len(results)} results, their sum is {sum(result.get(timeout=60) for result in results)}")
