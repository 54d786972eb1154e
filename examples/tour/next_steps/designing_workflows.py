"""A signature is a call that has not been made: it can be passed on, completed, and then made like any other.

You should see:
    proj.tasks.add(2, 2) gives 4
    proj.tasks.add(2), completed by 8, gives 10
"""

from proj.tasks import add

whole = add.s(2, 2)
print(f"{whole} gives", whole.delay().get(timeout=30))
partial = add.s(2)
print(f"{partial}, completed by 8, gives", partial.delay(8).get(timeout=30))
