"""Measures Caraway and Celery in one run, on one store program with one fsync policy; `make bench` runs it."""
