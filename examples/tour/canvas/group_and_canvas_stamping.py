"""Stamping a canvas stamps each task in it, however deep: of chains, groups and chords.

You should see:
    [{'batch': [7]}, {'batch': [7]}]
    {'batch': [7]}
"""

from tasks import stamps

from caraway import group

print(group(stamps.si(), stamps.si()).stamp(batch=7)().get(timeout=30))
print((group(stamps.si(), stamps.si()) | stamps.si()).stamp(batch=7).delay().get(timeout=30))
