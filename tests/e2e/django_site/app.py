"""The app."""

import os

from caraway import Caraway

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "e2e.django_site.settings")

app = Caraway("site", default_queue="site")
app.autodiscover_tasks()
