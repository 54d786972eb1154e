"""Places an order and waits for what it costs."""

from orders.tasks import look, order

result = order(["apple", "pear", "apple"])
print("total", result.get(timeout=30), *look(result.id))
