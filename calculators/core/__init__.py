"""The core calculators of MediaPipe: same names, tags, options and behaviour.

Where MediaPipe registers one calculator per element type (`BeginLoopStringCalculator`), one class here
takes any Python sequence, and the entry points of pyproject.toml give it all those names.
"""
