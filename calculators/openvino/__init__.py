"""Models as OpenVINO reads them: served as they are, and inferred within graphs."""
