"""From a model as it was published to a folder that is served: convert, compress, describe, check."""
