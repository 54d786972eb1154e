"""A group's errback is called for each of its tasks that fails. What is to follow all of a group is a chord.

You should see:
    [4, ValueError('it was to fail')]
    tasks.fail failed: it was to fail
    when all is done: 8
"""

from tasks import add, fail, on_error, xsum

from caraway import group

broken = group(add.s(2, 2), fail.s())
broken.link_error(on_error.s())
result = broken.apply_async()
print(result.get(timeout=30, propagate=False))
print(result[1].children[-1].get(timeout=30))
print("when all is done:", (group(add.s(2, 2), add.s(2, 2)) | xsum.s()).delay().get(timeout=30))
