"""What acts: policies as given, stored and scripted, and what they do in an episode."""
