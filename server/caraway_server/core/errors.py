"""Errors of the gateway.

CarawayServerError
├── Refused            a request, or an item of it, is not accepted; nothing was changed
├── ShuttingDown       this gateway leaves; another one will answer
└── StoreError         the store did not do what it was asked
    ├── StoreUnavailable
    ├── StoreNotConfirmed  it did, and no replica said so in time
    ├── StoreReadOnly
    ├── StoreFull
    └── StoreUnfit     not a store that Caraway can work on; said at the start
"""

from collections.abc import Mapping


class CarawayServerError(Exception):
    """Base of all errors of the gateway; `reason` is a name of the contract's ErrorReason."""

    reason = "INTERNAL"

    def __init__(self, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})


class Refused(CarawayServerError):
    """A request, or one item of it, was refused before anything was accepted."""

    def __init__(self, reason: str, message: str, **metadata: object) -> None:
        super().__init__(message, {name: str(value) for name, value in metadata.items()})
        self.reason = reason


class ShuttingDown(CarawayServerError):
    """The gateway leaves while a call waits."""

    reason = "SHUTTING_DOWN"


class StoreError(CarawayServerError):
    """The store answered with an error that a caller can do nothing about."""


class StoreUnavailable(StoreError):
    """The store can't be reached, or is loading its data."""

    reason = "STORE_UNAVAILABLE"


class StoreNotConfirmed(StoreError):
    """It is done, but too few replicas have it: a failover may undo it."""

    reason = "STORE_NOT_CONFIRMED"


class StoreReadOnly(StoreError):
    """The store refuses writes."""

    reason = "STORE_READ_ONLY"


class StoreFull(StoreError):
    """The store's memory is used up."""

    reason = "STORE_FULL"


class StoreUnfit(StoreError):
    """The store is of the wrong version or has an unfit setting."""
