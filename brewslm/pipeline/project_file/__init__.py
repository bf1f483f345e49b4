"""brewslm.yaml: one file that says what a project is, and how its pipeline runs."""
