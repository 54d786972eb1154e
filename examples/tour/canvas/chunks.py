"""`chunks` cuts many small calls into fewer tasks; `group()` makes a group of them, which `skew` spreads over time.

You should see:
    [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]
    countdowns: [1, 2.0, 3.0]
"""

from tasks import add

parts = add.chunks(zip(range(10), range(10), strict=True), 4)
print(parts().get(timeout=30))
print("countdowns:", [part.options["countdown"] for part in parts.group().skew(start=1, stop=10).tasks])
