"""Measures Caraway beside Celery and others, on one store program with one fsync policy; `make bench` runs it."""
