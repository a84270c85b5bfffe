"""What is removed, given up or brought back."""
