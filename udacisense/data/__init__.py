"""Images in: sources, splits, preprocessing and health."""
