"""What follows a response: it is pushed to the operator's own systems."""
