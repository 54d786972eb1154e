"""A stamp marks all tasks of a canvas. They can read it, and their sender can find and revoke them by it.

You should see:
    {'customer': ['acme']}
    revoked by its stamp: True
"""

from tasks import add, app, stamps

from caraway.exceptions import TaskRevokedError

print(stamps.s().stamp(customer="acme").delay().get(timeout=30))

waiting = add.s(2, 2).set(countdown=3600).stamp(customer="initech").delay()
app.control.revoke_by_stamped_headers({"customer": ["initech"]})
try:
    waiting.get(timeout=30)
except TaskRevokedError as error:
    print("revoked by its stamp:", "customer" in str(error))
