"""What is truly inside a converted file: read back from its bytes, never from the recipe that made it."""
