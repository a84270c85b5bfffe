"""What HTTP offers, a room for each part of the contract."""
