"""`graph` draws what comes after what, for Graphviz.

You should see:
    2 results, 1 edge
    digraph...
"""

import io

from tasks import add, mul

last = (add.s(2, 2) | mul.s(8)).apply_async()
last.get(timeout=30)
graph = last.parent.graph
print(f"{len(graph)} results, {len(graph.edges())} edge")
text = io.StringIO()
graph.to_dot(text)
print(text.getvalue().splitlines()[0])
