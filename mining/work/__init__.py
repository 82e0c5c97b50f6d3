"""Who reads which file: the plan of a run, its worker processes, and how their rows are stored."""
