"""One prior a file: the frozen models that a bundle holds."""
