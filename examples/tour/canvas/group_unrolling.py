"""A group of one in a chain is its only task: what follows gets the value. group | task always gives the list.

You should see:
    the value: 6
    the list: 4
"""

from tasks import add, xsum

from caraway import chain, group

print("the value:", chain(group(add.s(2, 2)), add.s(2)).delay().get(timeout=30))
print("the list:", (group(add.s(2, 2)) | xsum.s()).delay().get(timeout=30))
