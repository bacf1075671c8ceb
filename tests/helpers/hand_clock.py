"""A clock for tests of what depends on time."""


class Clock:
    """Stands where a test puts it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now
