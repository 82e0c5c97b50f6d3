"""PhAI itself: the network, its reflections and inputs, phase recycling, the loss, and weights as files."""
