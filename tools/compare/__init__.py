"""The `calcgraph compare` command."""
