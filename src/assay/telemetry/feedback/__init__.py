"""What people say of decisions, and what it says of the versions that decided."""
