"""What runs in processes of its own: each system's tasks, and its producer. They print one JSON object."""
