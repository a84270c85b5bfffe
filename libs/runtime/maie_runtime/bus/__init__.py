"""NATS JetStream: the connection, tasks, events and leases. Nothing else here imports nats."""
