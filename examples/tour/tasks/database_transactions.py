"""Submit after the commit: a worker may be faster than the transaction, and would find nothing.

You should see:
    submitted too early: no such order
    after the commit: new
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
        connection.commit()
        connection.execute("INSERT INTO orders VALUES (1, 'new')")
        print("submitted too early:", pay.delay(database, 1).get(timeout=30))
        connection.commit()
        print("after the commit:", pay.delay(database, 1).get(timeout=30))
