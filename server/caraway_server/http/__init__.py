"""The same services as JSON over HTTP, for curl and browsers."""
