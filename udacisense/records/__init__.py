"""Records of results/: written, found again, asked for by name."""
