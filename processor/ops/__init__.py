"""What people and Kubernetes ask a running service."""
