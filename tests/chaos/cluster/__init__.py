"""A broker of three servers, and what can become of them."""
