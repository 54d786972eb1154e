"""What is stored."""

from django.db import models


class Comment(models.Model):
    """One comment. It is shown once a task has found that it is no spam."""

    class State(models.TextChoices):
        """How it stands."""

        WAITING = "waiting"
        PUBLISHED = "published"
        SPAM = "spam"

    author = models.CharField(max_length=100)
    text = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    spam_probability = models.FloatField(null=True)
    posted_at = models.DateTimeField(auto_now_add=True)
