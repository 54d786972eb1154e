"""The tasks: `caraway worker -A web.tasks`."""

import time
from typing import Any

from caraway import Caraway, Unique

app = Caraway("web.tasks")


@app.task(bind=True, unique=Unique("report:{user_id}", on_conflict="return_existing"))
def render(self: Any, user_id: int, pages: int) -> str:
    """Render a user's report; one at a time for each user."""
    for page in range(pages):
        self.update_state(state="RENDERING", meta={"page": page + 1, "of": pages})
        time.sleep(0.02)  # stands for the work
    return f"report of user {user_id}, {pages} pages"
