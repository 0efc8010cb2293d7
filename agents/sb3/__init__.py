"""What the agents on Stable-Baselines3 share: the vector of environments, the network, the training run."""
