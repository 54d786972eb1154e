"""Three tasks that show what a queue does beyond running tasks: retries, a delay, a revocation."""

import time

from rich.console import Console

from wordcount.tasks import started_at, third_time_lucky

DELAY_SECONDS = 1.0
NEVER_SECONDS = 60.0
WAIT_SECONDS = 60.0


def show_features(console: Console) -> None:
    """Submit them, wait for their ends and print these. Raises what they raised, but for the revocation."""
    submitted = time.time()
    delayed = started_at.apply_async(countdown=DELAY_SECONDS)
    revoked = started_at.apply_async(countdown=NEVER_SECONDS)
    revoked.revoke()
    retried = third_time_lucky.delay()

    attempt = retried.get(timeout=WAIT_SECONDS)
    console.print(f"Retried: failed {retried.retries} times, succeeded on attempt {attempt}")
    waited = delayed.get(timeout=WAIT_SECONDS) - submitted
    console.print(f"Delayed: asked to start after {DELAY_SECONDS:.1f} s, started after {waited:.3f} s")
    end = revoked.get(timeout=WAIT_SECONDS, propagate=False)
    console.print(f"Revoked: {revoked.state} before its start ({type(end).__name__})")
