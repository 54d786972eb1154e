"""An app that knows a task which e2e.sample does not."""

from caraway import Caraway

app = Caraway("e2e.later", default_queue="e2e")


@app.task(name="e2e.not_yet_deployed")
def not_yet_deployed() -> str:
    return "deployed"
