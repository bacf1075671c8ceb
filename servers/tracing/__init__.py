"""Traces of single requests: Server-Timing for who asks, OpenTelemetry for who collects."""
