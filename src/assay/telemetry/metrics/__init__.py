"""What is counted of a service: the families of metrics, and how the counts of all workers are read."""
