"""Overview: what is here, what is ready, what to do next."""

from ui.frame import frame

frame("Overview", "What is here, what is ready, and what to do next.")
