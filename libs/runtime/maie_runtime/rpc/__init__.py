"""gRPC: servers, a stage as an RPC, errors as a status. No other room here imports grpc."""
