"""How well a network phases real structures: runs, figures of merit, baselines, tables."""
