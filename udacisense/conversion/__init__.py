"""How a file is written in a process of its own: the child, the handle on it, the images, the ladder of recipes."""
