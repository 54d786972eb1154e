"""Where a task of the header fails the body does not run: it fails by that error, and its errback is called once.

What its result raises is a ChordError, and also of the class that the header's task raised: either finds it.

You should see:
    Dependency ... raised ValueError('it was to fail')
    True
    tasks.xsum failed: it was to fail
"""

from tasks import add, fail, on_error, xsum

from caraway import chord
from caraway.exceptions import ChordError

result = chord([add.s(2, 2), fail.s(), fail.s()], xsum.s().on_error(on_error.s()))()
try:
    result.get(timeout=30)
except ChordError as error:
    print(error)
    print(isinstance(error, ValueError))
print(result.children[0].get(timeout=30))
