"""Pictures in: sources, splits, preprocessing and health."""
