"""What shows only after long or at size: restarts, a million tasks, a soak. Each has a target of its own."""
