"""When the gateway tries a failed attempt again."""

from datetime import timedelta

import pytest

from caraway_server.core.retry import RetryPolicy

SECOND = timedelta(seconds=1)


def waits(policy: RetryPolicy, attempts: int, chance: float = 0.0) -> list[float | None]:
    found = [policy.wait_after(attempt, lambda: chance) for attempt in range(1, attempts + 1)]
    return [None if wait is None else wait.total_seconds() for wait in found]


def test_by_default_nothing_is_tried_again() -> None:
    assert RetryPolicy().wait_after(1) is None


def test_waits_grow_up_to_the_longest() -> None:
    policy = RetryPolicy(max_attempts=6, initial_backoff=SECOND, max_backoff=5 * SECOND)
    assert waits(policy, 6) == [1, 2, 4, 5, 5, None]


def test_a_multiplier_of_one_waits_the_same() -> None:
    assert waits(RetryPolicy(max_attempts=4, initial_backoff=3 * SECOND, multiplier=1), 4) == [3, 3, 3, None]


def test_no_end() -> None:
    policy = RetryPolicy(max_attempts=-1)
    assert policy.wait_after(1_000_000, lambda: 0.0) == policy.max_backoff


@pytest.mark.parametrize("multiplier", [2.0, 1000.0])
def test_large_waits_and_exponents_do_not_overflow(multiplier: float) -> None:
    years = timedelta(days=3650)
    policy = RetryPolicy(max_attempts=-1, multiplier=multiplier, initial_backoff=years, max_backoff=years)
    assert policy.wait_after(2**31 - 1) == years


@pytest.mark.parametrize(("chance", "waited"), [(0.0, 10.0), (0.5, 7.5), (1.0, 5.0)])
def test_jitter_takes_part_of_the_wait(chance: float, waited: float) -> None:
    policy = RetryPolicy(max_attempts=2, initial_backoff=10 * SECOND, jitter=0.5)
    assert waits(policy, 1, chance) == [waited]


def test_full_jitter_stays_within_the_wait() -> None:
    policy = RetryPolicy(max_attempts=2, initial_backoff=10 * SECOND, jitter=1)
    drawn = [policy.wait_after(1) for _ in range(200)]
    assert all(wait is not None and timedelta(0) <= wait <= 10 * SECOND for wait in drawn)
    assert len(set(drawn)) > 100


@pytest.mark.parametrize(
    ("retryable", "non_retryable", "error", "covered"),
    [
        ((), (), "builtins.ValueError", True),
        (("builtins.OSError",), (), "builtins.OSError", True),
        (("OSError",), (), "builtins.OSError", True),
        (("OSError",), (), "builtins.ValueError", False),
        ((), ("ValueError",), "builtins.ValueError", False),
        (("ValueError",), ("ValueError",), "builtins.ValueError", False),
        (("proj.Late",), (), "other.Late", False),
        (("OSError",), (), "", False),
    ],
)
def test_which_errors_are_covered(
    retryable: tuple[str, ...], non_retryable: tuple[str, ...], error: str, covered: bool
) -> None:
    policy = RetryPolicy(retryable=frozenset(retryable), non_retryable=frozenset(non_retryable))
    assert policy.covers(error) is covered
