"""What the build compiles, each part with the same answers as its form in Python."""
