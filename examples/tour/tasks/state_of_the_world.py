"""A task runs later, and the world may have changed: pass an id, and let the task look it up.

You should see:
    as it was when it ran: paid
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from tasks import pay

with tempfile.TemporaryDirectory() as folder:
    database = str(Path(folder, "shop.db"))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, state TEXT)")
        connection.execute("INSERT INTO orders VALUES (1, 'new')")
        connection.commit()
        result = pay.apply_async((database, 1), countdown=0.3)
        connection.execute("UPDATE orders SET state = 'paid' WHERE id = 1")
        connection.commit()
    print("as it was when it ran:", result.get(timeout=30))
