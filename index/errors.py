"""What a caller of the search library may have to catch; nothing else is raised on purpose."""

MISSING, SCHEMA, DAMAGED = "missing", "schema", "damaged"


class IndexUnavailable(Exception):  # noqa: N818 - the public name says what is the case, not that it is an error
    """The index can't be read: missing, of another schema, or damaged. It is derived data: rebuild it.

    `reason` is one of "missing", "schema", "damaged"; `detail` is for the log.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        """Remember the machine-readable reason and a detail for the log."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class IndexLocked(Exception):  # noqa: N818 - see above
    """Somebody else is writing, and the time to wait for them is over."""
