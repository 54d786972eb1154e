"""The gateway's metrics, for Prometheus; loaded only where --metrics-bind asks for them."""
