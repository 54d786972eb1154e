"""The app."""

import os

from caraway import Caraway

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog.settings")

app = Caraway("blog", default_queue="comments")  # the gateway: CARAWAY_TARGET, or localhost:50051
app.autodiscover_tasks()
