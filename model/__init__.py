"""PhAI: the network, its training and its evaluation."""
