"""Where a task of the header fails the body does not run: it fails by that error, and its errback is called once.

You should see:
    it was to fail
    tasks.xsum failed: it was to fail
"""

from tasks import add, fail, on_error, xsum

from caraway import chord

result = chord([add.s(2, 2), fail.s(), fail.s()], xsum.s().on_error(on_error.s()))()
try:
    result.get(timeout=30)
except ValueError as error:
    print(error)
print(result.children[0].get(timeout=30))
