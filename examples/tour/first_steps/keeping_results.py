"""Results are kept by the gateway, for a day unless you say otherwise: nothing is to be set up for that.

You should see:
    4 True SUCCESS
    the error is raised here: ZeroDivisionError
    or given: division by zero
    as the worker saw it: ZeroDivisionError: division by zero
"""

from tasks import add, divide

result = add.delay(2, 2)
print(result.get(timeout=30), result.ready(), result.state)

broken = divide.delay(1, 0)
try:
    broken.get(timeout=30)
except ZeroDivisionError as error:
    print("the error is raised here:", type(error).__name__)
print("or given:", broken.get(propagate=False))
print("as the worker saw it:", (broken.traceback or "").splitlines()[-1])
