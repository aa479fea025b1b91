"""One server, several queues."""
