"""`calcgraph bench`: the load generator, for this server and its rivals."""
