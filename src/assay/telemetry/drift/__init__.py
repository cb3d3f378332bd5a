"""Whether what is decided now is like what a version decided on the rows held out of its training."""
