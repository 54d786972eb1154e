"""Assertions of what the languages share say what they found, as a test's own do."""

import pytest

pytest.register_assert_rewrite("support.worker_runs")
