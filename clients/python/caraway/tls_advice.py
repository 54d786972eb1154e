"""What to do where no connection comes about for a reason that TLS may be."""

__all__ = ["tls_advice"]


def tls_advice(text: str) -> str:
    """Give what to do about a failed connection, by gRPC's own account of it; empty where TLS has no part in it."""
    if "andshake failed" in text or "erification" in text:
        return "gateway and client don't agree on TLS: see --tls-ca, --tls-server-name, and whether the gateway has TLS"
    if "Socket closed" in text:
        return (
            "if the gateway has TLS, write grpcs:// and, where it asks for a certificate, name --tls-cert and --tls-key"
        )
    return ""
