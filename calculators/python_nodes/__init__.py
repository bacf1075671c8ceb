"""OVMS's Python nodes: a file beside the graph, whose class OvmsPythonModel does the work."""
