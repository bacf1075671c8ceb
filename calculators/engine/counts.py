"""What an engine has done since it was opened."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from calcgraph.calculators.engine.queue import Job, Lane
from calcgraph.runtime.measurement import Distribution

_TOKENS: Final = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
_SHARES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(slots=True)
class Counts:
    """Written by the engine's thread alone. `slots` are tokens inferred, padding included."""

    texts: dict[Lane, int] = field(default_factory=lambda: dict.fromkeys(Lane, 0))
    tokens: int = 0
    slots: int = 0
    dispatches: int = 0
    inference: Distribution = field(default_factory=Distribution)
    """Seconds of each inference, whether or not several ran at a time."""
    waits: dict[Lane, Distribution] = field(
        default_factory=lambda: {lane: Distribution() for lane in Lane}
    )
    """Seconds from a request's arrival to the start of its first inference."""
    batch_tokens: Distribution = field(default_factory=partial(Distribution, _TOKENS))
    """Of the texts in one inference, without padding."""
    fill: Distribution = field(default_factory=partial(Distribution, _SHARES))
    """Share of an inference's slots that hold a text."""
    failed_texts: int = 0
    rebuilds: int = 0

    def waited(self, job: Job, now: float) -> None:
        """An inference begins; only a request's first one counts."""
        if not job.begun:
            job.begun = True
            self.waits[job.lane].add(now - job.arrived)

    def launched(self, tokens: int, slots: int) -> None:
        self.dispatches += 1
        self.slots += slots
        self.batch_tokens.add(tokens)
        self.fill.add(tokens / slots)
