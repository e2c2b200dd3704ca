"""Interactive explorers, one a file: parameters -> pure compute -> scene -> widget."""
