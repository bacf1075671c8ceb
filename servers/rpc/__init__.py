"""gRPC: KServe v2."""
