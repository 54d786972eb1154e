"""The worker of Caraway: a supervisor that leases tasks, and child processes that run them."""
