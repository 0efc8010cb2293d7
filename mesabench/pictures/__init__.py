"""A level as a picture: pixels, or text for a terminal."""
