"""Comments, and what tells spam from others."""
