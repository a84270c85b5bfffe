"""Messages of the contract over HTTP: as JSON, and as schemas of OpenAPI."""
