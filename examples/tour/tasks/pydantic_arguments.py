"""`pydantic=True` makes models of arguments that are annotated with them, and refuses what fits none.

You should see:
    2 of tea
    no order: ...2 validation errors for Order
"""

from tasks import ship

from caraway.exceptions import RemoteError

print(ship.delay({"item": "tea", "count": 2}).get(timeout=30))
try:
    ship.delay({"count": "many"}).get(timeout=30)
except RemoteError as error:
    print("no order:", str(error).splitlines()[0])
