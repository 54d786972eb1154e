"""A Django project with one app, whose tasks tell what a task finds of Django."""
