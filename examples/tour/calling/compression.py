"""Large arguments may be compressed, one call at a time, or by the app's task_compression.

You should see:
    gzip: 4
    bzip2: 4
"""

from tasks import add

for compression in ("gzip", "bzip2"):
    print(f"{compression}:", add.apply_async((2, 2), compression=compression).get(timeout=30))
