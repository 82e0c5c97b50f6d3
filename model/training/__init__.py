"""Training on the stream of the generator: configuration, loop, optimiser, checkpoints, scores on the way."""
