"""chain, group, chord, map, starmap and chunks are signatures too: they can be put into one another.

You should see:
    a chord in a chain in a group: [18, 3]
"""

from tasks import add, mul, xsum

from caraway import chain, chord, group

inner = chain(chord([add.s(1, 1), add.s(2, 2)], xsum.s()), mul.s(3))
print("a chord in a chain in a group:", group(inner, add.s(1, 2))().get(timeout=30))
