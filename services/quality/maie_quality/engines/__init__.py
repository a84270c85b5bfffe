"""The engines that come with the service."""
