"""`-A` names the app: a module that has one named `app`, or module:name, or a package in which either is found.

You should see:
    proj.app: proj
    proj.app:app: proj
    no app: ...
"""

from caraway.exceptions import AppNotFound
from caraway.loader import find_app

for name in ("proj.app", "proj.app:app"):
    print(f"{name}:", find_app(name).main)
try:
    find_app("proj.tasks:nothing")
except AppNotFound as error:
    print("no app:", error)
