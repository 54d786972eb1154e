"""An app whose results can't be written: `-A e2e.misconfigured`."""

from caraway import Caraway

app = Caraway("e2e.misconfigured", result_compression="rar")
