"""The dataflow core: graphs of calculators, in the way of MediaPipe."""
