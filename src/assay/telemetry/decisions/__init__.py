"""The decision log: every decision as a line, written beside the requests, found again afterwards."""
