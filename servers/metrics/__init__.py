"""The numbers of /metrics, in names of our own and in those of OVMS."""
