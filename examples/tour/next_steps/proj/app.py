"""The app, which the project's modules share."""

from caraway import Caraway

app = Caraway("proj", default_queue="next_steps")
