"""The graph.pbtxt files that ship, as templates and examples."""
