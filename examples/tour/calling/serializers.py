"""Arguments are JSON unless you say otherwise. What JSON lacks (tuples, bytes, dates, sets) is kept all the same.

You should see:
    by json: 4
    by msgpack: 4
    by yaml: 4
    pickle runs code of whoever wrote it: ContentDisallowed
"""

from tasks import add

from caraway.exceptions import ContentDisallowed

for serializer in ("json", "msgpack", "yaml"):
    print(f"by {serializer}:", add.apply_async((2, 2), serializer=serializer).get(timeout=30))
try:
    add.apply_async((2, 2), serializer="pickle")
except ContentDisallowed as error:
    print("pickle runs code of whoever wrote it:", type(error).__name__)
