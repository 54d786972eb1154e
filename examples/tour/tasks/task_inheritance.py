"""`base=` is a subclass of Task: what tasks have in common.

You should see:
    hello, Ada
"""

from tasks import greet

print(greet.delay("Ada").get(timeout=30))
