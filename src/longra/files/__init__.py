"""What a model is on disk: containers of tensors, and the description of the network that they are the weights of."""
