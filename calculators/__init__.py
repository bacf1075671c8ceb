"""The nodes that ship: the embeddings pipeline, MediaPipe's core calculators, and the engine below them."""
