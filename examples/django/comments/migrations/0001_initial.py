"""The first table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes it."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("author", models.CharField(max_length=100)),
                ("text", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("published", "Published"), ("spam", "Spam")],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                ("spam_probability", models.FloatField(null=True)),
                ("posted_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
