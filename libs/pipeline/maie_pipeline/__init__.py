"""What a job is made of: stages, pipelines and states. Imports neither grpc nor nats."""
