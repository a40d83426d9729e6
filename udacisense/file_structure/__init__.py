"""What the readers of model files share: the structure that they answer with, and how its bytes are read."""
