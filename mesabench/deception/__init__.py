"""What a policy does watched and unwatched, by exact counterfactuals."""
