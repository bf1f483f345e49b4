"""Stage 11, deploy: an export as a versioned deployment, and which version answers under the project's slot."""
