"""What `maie doctor` looks at."""
