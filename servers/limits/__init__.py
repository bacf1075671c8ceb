"""How much a server takes on: waits, deadlines, quotas, sizes, connections."""
