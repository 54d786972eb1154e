"""A signature may lack arguments. Those given later go before its own, keywords and options over its own.

You should see:
    4 + 2 = 6
    tasks.add(4, y=3)
    {'countdown': 0.1}
"""

from tasks import add

partial = add.s(2)
print("4 + 2 =", partial.delay(4).get(timeout=30))
print(add.s(y=2).clone((4,), {"y": 3}))
print(add.s(2, 2).set(countdown=1).clone(countdown=0.1).options)
