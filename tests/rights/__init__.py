"""What each credential of a mesh can do in NATS beside what is its own: nothing."""
