"""PPO of many seeds at once on PyTorch alone: what they see, their networks, their rollouts, their updates."""
