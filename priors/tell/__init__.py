"""A bundle for people: as text, compared with another one, and as metrics and plots of DVC."""
