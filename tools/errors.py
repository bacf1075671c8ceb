"""What stops the preparation of a model, said to the person who ran the command."""

from __future__ import annotations


class PreparationError(Exception):
    """A model cannot be prepared. The message is one sentence that says what was found and what to do next."""
