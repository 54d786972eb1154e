"""What can be imported only once Django is set up."""

from django.db import models


class Page(models.Model):
    """A page."""

    title = models.CharField(max_length=100)
