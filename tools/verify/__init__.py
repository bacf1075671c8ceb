"""The `calcgraph verify` command: is a model served as it was trained?"""
